"""Files that are there whole or not at all."""

from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file under another name and renames it: whoever sees it, sees all of it.

    Args:
        path: The file; its folder is there.
        content: All of it.
    """
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
