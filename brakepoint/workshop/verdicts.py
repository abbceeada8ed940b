"""The results of checks."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict

from brakepoint.texts import text


class Wrong(Exception):  # noqa: N818  It is the answer that is in error, not the program.
    """An answer is wrong, in a way that the check recognises.

    Args:
        key: Key of the message, below `check.`, which explains the mistake in terms of the domain, and says
            what to do.
        values: Values of the message's placeholders: numbers and strings.

    Attributes:
        exercise: The exercise to which the answer belongs, if it is not the one being checked.
    """

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(key)
        self.key = f"check.{key}"
        self.values = values
        self.exercise = ""


def _shown(value: Any) -> Any:
    """A value that JSON supports: an attendee's code may have returned anything, even an invalid string."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Real):  # Numpy's numbers are `Real`, too.
        return int(value) if isinstance(value, Integral) else float(value)
    return str(value).encode(errors="backslashreplace").decode()


class Verdict(BaseModel):
    """The outcome of one exercise.

    Attributes:
        exercise: Name of the exercise; empty if the file could not be loaded at all.
        passed: Whether the answer is right.
        key: Key of the message about the mistake.
        values: Values of the message's placeholders.
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    exercise: str
    passed: bool = False
    key: str = ""
    values: dict[str, Annotated[Any, AfterValidator(_shown)]] = {}

    @property
    def message(self) -> str:
        """The mistake, in the reader's language."""
        return text(self.key, None, **self.values) if self.key else ""


@dataclass(frozen=True)
class Result:
    """All results of a check.

    Attributes:
        verdicts: Verdicts on the exercises up to the first wrong one, in order.
        printed: Output of the attendee's code.
        explained: The exercises to explain: those that passed and have not been explained before.
    """

    verdicts: tuple[Verdict, ...]
    printed: str = ""
    explained: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything is right."""
        return bool(self.verdicts) and all(verdict.passed for verdict in self.verdicts)

    @property
    def failure(self) -> Verdict | None:
        """The exercise that is not right yet."""
        return next((verdict for verdict in self.verdicts if not verdict.passed), None)
