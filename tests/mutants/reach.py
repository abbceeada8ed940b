"""Which test runs which line: what is measured once, with coverage, and again only where something changed."""

import json
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from coverage import CoverageData
from mutants.clock import SECONDS_FILE
from mutants.copies import environment, git, pytest_command

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


@dataclass
class Reach:
    """Tests by what they run.

    Attributes:
        seconds: Of each test, by its id.
        lines: The ids of the tests that run a line, by file and line.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )

    def tests_of(self, path: str, line: int) -> list[str]:
        """The tests that run a line, the quickest first.

        A line that runs when its module is imported is run by no test in particular: all that run anything of
        the module stand for it.
        """
        of_file = self.lines.get(path, {})
        tests = of_file.get(line) or set().union(*of_file.values())
        return sorted(tests, key=lambda test: (self.seconds[test], test))


def blobs(root: Path) -> dict[str, str]:
    """The hash of each tracked file, by its path."""
    listed = git(root, "ls-files", "--stage").splitlines()
    return {path: about.split()[1] for about, path in (line.split("\t") for line in listed)}


class Measurements:
    """What has been measured so far, in a folder that is kept.

    Args:
        folder: Each measurement leaves its data there, and a JSON beside it that says of which files.
        product: The folders that are looked at.
    """

    def __init__(self, folder: Path, product: Iterable[str]) -> None:
        self._folder, self._product = folder, tuple(product)
        folder.mkdir(parents=True, exist_ok=True)

    def reach(self, now: dict[str, str]) -> tuple[Reach, list[str]]:
        """What holds still, and the files of tests that must be measured again.

        Args:
            now: The hash of each tracked file.
        """
        newest = {}
        for stated in sorted(self._folder.glob("*.json")):
            about = json.loads(stated.read_text(encoding="utf-8"))
            newest |= {path: (stated.with_suffix(".coverage"), about) for path in about["tests"]}
        reach, stale = Reach(), []
        for path in sorted(p for p in now if p.startswith("tests/") and Path(p).name.startswith("test_")):
            if path not in newest:
                stale.append(path)
        by_data = defaultdict(list)
        for path, (data, about) in newest.items():
            if path in now:
                by_data[data].append((path, about))
        for data, entries in by_data.items():
            stale += self._read(data, entries, now, reach)
        return reach, sorted(stale)

    def _read(self, data: Path, entries: list, now: dict[str, str], reach: Reach) -> list[str]:
        about, wanted = entries[0][1], {path for path, _ in entries}
        stale = {path for path in wanted if about["blobs"].get(path) != now.get(path)}
        measured = CoverageData(str(data))
        measured.read()
        for file in measured.measured_files():
            is_changed = about["blobs"].get(file) != now.get(file)
            for line, contexts in measured.contexts_by_lineno(file).items():
                for context in filter(None, contexts):
                    test = context.strip("|").removesuffix(" (call)").removesuffix(" (setup)")
                    path = test.partition("::")[0]
                    if path not in wanted or test not in about["seconds"]:
                        continue
                    if is_changed:
                        stale.add(path)
                    reach.lines[file][line].add(test)
        reach.seconds |= {
            test: took for test, took in about["seconds"].items() if test.partition("::")[0] in wanted
        }
        return sorted(stale)

    def measure(self, copy: Path, tests: list[str], now: dict[str, str]) -> int:
        """Runs the tests of some files, and keeps which line each ran.

        Returns:
            What pytest returned: 0, if all passed.
        """
        number = str(time.time_ns())
        raw = copy.parent / f"{number}.coverage"
        seconds = copy.parent / "seconds.json"
        configuration = copy.parent / "coverage.ini"
        source = ",".join(str(copy / name) for name in self._product)
        configuration.write_text(CONFIGURATION.format(data=raw, source=source), encoding="utf-8")
        settings = environment(copy) | {SECONDS_FILE: str(seconds)}
        runner = pytest_command("-p", "mutants.clock", *tests)
        command = [runner[0], "-m", "coverage", "run", f"--rcfile={configuration}", *runner[1:]]
        code = subprocess.run(command, cwd=copy, env=settings, check=False).returncode
        combine = [runner[0], "-m", "coverage", "combine", "--quiet", f"--rcfile={configuration}"]
        subprocess.run(combine, cwd=copy, env=settings, check=True)
        (self._folder / f"{number}.coverage").write_bytes(raw.read_bytes())
        stated = {"tests": tests, "blobs": now, "seconds": json.loads(seconds.read_text(encoding="utf-8"))}
        (self._folder / f"{number}.json").write_text(json.dumps(stated), encoding="utf-8")
        return code
