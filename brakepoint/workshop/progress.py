"""An attendee's progress: `progress.json`, which is human-readable and survives restarts."""

import json
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from brakepoint.course import ROOT, Step, chosen_track, course
from brakepoint.files import write_whole

PROGRESS_PATH = ROOT / "progress.json"
INCIDENTS_NAME = "incidents.json"
"""The file beside the progress with the time that each incident took."""
PAUSE_MIN = 20.0
"""A longer pause between checks was spent on something else, and does not count."""


class Attempt(BaseModel):
    """One attempt at an open question.

    Attributes:
        choice: The chosen number.
        figures: The resulting figures, by name.
    """

    model_config = ConfigDict(frozen=True)

    choice: float
    figures: dict[str, float]


class StepProgress(BaseModel):
    """Progress in one step.

    Attributes:
        done: The exercises that passed when they were last checked; not those that the kit filled in.
        failing: The exercise that the last check found wrong; empty if the check found no mistake.
        further: Whether an attendee of the core track has requested the exercises beyond the core.
        filled: The exercises that the kit has filled in, because the core omits them.
        explained: The exercises that were explained, which happens when they first pass.
        hints: Number of hints given, by exercise.
        wrong: How often a check found each wrong answer, by the key of its message.
        attempts: Attempts at the step's open question.
        minutes: Minutes spent on the step.
        last_at: When the attendee last worked on the step.
    """

    done: list[str] = []
    failing: str = ""
    further: bool = False
    filled: list[str] = []
    explained: list[str] = []
    hints: dict[str, int] = {}
    wrong: dict[str, int] = {}
    attempts: list[Attempt] = []
    minutes: float = 0.0
    last_at: AwareDatetime | None = None

    def asked(self, step: Step) -> tuple[str, ...]:
        """The exercises that the attendee must do."""
        return step.exercises if self.further else step.exercises_of(chosen_track())

    def is_over(self, step: Step) -> bool:
        """Whether everything that the track requires is done."""
        return set(step.exercises_of(chosen_track())) <= set(self.done)


class Progress(BaseModel):
    """The contents of `progress.json`.

    A file that cannot be read, because a person has changed it, is kept beside the new one.

    Attributes:
        steps: Progress by the step's name.
    """

    steps: dict[str, StepProgress] = {}

    @classmethod
    def load(cls, path: Path | None = None) -> "Progress":
        """Reads the file; a missing or unreadable file means a fresh start."""
        path = path or PROGRESS_PATH
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError:
            return cls()
        except ValidationError:
            with suppress(OSError):
                shutil.copy2(path, path.with_name(f"{path.name}.damaged"))
            return cls()

    def save(self, path: Path | None = None) -> None:
        """Writes the file atomically."""
        content = json.dumps(self.model_dump(mode="json"), indent=2) + "\n"
        write_whole(path or PROGRESS_PATH, content.encode())

    def of(self, step: Step) -> StepProgress:
        """The entry of a step, created if missing."""
        return self.steps.setdefault(step.name, StepProgress())

    def touch(self, step: Step, now: datetime | None = None) -> StepProgress:
        """Counts the time since the attendee last worked on the step, unless it was a pause."""
        entry, now = self.of(step), now or datetime.now(UTC)
        if entry.last_at is not None:
            passed = (now - entry.last_at).total_seconds() / 60
            entry.minutes = round(entry.minutes + (passed if 0 <= passed <= PAUSE_MIN else 0.0), 1)
        entry.last_at = now
        return entry

    def current(self) -> Step:
        """The first unfinished step, or else the last one."""
        unfinished = (step for step in course() if not self.of(step).is_over(step))
        return next(unfinished, course()[-1])
