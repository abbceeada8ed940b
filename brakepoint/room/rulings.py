"""The instructor's decisions during the day: when time is up, who is disqualified, what is scored again."""

import shutil
from datetime import datetime
from pathlib import Path

from pydantic import Field

from brakepoint.errors import UserError
from brakepoint.files import whole_folder
from brakepoint.room.config import Room
from brakepoint.room.kept import Kept
from brakepoint.room.outcomes import Marks, clean
from brakepoint.room.parcel import LIMITS
from brakepoint.room.stores.base import Buckets, RoomStore
from brakepoint.room.stores.embedded import Folders

FROZEN = "frozen"
"""The folder with the submissions as they were when time was up. Of a file that is too large, one byte
more than allowed is kept, so that the copy is still too large when it is scored."""


class Rulings(Kept):
    """All current decisions; a damaged file is rejected: decisions must not be lost silently.

    Attributes:
        frozen_at: When time was up; None before that.
        disqualified: Handles whose submissions are not scored, and whose scores are not shown.
        again: Handles whose submission is scored again although it has not changed, and when that was
            requested.
        seated: Handles whose work was reset or moved, and when: a submission read before then now has another
            owner, or none.
    """

    FILE_NAME, DAMAGED = "rulings.json", "room.error.rulings"

    frozen_at: datetime | None = None
    disqualified: set[str] = Field(default_factory=set)
    again: dict[str, datetime] = Field(default_factory=dict)
    seated: dict[str, datetime] = Field(default_factory=dict)

    def wants_score(self, handle: str, digest: str, marks: Marks | None) -> bool:
        """Whether a submission should be scored.

        Args:
            handle: The attendee.
            digest: Hash of the submission.
            marks: The attendee's results so far.
        """
        if handle in self.disqualified:
            return False
        return marks is None or not marks.knows(digest) or self.asks_again(handle)

    def asks_again(self, handle: str) -> bool:
        """Whether the instructor wants a submission scored again, regardless of the number of tries."""
        return handle in self.again

    def answered(self, handle: str, folder: Path) -> None:
        """Notes that the request to score again has been carried out, unless there is a newer request."""
        if self.asks_again(handle):
            with Rulings.changing(folder) as rulings:
                if rulings.again.get(handle) == self.again[handle]:
                    del rulings.again[handle]

    def source(self, folder: Path, store: Buckets) -> Buckets:
        """The source of submissions: the store, or the frozen copies once time is up."""
        return store if self.frozen_at is None else Folders(folder / FROZEN)


def freeze(room: Room, store: RoomStore, now: datetime) -> int:
    """Freezes the submissions: the current ones are scored, whatever is uploaded later.

    Args:
        room: The room.
        store: The room's object store.
        now: The current time.

    Returns:
        The number of attendees with a submission.

    Raises:
        UserError: The submissions are frozen already: what has been uploaded since then must not count. Or,
            after all others were frozen, a submission cannot be read.
    """
    since = Rulings.load(room.folder).frozen_at
    if since is not None:
        raise UserError("room.error.frozen", at=f"{since.astimezone():%H:%M:%S}")
    there = store.buckets()
    unreadable: dict[str, Exception] = {}
    with whole_folder(room.folder / FROZEN) as kept:
        frozen = Folders(kept)
        for handle in room.everybody:
            place = room.place_of(handle)
            for key, size_max_bytes in LIMITS.items() if place in there else ():
                try:
                    content = store.read(place, key, size_max_bytes)
                except FileNotFoundError:
                    continue
                except (OSError, UserError) as error:  # Its owner must not hold up the others.
                    unreadable[handle] = error
                    continue
                frozen.put(place, key, content)
        found = len(frozen.buckets())
    with Rulings.changing(room.folder) as rulings:
        rulings.frozen_at = now
    if unreadable:
        why = clean(str(next(iter(unreadable.values()))))
        raise UserError("room.error.frozen_without", handles=", ".join(unreadable), why=why)
    return found


def thaw(room: Room) -> None:
    """Undoes `freeze`, so that uploads count again."""
    with Rulings.changing(room.folder) as rulings:
        rulings.frozen_at = None
    shutil.rmtree(room.folder / FROZEN, ignore_errors=True)
