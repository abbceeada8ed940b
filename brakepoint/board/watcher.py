"""Watches a room: reads everybody's progress from the buckets, and the scores from the instructor's side."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum

from pydantic import BaseModel, ValidationError

from brakepoint.course import Track, course
from brakepoint.errors import UserError, system_says
from brakepoint.room.config import Room
from brakepoint.room.history import STUCK_AFTER_MIN, Heard, History, Solved
from brakepoint.room.outcomes import Marks, Scores
from brakepoint.room.rulings import Rulings
from brakepoint.room.sharing import INCIDENTS_KEY, PROGRESS_KEY
from brakepoint.room.stores.base import RoomStore
from brakepoint.texts import languages, text

PROGRESS_MAX_BYTES = 64_000
SILENT_AFTER_MIN = 20.0
"""Not even a check for so long: somebody is away, or lost."""
LOOK_EVERY_S = 5.0
KEYS = (PROGRESS_KEY, INCIDENTS_KEY)
NO_PROGRESS = b"{}"
"""As if somebody who mends trains had begun, and had done nothing of the course yet."""


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
        done: Exercises done of those that the room's track asks for, by step.
        further: Exercises done beyond that.
        minutes: Since something new last passed.
        hints: Given so far.
        map50: The best, as scored by the instructor's side.
        incidents: Those whose cause was found, by number, and how long that and mending took.
        score: The same of the missions; from the final on, how that went.
        reason: The kind of failure of the last submission, by language; empty if it did not fail.
    """

    handle: str
    state: State = State.ABSENT
    step: str = ""
    exercise: str = ""
    done: dict[str, int] = {}
    further: int = 0
    minutes: float = 0.0
    hints: int = 0
    incidents: dict[int, Solved] = {}
    map50: float | None = None
    score: float | None = None
    reason: dict[str, str] = {}


class Watcher:
    """Knows how a room is at present.

    Args:
        room: Which.
        store: Its object store.
        clock: Says what time it is.
        reread: Reads the room again, for who joins or leaves; by default it stays as it is.
    """

    def __init__(
        self,
        room: Room,
        store: RoomStore,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        reread: Callable[[], Room] | None = None,
    ) -> None:
        self.room, self._store, self._clock = room, store, clock
        self._reread = reread or (lambda: room)
        self.seats: list[Seat] = [Seat(handle=handle) for handle in room.everybody]
        self.trouble = ""

    def watch(self, stopping: threading.Event) -> None:
        """Looks again and again; a store that does not answer or a full disk is told on the page."""
        while not stopping.is_set():
            try:
                self.look()
                self.trouble = ""
            except UserError as error:
                self.trouble = error.for_others()
            except OSError as error:
                self.trouble = text("room.error.board_disk", why=system_says(error))
            stopping.wait(LOOK_EVERY_S)

    def look(self) -> None:
        """Looks at everybody once."""
        self.room = self._reread()
        now, buckets, folder = self._clock(), self._store.buckets(), self.room.folder
        uploads, unreadable = {}, None
        for handle in self.room.everybody:
            try:
                place = self.room.place_of(handle)
                uploads[handle] = tuple(self._upload(place, key, buckets) for key in KEYS)
            except (OSError, UserError) as error:  # One bucket that cannot be read hides nobody else's.
                unreadable = error
        with History.changing(folder) as history:
            for handle, (progress, incidents) in uploads.items():
                if not (progress or incidents):
                    continue
                with suppress(ValidationError):  # What is no progress, or no record, counts for nothing.
                    heard = Heard.from_upload(progress or NO_PROGRESS, history.heard.get(handle), now)
                    history.heard[handle] = heard
                    history.heard[handle] = heard.with_incidents(incidents) if incidents else heard
        known, marks, rulings = history.heard, Scores.load(folder).marks, Rulings.load(folder)
        track = self.room.track
        seats = [
            seat(handle, known.get(handle), marks.get(handle), now, track) for handle in self.room.everybody
        ]
        self.seats = [out(found) if found.handle in rulings.disqualified else found for found in seats]
        if unreadable is not None:
            raise UserError("room.error.progress_unreadable", why=unreadable) from unreadable

    def _upload(self, bucket: str, key: str, buckets: set[str]) -> bytes:
        """What an attendee uploaded; nothing if it is too long for what it should be."""
        if bucket not in buckets:
            return b""
        try:
            content = self._store.read(bucket, key, PROGRESS_MAX_BYTES)
        except FileNotFoundError:
            return b""
        return content if len(content) <= PROGRESS_MAX_BYTES else b""


def seat(
    handle: str, heard: Heard | None, marks: Marks | None, now: datetime, track: Track = Track.FULL
) -> Seat:
    """One attendee as the page shows it."""
    found = Seat(handle=handle)
    if marks is not None:
        last = marks.last
        found.map50, found.score = marks.best_map50, marks.score
        found.reason = {lang: last.kind(lang) for lang in languages()} if last.reason else {}
    if heard is None:
        return found
    wanted = {step.name: step.exercises_of(track) for step in course()}
    done = {name: set(heard.done.get(name, ())) for name in wanted}
    found.done = {name: len(done[name] & set(asked)) for name, asked in wanted.items()}
    found.further = sum(len(done[name] - set(asked)) for name, asked in wanted.items())
    found.hints, found.incidents = heard.hints, heard.incidents
    found.minutes = max((now - heard.since).total_seconds() / 60, 0.0)  # The clock may have been set.
    current = next((step for step in course() if found.done[step.name] < len(wanted[step.name])), None)
    if current is None:
        found.state = State.FINISHED
        return found
    found.step = current.name
    found.exercise = next(name for name in wanted[current.name] if name not in done[current.name])
    silent_min = (now - heard.at).total_seconds() / 60
    if silent_min >= SILENT_AFTER_MIN:
        found.state = State.SILENT
    else:
        found.state = State.STUCK if found.minutes >= STUCK_AFTER_MIN else State.WORKING
    return found


def out(disqualified: Seat) -> Seat:
    """The same for an attendee who is disqualified: the work is shown, and no score."""
    reason = {lang: text("room.disqualified", lang) for lang in languages()}
    return disqualified.model_copy(update={"map50": None, "score": None, "reason": reason})
