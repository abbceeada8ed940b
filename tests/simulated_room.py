"""A room of forty on a virtual clock: three hours of attendees who progress well, badly, or not at all."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import cast

from brakepoint.board.watcher import Watcher
from brakepoint.course import course
from brakepoint.room.config import Room
from brakepoint.room.outcomes import Failure, Scores, SubmissionOutcome
from brakepoint.room.sharing import INCIDENTS_KEY, PROGRESS_KEY
from brakepoint.room.stores.base import RoomStore
from brakepoint.workshop.progress import Progress

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
MINUTES = 180
COURSE_SHARE = 0.55
"""Share of the three hours that the average attendee takes for the course."""
HANDLES = (
    *("amber", "anise", "basil", "birch", "cedar", "cobalt", "copper", "coral", "crimson", "dune"),
    *("ebony", "fern", "flint", "garnet", "ginger", "hazel", "indigo", "iris", "ivory", "jade"),
    *("juniper", "lilac", "linden", "maple", "moss", "ochre", "olive", "onyx", "opal", "pearl"),
    *("plum", "quartz", "rowan", "ruby", "sable", "saffron", "sienna", "slate", "teal", "willow"),
)


@dataclass
class Attendee:
    """One attendee of the simulated room.

    Attributes:
        pace: Speed relative to the average attendee's, which is 1.
        begins_min: Minute at which the attendee begins; latecomers begin later.
        stands_still: First and last minute of a period in which no new exercise passes.
        leaves_min: Minute after which the attendee reports nothing more.
        work: Number of exercises done so far.
    """

    pace: float
    begins_min: int
    stands_still: tuple[int, int]
    leaves_min: int
    work: float = 0.0


@dataclass
class FakeStore:
    """The part of a store that the board reads."""

    objects: dict[str, bytes] = field(default_factory=dict)
    incidents: dict[str, bytes] = field(default_factory=dict)

    def buckets(self) -> set[str]:
        return set(self.objects)

    def read(self, bucket: str, key: str, size_max_bytes: int) -> bytes:
        there = {PROGRESS_KEY: self.objects, INCIDENTS_KEY: self.incidents}.get(key, {}).get(bucket)
        if not there:
            raise FileNotFoundError(key)
        return there[: size_max_bytes + 1]


class SimulatedRoom:
    def __init__(self, seed: int = 7) -> None:
        self._random = Random(seed)
        self.room = Room(name="spring", attendees=len(HANDLES), handles=HANDLES)
        self.store = FakeStore({self.room.place_of(handle): b"" for handle in HANDLES})
        self.minute = 0
        store = cast(RoomStore, self.store)
        self.watcher = Watcher(self.room, store, lambda: START + timedelta(minutes=self.minute))
        self.attendees = {handle: self._attendee() for handle in HANDLES}
        self.scores = Scores()

    def _attendee(self) -> Attendee:
        draw = self._random
        still = draw.randrange(20, MINUTES - 20)
        return Attendee(
            pace=draw.uniform(0.6, 1.5),
            begins_min=draw.choice((1, 2, 2, 3, 4, 12)),
            stands_still=(still, still + draw.choice((0, 5, 12, 25))),
            leaves_min=draw.choice((MINUTES,) * 12 + (120,)),
        )

    def run_until(self, minute: int) -> None:
        """Advances the room, and makes the board look once a minute."""
        while self.minute < minute:
            self.minute += 1
            for handle in HANDLES:
                self._work(handle, self.attendees[handle])
            self.watcher.look()

    def _work(self, handle: str, attendee: Attendee) -> None:
        if not attendee.begins_min <= self.minute < attendee.leaves_min:
            return
        exercises = [(step, name) for step in course() for name in step.exercises]
        before = int(attendee.work)
        if not attendee.stands_still[0] <= self.minute < attendee.stands_still[1]:
            attendee.work += attendee.pace * len(exercises) / (COURSE_SHARE * MINUTES)
        done = min(int(attendee.work), len(exercises))
        progress = Progress()
        for step in course():
            entry = progress.of(step)
            entry.done = [name for other, name in exercises[:done] if other is step]
            entry.last_at = START + timedelta(minutes=self.minute)
            entry.hints = {step.exercises[0]: 2} if attendee.pace < 0.8 else {}
        self.store.objects[self.room.place_of(handle)] = progress.model_dump_json().encode()
        if done == len(exercises) and before < done:
            self._score(handle)

    def _score(self, handle: str) -> None:
        draw = self._random
        failed = draw.random() < 0.1
        outcome = SubmissionOutcome(
            digest=handle,
            at=START,
            map50=round(draw.uniform(0.6, 0.95), 3),
            score=0.0 if failed else round(draw.triangular(55, 100, 98), 1),
            reason=Failure.TOO_SLOW if failed else None,
            detail="2 s" if failed else "",
        )
        self.scores.add(handle, outcome, self.room.folder)
