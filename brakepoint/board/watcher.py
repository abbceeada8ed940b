"""Watches a room: reads each attendee's progress from the buckets, and the instructor's scores."""

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
"""An attendee who has not run a check for this long is away or lost."""
LOOK_EVERY_S = 5.0
KEYS = (PROGRESS_KEY, INCIDENTS_KEY)
NO_PROGRESS = b"{}"
"""Replaces the missing progress of an attendee who has only worked on incidents."""


class State(StrEnum):
    """An attendee's state. Texts: `board.state.{value}`."""

    ABSENT = "absent"
    WORKING = "working"
    STUCK = "stuck"
    SILENT = "silent"
    FINISHED = "finished"


class Seat(BaseModel):
    """One attendee, as shown on the page.

    Attributes:
        handle: The attendee.
        state: How the attendee is doing.
        step: Name of the step being worked on; empty before the first upload and once all is done.
        exercise: The exercise to be checked next.
        done: Exercises of the room's track that are done, by step.
        further: Exercises done beyond the track.
        minutes: Minutes since the attendee last passed a new exercise.
        hints: Hints given so far.
        map50: The best mAP50, as measured on the instructor's machine.
        incidents: Incidents whose cause was found, by number, with the minutes until the cause was found and
            fixed.
        score: The best mission score; after the final, the final's score.
        reason: The kind of failure of the last submission, by language; empty without a failure.
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
    """Keeps the current state of a room.

    Args:
        room: The room.
        store: The room's object store.
        clock: Returns the current time.
        reread: Reads the room again to notice who joins or leaves; by default the room is not reread.

    Attributes:
        trouble: Why the room could not be read the last time, by language; empty if it could.
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
        self.trouble: dict[str, str] = {}

    def watch(self, stopping: threading.Event) -> None:
        """Looks at the room repeatedly; the page says so if the store does not answer or the disk is full."""
        while not stopping.is_set():
            try:
                self.look()
                self.trouble = {}
            except UserError as error:
                self.trouble = {lang: error.for_others(lang) for lang in languages()}
            except OSError as error:
                self.trouble = {
                    lang: text("room.error.board_disk", lang, why=system_says(error, lang))
                    for lang in languages()
                }
            stopping.wait(LOOK_EVERY_S)

    def look(self) -> None:
        """Looks at every attendee once."""
        self.room = self._reread()
        now, buckets, folder = self._clock(), self._store.buckets(), self.room.folder
        uploads, unreadable = {}, None
        for handle in self.room.everybody:
            try:
                place = self.room.place_of(handle)
                uploads[handle] = tuple(self._upload(place, key, buckets) for key in KEYS)
            except (OSError, UserError) as error:  # One unreadable bucket must not hide the others.
                unreadable = error
        with History.changing(folder) as history:
            for handle, (progress, incidents) in uploads.items():
                if not (progress or incidents):
                    continue
                with suppress(ValidationError):  # An upload that isn't valid is ignored.
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
        """An attendee's upload under a key; empty if the upload is too long for a file of this kind."""
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
    """One attendee, as shown on the page."""
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
    """The seat of a disqualified attendee: shows the work but no score."""
    reason = {lang: text("room.disqualified", lang) for lang in languages()}
    return disqualified.model_copy(update={"map50": None, "score": None, "reason": reason})
