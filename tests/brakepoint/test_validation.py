"""What pydantic rejects is reported in the reader's language, with its place and what is needed."""

from enum import StrEnum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from brakepoint.validation import SAID, first_fault


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: float = Field(default=1, gt=0, le=9, allow_inf_nan=False)


class Outer(BaseModel):
    name: str = Field(default="x", min_length=1, max_length=5, pattern="^[a-z]*$")
    count: int = Field(default=2, ge=2, lt=9)
    is_on: bool = True
    colour: Colour = Colour.RED
    side: Literal["left", "right"] = "left"
    inner: Inner = Inner()
    pair: list[Inner] = Field(default=[Inner(), Inner()], min_length=2, max_length=2)
    row: tuple[int, ...] = ()
    table: dict[str, int] = {}

    @field_validator("row")
    @classmethod
    def _is_short(cls, row: tuple[int, ...]) -> tuple[int, ...]:
        if len(row) > 3:
            raise ValueError("our own words")
        return row


class Needs(BaseModel):
    name: str


FAULTS: list[tuple[type[BaseModel], Any, str, str]] = [
    (Outer, {"name": 5}, "name: text is needed", "name : il faut un texte"),
    (Outer, {"name": ""}, "name: the text is too short; minimum number of characters: 1", "caractères : 1"),
    (Outer, {"name": "abcdef"}, "maximum number of characters: 5", "caractères : 5"),
    (Outer, {"name": "A"}, "the value must match ^[a-z]*$", "correspondre à ^[a-z]*$"),
    (Outer, {"count": "two"}, "count: a whole number is needed", "il faut un nombre entier"),
    (Outer, {"count": 2.5}, "count: a whole number is needed", "il faut un nombre entier"),
    (Outer, {"count": None}, "count: a whole number is needed", "il faut un nombre entier"),
    (Outer, {"count": "9" * 5000}, "count: a whole number is needed", "il faut un nombre entier"),
    (Outer, {"count": 1}, "a number of at least 2", "supérieur ou égal à 2"),
    (Outer, {"count": 9}, "a number below 9", "inférieur à 9"),
    (Outer, {"is_on": "perhaps"}, "true or false", "true ou false"),
    (Outer, {"is_on": []}, "true or false", "true ou false"),
    (Outer, {"colour": "green"}, "one of these is needed: red, blue", "une de ces valeurs : red, blue"),
    (Outer, {"side": "up"}, "one of these is needed: left, right", "une de ces valeurs : left, right"),
    (
        Outer,
        {"inner": {"size": 0}},
        "inner.size: a number above 0",
        "inner.size : il faut un nombre supérieur à 0",
    ),
    (Outer, {"inner": {"size": 10}}, "a number of at most 9", "inférieur ou égal à 9"),
    (Outer, {"inner": {"size": float("inf")}}, "a number is needed", "il faut un nombre"),
    (Outer, {"inner": {"size": "x"}}, "a number is needed", "il faut un nombre"),
    (Outer, {"inner": {"size": []}}, "a number is needed", "il faut un nombre"),
    (Outer, {"inner": {"sise": 1}}, "inner.sise: there is no such field", "mal orthographié"),
    (
        Outer,
        {"pair": [{"size": 2, 5: None}, {}]},
        "pair #1.5: the name of a field must be text; write decimals with a point, like 2.5",
        "pair #1.5 : le nom d’un champ doit être un texte",
    ),
    (Outer, {"inner": 1}, "inner: named fields are needed", "il faut des champs nommés"),
    (Outer, {"pair": [{}]}, "pair: at least 2 must be listed, not 1", "au moins 2"),
    (Outer, {"pair": [{}] * 3}, "pair: at most 2", "au plus 2"),
    (Outer, {"pair": [{}, {"size": -1}]}, "pair #2.size: a number above 0", "pair #2.size : il faut"),
    (Outer, {"pair": 5}, "pair: a list is needed", "il faut une liste"),
    (Outer, {"row": 5}, "row: a list is needed", "il faut une liste"),
    (Outer, {"row": [1, 2, 3, 4]}, "row: our own words", "row : our own words"),
    (Outer, {"table": 5}, "table: named fields", "il faut des champs nommés"),
    (Outer, [1], "named fields are needed", "il faut des champs nommés"),
    (Needs, {}, "name: this field is missing", "name : ce champ manque"),
]


def refusal(model: type[BaseModel], content: Any) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(content)
    return caught.value


@pytest.mark.parametrize(("model", "content", "english", "french"), FAULTS)
def test_a_fault_is_reported_in_both_languages(model, content, english, french, monkeypatch) -> None:
    error = refusal(model, content)
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    assert english in first_fault(error)
    monkeypatch.setenv("BRAKEPOINT_LANG", "fr")
    assert french in first_fault(error)


def test_each_error_with_a_text_was_met() -> None:
    met = {refusal(model, content).errors()[0]["type"] for model, content, _, _ in FAULTS}
    assert met - {"value_error"} == SAID.keys()


def test_a_fault_without_a_text_is_reported_in_pydantics_words() -> None:
    class Whole(BaseModel):
        size: int = Field(multiple_of=5)

    assert first_fault(refusal(Whole, {"size": 4})) == "size: Input should be a multiple of 5"
