"""What a check has to say."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from brakepoint.texts import text


class Wrong(Exception):  # noqa: N818  It is the answer that is in error, not the program.
    """An answer is wrong, in a way that the check can name.

    Args:
        key: Of the message, below `check.`: it says what is wrong in the words of the domain, and what to do.
        values: What the message's placeholders stand for: numbers and strings.
    """

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(key)
        self.key = f"check.{key}"
        self.values = values


class Verdict(BaseModel):
    """The outcome of one exercise.

    Attributes:
        exercise: Its name; empty when not even the file could be loaded.
        passed: Whether the answer is right.
        key: Of the message that says what is wrong.
        values: What its placeholders stand for.
    """

    model_config = ConfigDict(frozen=True)

    exercise: str
    passed: bool = False
    key: str = ""
    values: dict[str, Any] = {}

    @property
    def message(self) -> str:
        """What is wrong, in the reader's language."""
        return text(self.key, None, **self.values) if self.key else ""


@dataclass(frozen=True)
class Result:
    """Everything that a check found out.

    Attributes:
        verdicts: Of the exercises up to the first that is not right, in order.
        printed: What the attendee's code printed meanwhile.
        explained: The exercises to explain: those that are right, and were not explained before.
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
