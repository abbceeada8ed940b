"""Updates the kit under half-written labs: `git pull` without losing the attendee's work."""

import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from brakepoint.errors import UserError
from brakepoint.files import write_whole


class Fate(StrEnum):
    """What happened to a lab that the attendee had begun."""

    KEPT = "kept"
    """The lab is unchanged."""
    MERGED = "merged"
    """The newer kit's changes were merged around the attendee's lines."""
    GONE = "gone"
    """The newer kit has no such file."""


@dataclass(frozen=True)
class Renewed:
    """A lab after the update.

    Attributes:
        lab: The file.
        fate: What happened to the lab.
        backup: Copy of the lab's previous state.
    """

    lab: Path
    fate: Fate
    backup: Path


@dataclass(frozen=True)
class _Begun:
    """A lab that the attendee has begun: its file, its content, and the kit's original."""

    lab: Path
    own: bytes
    given: bytes
    backup: Path


def renew(root: Path, backups: Path) -> list[Renewed] | None:
    """Fetches the newer kit; replaces labs that were not begun, and keeps the work in all other labs.

    Args:
        root: The clone of the kit.
        backups: Folder for a copy of each begun lab.

    Returns:
        The begun labs; None if there was nothing newer.

    Raises:
        UserError: The folder isn't a clone, or Git could not fetch or merge. The labs are then unchanged.
    """
    if not (root / ".git").exists():
        raise UserError("update.no_clone", folder=root)
    before = _git(root, "rev-parse", "HEAD")
    begun = _set_aside(root, backups)
    try:
        if begun:
            _git(root, "checkout", "--quiet", "HEAD", "--", *(str(each.lab) for each in begun))
        _pull(root)
        given_now = {each.lab: each.lab.read_bytes() for each in begun if each.lab.is_file()}
    finally:
        for each in begun:
            each.lab.parent.mkdir(parents=True, exist_ok=True)
            write_whole(each.lab, each.own)
    if _git(root, "rev-parse", "HEAD") == before:
        return None
    return [_settle(each, given_now.get(each.lab)) for each in begun]


def _set_aside(root: Path, backups: Path) -> list[_Begun]:
    """Copies every lab that differs from the kit's original."""
    changed = _git(root, "diff", "--name-only", "-z", "--diff-filter=M", "HEAD", "--", "labs")
    moment = f"{datetime.now():%Y%m%d-%H%M%S-%f}"
    begun = []
    for name in changed.decode().split("\0")[:-1]:
        lab = root / name
        backup = backups / f"{lab.stem}-{moment}{lab.suffix}"
        backups.mkdir(parents=True, exist_ok=True)
        begun.append(_Begun(lab, lab.read_bytes(), _git(root, "show", f"HEAD:{name}"), backup))
        write_whole(backup, lab.read_bytes())
    return begun


def _pull(root: Path) -> None:
    try:
        _git(root, "pull", "--quiet", "--no-rebase", "--no-edit")
    except UserError:
        with suppress(UserError):  # There may be no merge to abort.
            _git(root, "merge", "--abort")
        raise


def _settle(begun: _Begun, given_now: bytes | None) -> Renewed:
    """Merges the newer kit's changes into a lab; where both changed a line, the attendee's wins."""
    if given_now is None:
        begun.lab.unlink()
        return Renewed(begun.lab, Fate.GONE, begun.backup)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("own", "given", "given_now")]
        for file, content in zip(files, (begun.own, begun.given, given_now), strict=True):
            file.write_bytes(content)
        merged = _git(Path(folder), "merge-file", "--ours", "-p", *map(str, files))
    if merged == begun.own:
        return Renewed(begun.lab, Fate.KEPT, begun.backup)
    write_whole(begun.lab, merged)
    return Renewed(begun.lab, Fate.MERGED, begun.backup)


def _git(folder: Path, *words: str) -> bytes:
    """Runs Git in a folder, and returns its output.

    Raises:
        UserError: Git is missing, or fails.
    """
    try:
        return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True).stdout
    except FileNotFoundError:
        raise UserError("update.no_git") from None
    except subprocess.CalledProcessError as error:
        raise UserError("update.failed", why=error.stderr.decode(errors="replace").strip()) from None
