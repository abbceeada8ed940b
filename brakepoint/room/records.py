"""What a room stores about attendees outside their buckets: scores, history, rulings, frozen submissions."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from brakepoint.room.history import History
from brakepoint.room.outcomes import Scores
from brakepoint.room.rulings import FROZEN, Rulings

SUBMISSIONS = "submissions"
"""Folder with each attendee's last submission, and the best one, which drives in the final."""
Entry = TypeVar("Entry")


class Records:
    """All records of one room; the rulings change first, so that a running scorer notices in time.

    Args:
        folder: The room's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def forget(self, handle: str, place: str) -> None:
        """Deletes the records of an attendee.

        Args:
            handle: The attendee.
            place: Name of the attendee's bucket.
        """
        with Rulings.changing(self._folder) as rulings:
            rulings.disqualified.discard(handle)
            rulings.again.pop(handle, None)
            rulings.seated[handle] = datetime.now(UTC)
        with Scores.changing(self._folder) as scores:
            scores.marks.pop(handle, None)
        with History.changing(self._folder) as history:
            history.heard.pop(handle, None)
        for kept in (self._folder / SUBMISSIONS / handle, self._folder / FROZEN / place):
            shutil.rmtree(kept, ignore_errors=True)

    def swap(self, handles: tuple[str, str], places: tuple[str, str]) -> None:
        """Swaps the records of two attendees.

        Args:
            handles: The two attendees.
            places: Names of their buckets.
        """
        with Rulings.changing(self._folder) as rulings:
            _swap(rulings.again, *handles)
            if len(rulings.disqualified & set(handles)) == 1:
                rulings.disqualified ^= set(handles)
            rulings.seated |= dict.fromkeys(handles, datetime.now(UTC))
        with Scores.changing(self._folder) as scores:
            _swap(scores.marks, *handles)
        with History.changing(self._folder) as history:
            _swap(history.heard, *handles)
        _swap_folders(self._folder / FROZEN, *places)
        _swap_folders(self._folder / SUBMISSIONS, *handles)


def _swap(entries: dict[str, Entry], one: str, other: str) -> None:
    """Swaps two entries; either may be missing."""
    held = {one: entries.pop(other, None), other: entries.pop(one, None)}
    entries.update({name: entry for name, entry in held.items() if entry is not None})


def _swap_folders(folder: Path, one: str, other: str) -> None:
    """Swaps two folders; either may be missing."""
    names = ((one, ".aside"), (other, one), (".aside", other))
    for name, target in names:
        if (folder / name).exists():
            (folder / name).rename(folder / target)
