"""The course as `course.toml` describes it."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

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


class _Course(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: tuple[Step, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for named in ([str(step.number) for step in self.step], [step.name for step in self.step]):
            if len(set(named)) < len(named):
                raise ValueError(f"{max(named, key=named.count)}: × 2")
        return self


@cache
def course() -> tuple[Step, ...]:
    """The steps, in order."""
    return read_course(KIT / "course.toml")


def read_course(path: Path) -> tuple[Step, ...]:
    """Reads the steps of a course, in order.

    Raises:
        UserError: The file is missing, or it does not describe a course.
    """
    try:
        read = _Course.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise UserError("workshop.course_invalid", path=path, why=error.strerror) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "TOML"
        raise UserError("workshop.course_invalid", path=path, why=f"{where}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise UserError("workshop.course_invalid", path=path, why=error) from error
    return read.step


def find_step(wanted: str) -> Step:
    """The step of that number or name.

    Raises:
        UserError: There is none.
    """
    for step in course():
        if wanted in (str(step.number), step.name):
            return step
    raise UserError("workshop.no_step", wanted=wanted, steps=", ".join(str(step.number) for step in course()))
