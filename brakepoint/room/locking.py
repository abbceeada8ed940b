"""Lets only one command at a time change a room; in its own module, since Windows has no such lock."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RECORDS, ACCOUNTS, SCORING = ".lock", ".accounts.lock", ".scoring.lock"
"""The files that are locked: for the day's records, for the accounts and everything made from them, and for
the scoring of submissions."""


@contextmanager
def locked(folder: Path, name: str = RECORDS, wait: bool = True) -> Iterator[None]:
    """Keeps other commands from taking the same lock on the room while the context lasts.

    Args:
        folder: The room's folder; it is created.
        name: `RECORDS`, `ACCOUNTS` or `SCORING`; the others may be locked before `RECORDS`, but not after it.
        wait: Whether to wait until the other command has finished.

    Raises:
        BlockingIOError: Another command has the lock, and `wait` is False.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
