"""What the instructor decides during the day: time is up, an attendee is out, a hand-in is scored again."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from brakepoint.errors import UserError
from brakepoint.room.config import Room
from brakepoint.room.files import write
from brakepoint.room.locking import locked
from brakepoint.room.model_check import MODEL_MAX_MB
from brakepoint.room.outcomes import Marks
from brakepoint.room.sharing import AUTOPILOT_KEY, MODEL_KEY
from brakepoint.room.stores.base import Buckets, RoomStore
from brakepoint.room.stores.embedded import Folders

RULINGS_NAME, FROZEN = "rulings.json", "frozen"
"""The file, and the folder that holds what was handed in when time was up."""
HAND_IN_MAX_BYTES = MODEL_MAX_MB * 1_000_000
"""One byte more is kept, so that what is too large is still too large when it is scored."""


class Rulings(BaseModel):
    """All decisions that hold.

    Attributes:
        frozen_at: When time was up; None while it is not.
        disqualified: Handles whose hand-ins are not scored, and whose scores are not shown.
        again: Handles whose hand-in is scored again, though it has not changed, and since when.
    """

    frozen_at: datetime | None = None
    disqualified: set[str] = set()
    again: dict[str, datetime] = {}

    @classmethod
    def load(cls, folder: Path) -> "Rulings":
        """Reads them; without a file nothing was decided yet.

        Raises:
            UserError: The file is damaged: what was decided must not be forgotten in silence.
        """
        try:
            return cls.model_validate_json((folder / RULINGS_NAME).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls()
        except ValidationError as error:
            raise UserError("room.error.rulings", path=folder / RULINGS_NAME) from error

    @classmethod
    @contextmanager
    def changing(cls, folder: Path) -> "Iterator[Rulings]":
        """Reads them and writes them again while nobody else does."""
        with locked(folder):
            rulings = cls.load(folder)
            yield rulings
            write(folder / RULINGS_NAME, rulings.model_dump_json(indent=2) + "\n")

    def wants_score(self, handle: str, digest: str, marks: Marks | None) -> bool:
        """Whether a hand-in is to be scored.

        Args:
            handle: Whose.
            digest: Of what is handed in.
            marks: What was scored so far.
        """
        if handle in self.disqualified:
            return False
        return marks is None or not marks.knows(digest) or self.asks_again(handle, marks)

    def asks_again(self, handle: str, marks: Marks) -> bool:
        """Whether the instructor has asked for another score since the last one, whatever the tries."""
        return handle in self.again and marks.last.at < self.again[handle]

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
    shutil.rmtree(room.folder / FROZEN, ignore_errors=True)
    frozen, there = Folders(room.folder / FROZEN), store.buckets()
    for place in map(room.place_of, room.everybody):
        for key in (MODEL_KEY, AUTOPILOT_KEY) if place in there else ():
            try:
                frozen.put(place, key, store.read(place, key, HAND_IN_MAX_BYTES))
            except FileNotFoundError:
                continue
    with Rulings.changing(room.folder) as rulings:
        rulings.frozen_at = now
    return len(frozen.buckets())


def thaw(room: Room) -> None:
    """Time is not up: from then on what is uploaded counts again."""
    with Rulings.changing(room.folder) as rulings:
        rulings.frozen_at = None
    shutil.rmtree(room.folder / FROZEN, ignore_errors=True)
