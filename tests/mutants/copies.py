"""A copy of what git tracks, as it stands now, for breaking things in."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def git(folder: Path, *arguments: str) -> str:
    """What git says.

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


def environment(copy: Path) -> dict[str, str]:
    """In it, Python and its child processes find the copy's packages before the ones that are installed."""
    paths = (copy, copy / "tests", Path(__file__).parents[1])
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("COVERAGE_", "PYTEST_"))}
    return {**inherited, "PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONDONTWRITEBYTECODE": "1"}


def pytest_command(*arguments: str) -> list[str]:
    """Runs tests of the copy; one that Hypothesis found before is no part of the sample."""
    return [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
