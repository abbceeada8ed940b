"""One command of a room at a time changes its records; apart, since a laptop's Windows has no such lock."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps the other commands of the room from changing its records meanwhile.

    Args:
        folder: The room's; it is made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
