"""Pushes a clone's commits to the forge, merging what the pipeline has committed there meanwhile."""

import subprocess
import tempfile
from pathlib import Path

from brakepoint.errors import UserError
from brakepoint.rollout.forge import Forge

BRANCH = "refs/heads/main"
WHO = ("-c", "user.name=brakepoint", "-c", "user.email=brakepoint@localhost")
ONCE_MORE, INSTEAD = "Build once more", "Replace what was pushed before"
LAST = "refs/brakepoint/last"
"""The forge's name for the clone's commit that was pushed last."""


def push(clone: Path, forge: Forge) -> str:
    """Merges the forge's commits and pushes the result, without touching the clone.

    If there is nothing new, pushes an empty commit, so that the same state is built again. If `HEAD` no
    longer contains what was pushed last, for instance after a reset, the files are those of `HEAD` alone.

    Args:
        clone: Folder in a clone of the project; its `HEAD` is pushed.
        forge: The forge to push to.

    Returns:
        The commit that was pushed.

    Raises:
        UserError: The folder isn't a clone, or git fails.
    """
    head = _git(clone, "rev-parse", "HEAD")
    root = _git(clone, "rev-parse", "--show-toplevel")
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder)
        _git(there, "init", "--quiet")
        _git(there, "fetch", "--quiet", root, head)
        if not forge.has(BRANCH):
            _git(there, "checkout", "--quiet", "FETCH_HEAD")
        else:
            _git(there, "fetch", "--quiet", str(forge.folder), f"{BRANCH}:refs/heads/before")
            if _is_dropped(there, head, forge):
                words = ("commit-tree", f"{head}^{{tree}}", "-p", "before", "-p", head, "-m", INSTEAD)
                _git(there, "checkout", "--quiet", "--detach", _git(there, *WHO, *words))
            else:
                _git(there, "checkout", "--quiet", "--detach", "before")
                _merge(there, head)
        pushed = _git(there, "rev-parse", "HEAD")
        _git(there, "push", "--quiet", str(forge.folder), f"HEAD:{BRANCH}")
    forge.git("update-ref", LAST, head)
    return pushed


def _is_dropped(there: Path, head: str, forge: Forge) -> bool:
    """Whether `head` lacks commits that were pushed last: a merge would bring them back."""
    return forge.has(LAST) and bool(_git(there, "rev-list", "-1", forge.git("rev-parse", LAST), f"^{head}"))


def _merge(there: Path, head: str) -> None:
    """Merges the forge's commit and `head`; where both have changed a line, `head` wins."""
    before = _git(there, "rev-parse", "HEAD")
    _git(there, *WHO, "merge", "--quiet", "--no-edit", "--allow-unrelated-histories", "-X", "theirs", head)
    if _git(there, "rev-parse", "HEAD") == before:
        _git(there, *WHO, "commit", "--quiet", "--allow-empty", "--message", ONCE_MORE)


def is_clean(clone: Path) -> bool:
    """Whether everything in a clone is committed, except for ignored files."""
    return not _git(clone, "status", "--porcelain")


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UserError("rollout.error.tool", tool="git", why=(done.stderr or done.stdout).strip()[-300:])
    return done.stdout.strip()
