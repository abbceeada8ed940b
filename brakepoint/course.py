"""The course, as described in `course.toml`."""

import os
import tomllib
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from brakepoint.errors import UserError, system_says
from brakepoint.places import KIT, PACKAGES, WORKPLACE
from brakepoint.validation import first_fault

ROOT = WORKPLACE
LABS_DIR = WORKPLACE / "labs"
COURSE_PATH = KIT / "course.toml"
SOLUTIONS_DIR = PACKAGES / "solutions"


TRACK_VARIABLE = "BRAKEPOINT_TRACK"


class Track(StrEnum):
    """How much of the course an attendee takes: the core, which carries the story, or the full course."""

    CORE = "core"
    FULL = "full"


class Step(BaseModel):
    """One step of the course.

    Attributes:
        number: Number of the step.
        name: Name of its module in `labs/` and `solutions/`.
        minutes: How long the whole step should take.
        exercises: The step's gaps, in the order in which they are filled.
        core_minutes: How long its core should take.
        core: The gaps that carry the story, in the same order.
        files: The step's files, if the step is a folder and not a module.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    name: str
    minutes: int = Field(gt=0)
    exercises: tuple[str, ...] = Field(min_length=1)
    core_minutes: int = Field(gt=0)
    core: tuple[str, ...] = Field(min_length=1)
    files: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _core_is_a_part(self) -> Self:
        if tuple(name for name in self.exercises if name in self.core) != self.core:
            raise ValueError(f"core: {', '.join(self.core)} ≠ {', '.join(self.exercises)}")
        if self.core_minutes > self.minutes:
            raise ValueError(f"core_minutes: {self.core_minutes} > {self.minutes}")
        return self

    @property
    def further(self) -> tuple[str, ...]:
        """The exercises of the step that go beyond the core."""
        return tuple(name for name in self.exercises if name not in self.core)

    def exercises_of(self, track: Track) -> tuple[str, ...]:
        """The exercises of a track."""
        return self.core if track is Track.CORE else self.exercises

    def minutes_of(self, track: Track) -> int:
        """How long the exercises of a track should take."""
        return self.core_minutes if track is Track.CORE else self.minutes

    @property
    def lab(self) -> Path:
        """The file or folder that the attendee edits."""
        return LABS_DIR / self._own

    @property
    def solution(self) -> Path:
        """The kit's complete version of the lab."""
        return SOLUTIONS_DIR / self._own

    @property
    def parts(self) -> tuple[Path, ...]:
        """The step's files, relative to the folder `labs/` or `solutions/`."""
        return tuple(Path(self._own, file) for file in self.files) or (Path(self._own),)

    @property
    def _own(self) -> str:
        return self.name if self.files else f"{self.name}.py"


class _Course(BaseModel):
    """The contents of `course.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    set_up_minutes: int = Field(gt=0)
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
    return read_course(COURSE_PATH)


def set_up_minutes() -> int:
    """How long set-up and login should take, before the first step."""
    return _read(COURSE_PATH).set_up_minutes


def chosen_track() -> Track:
    """The track set by the room or the environment; by default the full course.

    Raises:
        UserError: There is no such track.
    """
    wanted = os.environ.get(TRACK_VARIABLE) or Track.FULL
    try:
        return Track(wanted)
    except ValueError as error:
        tracks = ", ".join(Track)
        raise UserError("workshop.no_track", name=TRACK_VARIABLE, wanted=wanted, tracks=tracks) from error


def read_course(path: Path) -> tuple[Step, ...]:
    """Reads the steps of a course, in order.

    Raises:
        UserError: The file is missing, or does not describe a course.
    """
    return _read(path).step


def _read(path: Path) -> _Course:
    """Reads the whole file.

    Raises:
        UserError: The file is missing, or does not describe a course.
    """
    try:
        return _Course.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise UserError("workshop.course_invalid", path=path, why=system_says(error)) from error
    except ValidationError as error:
        raise UserError("workshop.course_invalid", path=path, why=first_fault(error)) from error
    except (ValueError, RecursionError) as error:
        raise UserError("workshop.course_invalid", path=path, why=error) from error


def find_step(wanted: str) -> Step:
    """The step with that number or name.

    Raises:
        UserError: There is no such step.
    """
    for step in course():
        if wanted in (str(step.number), step.name):
            return step
    raise UserError("workshop.no_step", wanted=wanted, steps=", ".join(str(step.number) for step in course()))
