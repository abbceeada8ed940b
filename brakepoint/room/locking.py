"""Lets one command at a time change a room; in its own module, since Windows has no such lock."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RECORDS, ACCOUNTS = ".lock", ".accounts.lock"
"""The files that are locked: for the day's records, and for accounts with everything made from them."""


@contextmanager
def locked(folder: Path, name: str = RECORDS) -> Iterator[None]:
    """Keeps other commands from changing the room's records, or its accounts, while the context lasts.

    Args:
        folder: The room's folder; it is created.
        name: `RECORDS` or `ACCOUNTS`; the second may be locked first, but not the other way round.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
