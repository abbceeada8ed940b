"""Files of a room: written at once or not at all, and those with secrets for their owner's eyes only."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE = 0o600
PUBLIC = 0o644


def write(path: Path, content: str, mode: int = PUBLIC) -> None:
    """Replaces a file in one go; at no moment can others read what only its owner may.

    Args:
        path: The file; its folder is made.
        content: Its text.
        mode: Its permissions.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(content)
    part.replace(path)


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


def make_private_folder(folder: Path) -> None:
    """Makes a folder that only its owner can enter and that git passes over."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    write(folder / ".gitignore", "*\n")
