"""Breaks the copy, one change at a time, and runs the tests that the change reaches."""

import multiprocessing
import os
import re
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

import pytest

from mutants.changes import Change
from mutants.copies import QUIETLY, environment, git
from mutants.reach import Reach

TESTS_SHARE = 0.06
"""The nearest tests of a change are run, as many as take this share of the time that all tests take.

A time in seconds would let fewer tests be asked on a machine that is slow or busy.
"""
LEAST_SHARE = 0.01
"""Tests that take less are joined by others that run the module, until together they take this share.

A function that runs while its module is imported seems to be run by the test that imports the module first.
"""
LIMIT_FACTOR, LIMIT_MORE_S = 4, 60
"""A trial that takes so much longer than its tests took before will not end."""
FORKS = multiprocessing.get_context("forkserver")
"""Each trial begins with what takes long to import and is never broken."""
FORKS.set_forkserver_preload(
    ["cv2", "hypothesis", "jinja2", "numpy", "onnx", "pydantic", "pytest", "rich.progress", "typer", "yaml"]
)


class Verdict(StrEnum):
    """The verdict on a change."""

    CAUGHT = "caught"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"


@dataclass(frozen=True)
class Trial:
    """A change and its verdict.

    Attributes:
        change: What was done.
        verdict: Whether a test noticed.
        why: The test that did; or why none needs to; or how many were asked.
        seconds: How long that took.
    """

    change: Change
    verdict: Verdict
    why: str
    seconds: float = 0.0


def nearest(change: Change, reach: Reach) -> list[str]:
    """The tests for a change: those whose files are nearest to the module, the quickest of these first.

    A test that only compares a module's constant runs nothing of that module. So outside functions, all
    tests of the files that are named like the module are candidates, too.
    """
    tests = set(reach.tests_of(change.path, 0 if change.is_run_at_import else change.line))
    if change.is_run_at_import:
        tests.update(test for test in reach.seconds if _names(change.path, test))
    others = set(reach.tests_of(change.path, 0)) - tests
    chosen: list[str] = []
    seconds, all_s = 0.0, sum(reach.seconds.values())
    for group, share in ((tests, TESTS_SHARE), (others, LEAST_SHARE)):
        for test in sorted(group, key=lambda test: (-_nearness(change.path, test), reach.seconds[test])):
            if chosen and seconds + reach.seconds[test] > share * all_s:
                break
            chosen.append(test)
            seconds += reach.seconds[test]
    return chosen


def _nearness(path: str, test: str) -> int:
    """How many folders a test shares with a module; one more if it names it."""
    file = PurePosixPath(test.partition("::")[0])
    mirrored = PurePosixPath("tests") / path
    shared = 0
    for left, right in zip(mirrored.parts[:-1], file.parts[:-1], strict=False):
        if left != right:
            break
        shared += 1
    return shared + _names(path, test)


def _names(path: str, test: str) -> bool:
    """Whether the name of a test's file contains that of a module."""
    module, file = PurePosixPath(path), PurePosixPath(test.partition("::")[0])
    stem = module.parent.name if module.stem == "__init__" else module.stem
    return stem.strip("_") in file.stem


def attempt(change: Change, tests: list[str], seconds: float, copy: Path) -> Trial:
    """Makes a change in the copy, runs tests until one fails, and makes all as it was.

    Args:
        change: What to break.
        tests: Their ids.
        seconds: What they take when nothing is broken.
        copy: Where.
    """
    if not tests:
        return Trial(change, Verdict.SURVIVED, "no test runs this line")
    file, started = copy / change.path, time.monotonic()
    file.write_bytes(change.apply(file.read_bytes()))
    listed, limit_s = copy.parent / "tests.txt", LIMIT_FACTOR * seconds + LIMIT_MORE_S
    listed.write_text("\n".join(tests), encoding="utf-8")
    code, said = _run([*QUIETLY, "-x", "--tb=no", "-rfE", f"@{listed}"], copy, limit_s)
    git(copy, "checkout", "--quiet", "--", ".")
    git(copy, "clean", "-fdxq")
    took = time.monotonic() - started
    if code == 0:
        return Trial(change, Verdict.SURVIVED, f"{len(tests)} tests pass all the same", took)
    failed = re.search(r"^(?:FAILED|ERROR) (\S+::[^\s\[]+)", said, re.MULTILINE)
    why = "it did not end" if code is None else failed[1] if failed else "the tests do not even begin"
    return Trial(change, Verdict.CAUGHT, why, took)


def _run(arguments: list[str], copy: Path, limit_s: float) -> tuple[int | None, str]:
    """Pytest's exit status, None if it did not end, and its output. Its child processes end with it."""
    said = copy.parent / "said.txt"
    child = FORKS.Process(target=_pytest, args=(arguments, copy, said))
    child.start()
    child.join(limit_s)
    code = child.exitcode
    with suppress(ProcessLookupError):  # Nothing of it may be left.
        os.killpg(child.pid or 0, signal.SIGKILL)
    child.join()
    return code, said.read_text(encoding="utf-8", errors="replace")


def _pytest(arguments: list[str], copy: Path, said: Path) -> None:
    """Runs in a separate process, which has not imported any of the product yet."""
    os.setsid()
    with said.open("wb") as output:
        os.dup2(output.fileno(), sys.stdout.fileno())
        os.dup2(output.fileno(), sys.stderr.fileno())
    os.environ.clear()
    os.environ.update(environment(copy))
    sys.path[:0] = os.environ["PYTHONPATH"].split(os.pathsep)
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"]
    os.chdir(copy)
    sys.exit(pytest.main(arguments))
