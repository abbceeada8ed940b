"""What is known about each attendee's progress during the day, by this machine's clock."""

import hashlib
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from brakepoint.course import Step, course
from brakepoint.room.kept import Kept
from brakepoint.texts import catalogue
from brakepoint.workshop.progress import Progress

COUNT_MAX = 999
INCIDENTS_MAX = 99
"""Maximum number of incidents that one attendee can report; their numbers start at 1."""
STUCK_AFTER_MIN = 10.0
"""If no further exercise has passed for this long, the attendee may need help."""
CHECKS = "check."
"""Prefix of the key of each message about a wrong answer."""


class Solved(BaseModel):
    """How long an attendee took to solve an incident; nothing else about the incident is shared.

    Attributes:
        found_min: Minutes until the cause was named; None if it has not been named yet.
        mended_min: Minutes until the train was also healthy; None if it is not healthy yet.
    """

    model_config = ConfigDict(frozen=True)

    found_min: float | None = Field(default=None, ge=0, le=COUNT_MAX)
    mended_min: float | None = Field(default=None, ge=0, le=COUNT_MAX)


class _Incidents(BaseModel):
    """The attendee's `incidents.json`."""

    model_config = ConfigDict(frozen=True)

    incidents: dict[int, Solved] = Field(default={}, max_length=INCIDENTS_MAX)


class Heard(BaseModel):
    """What is known about an attendee; times are by this machine's clock.

    The attendee's file may contain more, which is not kept.

    Attributes:
        digest: Hash of the upload.
        done: Exercises done, by step; unknown exercises are omitted.
        hints: Hints given so far.
        at: When the upload last changed.
        since: When a further exercise last passed.
        began: When the first upload arrived; None in files that are older than this field.
        passed: When each exercise first passed, by `step.exercise`.
        wrong: How often each wrong answer occurred, by the key of its message; unknown keys are omitted.
        incidents: Incidents whose cause was found, by number.
    """

    model_config = ConfigDict(frozen=True)

    digest: str
    done: dict[str, tuple[str, ...]]
    hints: int
    at: datetime
    since: datetime
    began: datetime | None = None
    passed: dict[str, datetime] = {}
    wrong: dict[str, int] = {}
    incidents: dict[int, Solved] = {}

    @classmethod
    def from_upload(cls, content: bytes, last: "Heard | None", now: datetime) -> "Heard":
        """Processes an upload.

        Args:
            content: Content of a progress file.
            last: What was known about the attendee before.
            now: The current time.

        Raises:
            ValidationError: The content isn't a progress file.
        """
        digest = hashlib.sha256(content).hexdigest()
        if last is not None and last.digest == digest:
            return last
        progress = Progress.model_validate_json(content)
        done = {step.name: _done(progress, step) for step in course()}
        hints = sum(sum(entry.hints.values()) for entry in progress.steps.values())
        advanced = last is None or _count(done) > _count(last.done)
        since = now if last is None or advanced else last.since
        names = (f"{step}.{exercise}" for step, exercises in done.items() for exercise in exercises)
        return cls(
            digest=digest,
            done=done,
            hints=_bounded(hints),
            at=now,
            since=since,
            began=now if last is None else last.began,
            passed=dict.fromkeys(names, now) | ({} if last is None else last.passed),
            wrong=_wrong(progress),
            incidents={} if last is None else last.incidents,
        )

    def with_incidents(self, content: bytes) -> "Heard":
        """A copy with the incidents of an upload.

        Args:
            content: Content of an `incidents.json`.

        Raises:
            ValidationError: The content is not a valid `incidents.json`.
        """
        told = _Incidents.model_validate_json(content).incidents
        found = {
            number: solved
            for number, solved in sorted(told.items())
            if 1 <= number <= INCIDENTS_MAX and solved.found_min is not None
        }
        return self.model_copy(update={"incidents": found})


class History(Kept):
    """The history of all attendees, by handle, which survives a restart of the board.

    A damaged file is reset.
    """

    FILE_NAME = "board.json"

    heard: dict[str, Heard] = Field(default_factory=dict)


def _done(progress: Progress, step: Step) -> tuple[str, ...]:
    entry = progress.steps.get(step.name)
    return tuple(name for name in step.exercises if entry and name in entry.done)


def _wrong(progress: Progress) -> dict[str, int]:
    known = catalogue()
    return {
        key: _bounded(count)
        for entry in progress.steps.values()
        for key, count in entry.wrong.items()
        if key.startswith(CHECKS) and key in known
    }


def _bounded(count: int) -> int:
    return min(max(count, 0), COUNT_MAX)


def _count(done: dict[str, tuple[str, ...]]) -> int:
    return sum(map(len, done.values()))
