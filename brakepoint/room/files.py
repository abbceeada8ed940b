"""Files of a room: written atomically, and readable only by their owner if they contain secrets."""

import os
from pathlib import Path

PRIVATE = 0o600
PUBLIC = 0o644


def write(path: Path, content: str, mode: int = PUBLIC) -> None:
    """Replaces a file atomically; at no moment can others read a file that only its owner may read.

    Args:
        path: The file; its folder is created.
        content: Text to write.
        mode: Permissions of the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        with os.fdopen(
            os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8"
        ) as file:
            file.write(content)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def make_private_folder(folder: Path) -> None:
    """Creates a folder that only its owner can enter and that git ignores."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    write(folder / ".gitignore", "*\n")
