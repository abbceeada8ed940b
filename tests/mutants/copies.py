"""A copy of the tracked files in their current state, in which to break things."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

QUIETLY = ("-q", "-p", "no:cacheprovider")
"""How pytest is called."""


def git(folder: Path, *arguments: str) -> str:
    """The output of a git command.

    Raises:
        CalledProcessError: It refused.
    """
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def copy_of(root: Path) -> Iterator[Path]:
    """A clone, with the changes that are not committed yet; it is removed at the end of the block."""
    state = git(root, "stash", "create") or git(root, "rev-parse", "HEAD")
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / root.name
        git(root, "clone", "--quiet", "--shared", "--no-checkout", str(root), str(copy))
        git(copy, "checkout", "--quiet", "--detach", state)
        yield copy


class Copies:
    """Copies that are lent, each to one borrower at a time.

    Args:
        folders: The copies.
    """

    def __init__(self, folders: list[Path]) -> None:
        self._free: SimpleQueue[Path] = SimpleQueue()
        for folder in folders:
            self._free.put(folder)

    @contextmanager
    def lent(self) -> Iterator[Path]:
        """Waits for a copy, and takes it back at the end of the block."""
        copy = self._free.get()
        try:
            yield copy
        finally:
            self._free.put(copy)


def environment(copy: Path) -> dict[str, str]:
    """The environment in which Python and its children prefer the copy's packages to the installed ones.

    Compiled files are kept beside the copy, from one trial to the next.
    """
    paths = (copy, copy / "tests", Path(__file__).parents[1])
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("COVERAGE_", "PYTEST_"))}
    compiled = {"PYTHONPYCACHEPREFIX": str(copy.parent / "compiled")}
    return {**inherited, "PYTHONPATH": os.pathsep.join(map(str, paths)), **compiled}
