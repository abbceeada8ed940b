"""The course as `course.toml` describes it."""

import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from brakepoint.errors import UserError
from brakepoint.places import KIT, PACKAGES, WORKPLACE

ROOT = WORKPLACE
LABS_DIR = WORKPLACE / "labs"
SOLUTIONS_DIR = PACKAGES / "solutions"


class Step(BaseModel):
    """One step of the course.

    Attributes:
        number: As a person calls it.
        name: Of its module in `labs/` and `solutions/`.
        minutes: How long it should take.
        exercises: Its gaps, in the order in which they are filled.
        files: What it consists of, if it is a folder and not one module.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    name: str
    minutes: int = Field(gt=0)
    exercises: tuple[str, ...] = Field(min_length=1)
    files: tuple[str, ...] = ()

    @property
    def lab(self) -> Path:
        """The file or folder that the attendee edits."""
        return LABS_DIR / self._own

    @property
    def solution(self) -> Path:
        """The same, complete."""
        return SOLUTIONS_DIR / self._own

    @property
    def parts(self) -> tuple[Path, ...]:
        """Its files, seen from the folder `labs/` or `solutions/`."""
        return tuple(Path(self._own, file) for file in self.files) or (Path(self._own),)

    @property
    def _own(self) -> str:
        return self.name if self.files else f"{self.name}.py"


@cache
def course() -> tuple[Step, ...]:
    """The steps, in order."""
    tables = tomllib.loads((KIT / "course.toml").read_text(encoding="utf-8"))
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
