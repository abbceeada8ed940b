"""The course as `course.toml` describes it."""

import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from brakepoint.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
LABS_DIR = ROOT / "labs"
SOLUTIONS_DIR = ROOT / "solutions"


class Step(BaseModel):
    """One step of the course.

    Attributes:
        number: As a person calls it.
        name: Of its module in `labs/` and `solutions/`.
        minutes: How long it should take.
        exercises: Its gaps, in the order in which they are filled.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    name: str
    minutes: int = Field(gt=0)
    exercises: tuple[str, ...] = Field(min_length=1)

    @property
    def lab(self) -> Path:
        """The file that the attendee edits."""
        return LABS_DIR / f"{self.name}.py"

    @property
    def solution(self) -> Path:
        """The same file, complete."""
        return SOLUTIONS_DIR / f"{self.name}.py"


@cache
def course() -> tuple[Step, ...]:
    """The steps, in order."""
    tables = tomllib.loads((ROOT / "course.toml").read_text(encoding="utf-8"))
    return tuple(Step.model_validate(table) for table in tables["step"])


def find_step(wanted: str) -> Step:
    """The step of that number or name.

    Raises:
        UserError: There is none.
    """
    for step in course():
        if wanted in (str(step.number), step.name):
            return step
    raise UserError("workshop.no_step", wanted=wanted, steps=", ".join(str(step.number) for step in course()))
