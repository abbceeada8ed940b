"""Watches a room: reads everybody's progress from the buckets, and the scores from the instructor's side."""

import hashlib
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from brakepoint.course import Step, course
from brakepoint.errors import UserError
from brakepoint.room.config import Room
from brakepoint.room.files import write
from brakepoint.room.outcomes import Marks, Scores
from brakepoint.room.sharing import PROGRESS_KEY
from brakepoint.room.stores.base import RoomStore
from brakepoint.texts import languages
from brakepoint.workshop.progress import Progress

HISTORY_NAME = "board.json"
PROGRESS_MAX_BYTES = 64_000
HINTS_MAX = 999
STUCK_AFTER_MIN = 10.0
"""Nothing new has passed for so long: somebody might need a word."""
SILENT_AFTER_MIN = 20.0
"""Not even a check for so long: somebody is away, or lost."""
LOOK_EVERY_S = 5.0


class Heard(BaseModel):
    """What was last heard of an attendee; times are by the clock of this machine.

    Of what the attendee wrote only this much is kept: whatever else the file may say goes no further.

    Attributes:
        digest: Of the upload.
        done: Exercises done, by step; those of the course alone.
        hints: Given so far.
        at: When the upload last changed.
        since: When something new last passed.
    """

    model_config = ConfigDict(frozen=True)

    digest: str
    done: dict[str, tuple[str, ...]]
    hints: int
    at: datetime
    since: datetime

    @classmethod
    def from_upload(cls, content: bytes, last: "Heard | None", now: datetime) -> "Heard":
        """Takes an upload in.

        Args:
            content: A progress file.
            last: What was heard before.
            now: The time.

        Raises:
            ValidationError: It is no progress file.
        """
        digest = hashlib.sha256(content).hexdigest()
        if last is not None and last.digest == digest:
            return last
        progress = Progress.model_validate_json(content)
        done = {step.name: _done(progress, step) for step in course()}
        hints = sum(sum(entry.hints.values()) for entry in progress.steps.values())
        advanced = last is None or _count(done) > _count(last.done)
        since = now if last is None or advanced else last.since
        return cls(digest=digest, done=done, hints=min(max(hints, 0), HINTS_MAX), at=now, since=since)


class History(BaseModel):
    """Everybody's, by handle: a restart of the board loses nothing."""

    heard: dict[str, Heard] = {}


class State(StrEnum):
    """How somebody is getting on. Texts: `board.state.{value}`."""

    ABSENT = "absent"
    WORKING = "working"
    STUCK = "stuck"
    SILENT = "silent"
    FINISHED = "finished"


class Seat(BaseModel):
    """One attendee as the page shows it.

    Attributes:
        handle: Who.
        state: How it goes.
        step: Name of the step being worked on; empty if nothing was heard yet, or all is done.
        exercise: The check that comes next.
        done: Exercises done, by step.
        minutes: Since something new last passed.
        hints: Given so far.
        map50: The best, as scored by the instructor's side.
        score: The same of the missions; from the final on, how that went.
        reason: The kind of failure of the last submission, by language; empty if it did not fail.
    """

    handle: str
    state: State = State.ABSENT
    step: str = ""
    exercise: str = ""
    done: dict[str, int] = {}
    minutes: float = 0.0
    hints: int = 0
    map50: float | None = None
    score: float | None = None
    reason: dict[str, str] = {}


class Watcher:
    """Knows how a room is at present.

    Args:
        room: Which.
        store: Its object store.
        clock: Says what time it is.
    """

    def __init__(
        self, room: Room, store: RoomStore, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.room, self._store, self._clock = room, store, clock
        self._path = room.folder / HISTORY_NAME
        self._history = _load(self._path)
        self.seats: list[Seat] = [Seat(handle=handle) for handle in room.everybody]
        self.trouble = ""

    def watch(self, stopping: threading.Event) -> None:
        """Looks again and again; a store that does not answer is told on the page."""
        while not stopping.is_set():
            try:
                self.look()
                self.trouble = ""
            except UserError as error:
                self.trouble = error.for_others()
            stopping.wait(LOOK_EVERY_S)

    def look(self) -> None:
        """Looks at everybody once."""
        now, scores = self._clock(), Scores.load(self.room.folder)
        before = self._history.model_copy(deep=True)
        buckets, unreadable = self._store.buckets(), None
        for handle in self.room.everybody:
            try:
                content = self._upload(self.room.place_of(handle), buckets)
            except (OSError, UserError) as error:  # One bucket that cannot be read hides nobody else's.
                content, unreadable = b"", error
            if content:
                with suppress(ValidationError):  # What is no progress counts for nothing.
                    heard = Heard.from_upload(content, self._history.heard.get(handle), now)
                    self._history.heard[handle] = heard
        if self._history != before:
            write(self._path, self._history.model_dump_json())
        known = self._history.heard
        self.seats = [
            seat(handle, known.get(handle), scores.marks.get(handle), now) for handle in self.room.everybody
        ]
        if unreadable is not None:
            raise UserError("room.error.progress_unreadable", why=unreadable) from unreadable

    def _upload(self, bucket: str, buckets: set[str]) -> bytes:
        """What an attendee uploaded; nothing if it is too long for a progress file."""
        if bucket not in buckets:
            return b""
        try:
            content = self._store.read(bucket, PROGRESS_KEY, PROGRESS_MAX_BYTES)
        except FileNotFoundError:
            return b""
        return content if len(content) <= PROGRESS_MAX_BYTES else b""


def seat(handle: str, heard: Heard | None, marks: Marks | None, now: datetime) -> Seat:
    """One attendee as the page shows it."""
    found = Seat(handle=handle)
    if marks is not None:
        last = marks.last
        found.map50, found.score = marks.best_map50, marks.score
        found.reason = {lang: last.kind(lang) for lang in languages()} if last.reason else {}
    if heard is None:
        return found
    found.done = {step.name: len(heard.done.get(step.name, ())) for step in course()}
    found.hints = heard.hints
    found.minutes = (now - heard.since).total_seconds() / 60
    current = next((step for step in course() if found.done[step.name] < len(step.exercises)), None)
    if current is None:
        found.state = State.FINISHED
        return found
    found.step = current.name
    done = heard.done.get(current.name, ())
    found.exercise = next(name for name in current.exercises if name not in done)
    silent_min = (now - heard.at).total_seconds() / 60
    if silent_min >= SILENT_AFTER_MIN:
        found.state = State.SILENT
    else:
        found.state = State.STUCK if found.minutes >= STUCK_AFTER_MIN else State.WORKING
    return found


def _done(progress: Progress, step: Step) -> tuple[str, ...]:
    entry = progress.steps.get(step.name)
    return tuple(name for name in step.exercises if entry and name in entry.done)


def _count(done: dict[str, tuple[str, ...]]) -> int:
    return sum(map(len, done.values()))


def _load(path: Path) -> History:
    try:
        return History.model_validate_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError):
        return History()
