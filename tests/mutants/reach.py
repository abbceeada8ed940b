"""Which test runs which line: measured with coverage, and again only where something has changed."""

import json
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from coverage import CoverageData
from pytest import ExitCode

from mutants.clock import SECONDS_FILE
from mutants.copies import QUIETLY, environment, git

CONFIGURATION = """\
[run]
data_file = {data}
source = {source}
relative_files = true
parallel = true
patch = subprocess
context = ${{PYTEST_CURRENT_TEST-}}
"""
"""A child process is told by pytest for which test it runs."""
NOT_IN_MAKE_TEST = ("tests/system/", "tests/soak/", "tests/images/", "tests/delivery/", "tests/radio/")


@dataclass
class Reach:
    """Tests by what they run.

    Attributes:
        seconds: Of each test, by its id.
        lines: The ids of the tests that run a line, by file and line.
        changed: Files that have changed since, so that their lines are others.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )
    changed: set[str] = field(default_factory=set)

    def tests_of(self, path: str, line: int) -> list[str]:
        """The tests that run a line, the quickest first.

        A line that runs when its module is imported is run by no test in particular: all that run anything of
        the module stand for it. So they do for each line of a module that has changed.
        """
        of_file = self.lines.get(path, {})
        is_known = line in of_file and path not in self.changed
        tests = of_file[line] if is_known else set().union(*of_file.values())
        return sorted(tests, key=lambda test: (self.seconds[test], test))


def blobs(root: Path) -> dict[str, str]:
    """The hash of each tracked file, by its path."""
    listed = git(root, "ls-files", "--stage").splitlines()
    return {path: about.split()[1] for about, path in (line.split("\t") for line in listed)}


class Measurements:
    """The measurements so far, in a folder that is kept.

    Args:
        folder: Each measurement leaves its data there, and a JSON beside it that says of which files.
        product: The folders that are looked at.
    """

    def __init__(self, folder: Path, product: Iterable[str]) -> None:
        self._folder, self._product = folder, tuple(product)
        folder.mkdir(parents=True, exist_ok=True)

    def reach(self, now: dict[str, str]) -> tuple[Reach, list[str]]:
        """The results that still hold, and the test files that must be measured again.

        Of a module that was added since, only the tests that were added or changed with it are known.

        Args:
            now: The hash of each tracked file.
        """
        newest: dict[str, Path] = {}
        for stated in sorted(self._folder.glob("*.json")):
            about = json.loads(stated.read_text(encoding="utf-8"))
            same = (path for path in about["tests"] if about["blobs"][path] == now.get(path))
            newest |= dict.fromkeys(same, stated)
        reach = Reach()
        for stated in set(newest.values()):
            _read(stated, {path for path, there in newest.items() if there == stated}, now, reach)
        return reach, sorted(path for path in now if is_test_file(path) and path not in newest)

    def measure(self, copy: Path, tests: list[str], now: dict[str, str]) -> int:
        """Runs the tests of some files, and keeps which line each ran.

        Returns:
            What pytest returned: 0, if all passed.

        Raises:
            RuntimeError: Not all tests ran; then nothing is kept.
        """
        number = str(time.time_ns())
        raw = copy.parent / f"{number}.coverage"
        seconds = copy.parent / "seconds.json"
        configuration = copy.parent / "coverage.ini"
        source = ",".join(str(copy / name) for name in self._product if (copy / name).is_dir())
        configuration.write_text(CONFIGURATION.format(data=raw, source=source), encoding="utf-8")
        settings = environment(copy) | {SECONDS_FILE: str(seconds)}
        coverage, given = [sys.executable, "-m", "coverage"], f"--rcfile={configuration}"
        command = [*coverage, "run", given, "-m", "pytest", *QUIETLY, "-p", "mutants.clock", *tests]
        code = subprocess.run(command, cwd=copy, env=settings, check=False).returncode
        if code not in (ExitCode.OK, ExitCode.TESTS_FAILED):
            raise RuntimeError(f"pytest ended with {code} in: {' '.join(tests)}")
        subprocess.run([*coverage, "combine", "--quiet", given], cwd=copy, env=settings, check=True)
        (self._folder / f"{number}.coverage").write_bytes(raw.read_bytes())
        stated = {"tests": tests, "blobs": now, "seconds": json.loads(seconds.read_text(encoding="utf-8"))}
        (self._folder / f"{number}.json").write_text(json.dumps(stated), encoding="utf-8")
        return code


def is_test_file(path: str) -> bool:
    """Whether `make test` runs a file."""
    is_test = path.startswith("tests/") and PurePosixPath(path).match("test_*.py")
    return is_test and not path.startswith(NOT_IN_MAKE_TEST)


def _read(stated: Path, tests: set[str], now: dict[str, str], reach: Reach) -> None:
    """Adds the results of one measurement for some test files."""
    about = json.loads(stated.read_text(encoding="utf-8"))
    seconds = {test: took for test, took in about["seconds"].items() if test.partition("::")[0] in tests}
    reach.seconds |= seconds
    measured = CoverageData(str(stated.with_suffix(".coverage")))
    measured.read()
    for file in measured.measured_files():
        if about["blobs"].get(file) != now.get(file):
            reach.changed.add(file)
        for line, contexts in measured.contexts_by_lineno(file).items():
            reach.lines[file][line] |= seconds.keys() & map(_test_of, contexts)


def _test_of(context: str) -> str:
    """The test that a context of coverage stands for; a child process has the test's phase in its own."""
    return re.sub(r" \((setup|call|teardown)\)$", "", context.strip("|"))
