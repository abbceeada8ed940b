"""What the instructor decides during the day: time is up, an attendee is out, a hand-in is scored again."""

import shutil
from datetime import datetime
from pathlib import Path

from pydantic import Field

from brakepoint.files import whole_folder
from brakepoint.room.config import Room
from brakepoint.room.kept import Kept
from brakepoint.room.model_check import MODEL_MAX_MB
from brakepoint.room.outcomes import Marks
from brakepoint.room.sharing import AUTOPILOT_KEY, MODEL_KEY
from brakepoint.room.stores.base import Buckets, RoomStore
from brakepoint.room.stores.embedded import Folders

FROZEN = "frozen"
"""The folder that holds what was handed in when time was up."""
HAND_IN_MAX_BYTES = MODEL_MAX_MB * 1_000_000
"""One byte more is kept, so that what is too large is still too large when it is scored."""


class Rulings(Kept):
    """All decisions that hold; a damaged file is refused: what was decided must not be forgotten in silence.

    Attributes:
        frozen_at: When time was up; None while it is not.
        disqualified: Handles whose hand-ins are not scored, and whose scores are not shown.
        again: Handles whose hand-in is scored again, though it has not changed, and when that was asked for.
    """

    FILE_NAME, DAMAGED = "rulings.json", "room.error.rulings"

    frozen_at: datetime | None = None
    disqualified: set[str] = Field(default_factory=set)
    again: dict[str, datetime] = Field(default_factory=dict)

    def wants_score(self, handle: str, digest: str, marks: Marks | None) -> bool:
        """Whether a hand-in is to be scored.

        Args:
            handle: Whose.
            digest: Of what is handed in.
            marks: What was scored so far.
        """
        if handle in self.disqualified:
            return False
        return marks is None or not marks.knows(digest) or self.asks_again(handle)

    def asks_again(self, handle: str) -> bool:
        """Whether the instructor has asked for another score, whatever the tries."""
        return handle in self.again

    def answered(self, handle: str, folder: Path) -> None:
        """Takes note that what was asked for is done; no clock is compared, since clocks are set."""
        if self.asks_again(handle):
            with Rulings.changing(folder) as rulings:
                if rulings.again.get(handle) == self.again[handle]:
                    del rulings.again[handle]

    def source(self, folder: Path, store: Buckets) -> Buckets:
        """Where hand-ins are taken from: the store, or what was kept when time was up."""
        return store if self.frozen_at is None else Folders(folder / FROZEN)


def freeze(room: Room, store: RoomStore, now: datetime) -> int:
    """Time is up: what is handed in now is what is scored, whatever is uploaded later.

    Args:
        room: Which.
        store: Its object store.
        now: The time.

    Returns:
        How many have handed something in.
    """
    there = store.buckets()
    with whole_folder(room.folder / FROZEN) as kept:
        frozen = Folders(kept)
        for place in map(room.place_of, room.everybody):
            for key in (MODEL_KEY, AUTOPILOT_KEY) if place in there else ():
                try:
                    frozen.put(place, key, store.read(place, key, HAND_IN_MAX_BYTES))
                except FileNotFoundError:
                    continue
        found = len(frozen.buckets())
    with Rulings.changing(room.folder) as rulings:
        rulings.frozen_at = now
    return found


def thaw(room: Room) -> None:
    """Time is not up: from then on what is uploaded counts again."""
    with Rulings.changing(room.folder) as rulings:
        rulings.frozen_at = None
    shutil.rmtree(room.folder / FROZEN, ignore_errors=True)
