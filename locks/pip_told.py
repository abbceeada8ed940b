"""Runs pip with progress on a terminal: `python locks/pip_told.py install …`.

Where the output isn't a terminal, plain pip runs with the same arguments. This module uses only the
standard library, since nothing else is installed yet.
"""

import contextlib
import os
import queue
import re
import shutil
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from brakepoint.texts import text
from locks.environment import INTERRUPTED, alone

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
LOOK_EVERY_S = 0.5
FOUND = re.compile(r"Collecting ([\w.-]+)")
FETCHED = re.compile(r"\s*(?:Downloading|Using cached|Processing) (?:\S*/)?([^/\s]+)(?: \((\d[^)]*)\))?")
INSTALLING = re.compile(r"Installing collected packages: (.+)")
ARCHIVES = (".whl", ".gz", ".zip")
CLEAR_LINE = "\r\x1b[K"


class Told:
    """pip's output so far, as one readable line.

    Args:
        packages: Where the packages are installed.
    """

    def __init__(self, packages: Path) -> None:
        self._packages = packages
        self._there_before = self._there()
        self._found: set[str] = set()
        self._fetched = 0
        self._installing: set[str] = set()
        self.line = text("setup.looking")

    def hear(self, said: str) -> None:
        """Processes a line of pip's output."""
        if found := FOUND.match(said):
            self._found.add(canonical(found[1]))
            self.line = text("setup.found", count=len(self._found), name=found[1])
        elif (fetched := FETCHED.match(said)) and fetched[1].endswith(ARCHIVES):
            self._fetched += 1
            name, size = fetched[1].split("-")[0], fetched[2] or "…"
            # Some indexes list dependencies before anything is downloaded; with others, they are unknown
            # until then.
            key = "setup.fetching" if self._fetched < len(self._found) else "setup.fetching_more"
            self.line = text(key, None, count=self._fetched, all=len(self._found), name=name, size=size)
        elif installing := INSTALLING.match(said):
            self._installing = {canonical(name) for name in installing[1].split(", ")}
            self.look()

    def look(self) -> None:
        """Counts the packages installed so far: pip prints nothing while it installs."""
        if self._installing:
            done = len(self._installing & {name for name, _ in self._there() - self._there_before})
            count = len(self._installing)
            self.line = text("setup.installing", count=done, all=count, left=count - done)

    def _there(self) -> set[tuple[str, int]]:
        """Each installed package, and the time of its installation."""
        found = set()
        for folder in self._packages.glob("*.dist-info"):
            with contextlib.suppress(OSError):  # pip removes an older version.
                found.add((canonical(folder.name.split("-")[0]), folder.stat().st_mtime_ns))
        return found


def canonical(name: str) -> str:
    """A package's normalised name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def lines_of(process: "subprocess.Popen[str]") -> Iterator[str]:
    """Output of a process, line by line; an empty line whenever there is no output for a while."""
    said: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said.put(line)
        said.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = said.get(timeout=LOOK_EVERY_S)
        except queue.Empty:
            line = ""
        if line is None:
            return
        yield line


def install(words: list[str]) -> int:
    """Runs pip with these arguments, and returns its exit status."""
    if not sys.stdout.isatty():
        return subprocess.run([*PIP, *words], check=False).returncode
    told = Told(Path(sysconfig.get_path("purelib")))
    loud = [word for word in words if word != "--quiet"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen([*PIP, *loud], stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            for line in lines_of(process):
                if line:
                    told.hear(line)
                else:
                    told.look()
                width = shutil.get_terminal_size().columns - 1
                sys.stdout.write(f"{CLEAR_LINE}{told.line[:width]}")
                sys.stdout.flush()
        except KeyboardInterrupt:  # pip says itself that it stops.
            process.wait()
            raise
        finally:
            sys.stdout.write(CLEAR_LINE)
            sys.stdout.flush()
    return process.returncode


def main(words: list[str]) -> int:
    """Runs pip as soon as no other set-up does, and returns its exit status."""
    try:
        with alone():
            status = install(words)
    except KeyboardInterrupt:
        return INTERRUPTED
    if status:
        sys.stderr.write(text("setup.failed", None, pip=f"{sys.executable} -m pip") + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
