"""A sandbox for attendees' submissions: bubblewrap around a Python process that communicates over a pipe.

Inside there is no network, no other process, nothing writable, and no files except Python, the kit's package
and the submission. A filter rejects system calls that the sandbox does not need. Memory, processor time, open
files and processes are limited, too, and the total memory is measured. The output consists only of bytes, and
is limited in length and time.
"""

import json
import os
import selectors
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from brakepoint.errors import UserError
from brakepoint.room.memory_groups import held_mb, new_group, parent_group
from brakepoint.room.outcomes import Failed, Failure
from brakepoint.room.system_calls import filter_program

KIT, WORK = Path("/kit"), Path("/work")
"""Where the kit's package and the submission are inside the sandbox."""
LENGTH = struct.Struct("!I")
"""Length prefix of each message, in both directions."""
ANSWER_MAX_BYTES = 256 * 1024
START_TIMEOUT_S = 60.0
LOOK_EVERY_S = 0.2
"""Interval at which memory is measured and a request to stop is noticed."""
STOP_ARRIVES_S = 0.5
"""A signal that ends the whole command also ends the sandbox, maybe this long before this process notices."""
PACKAGE = Path(__file__).resolve().parents[1]
LINKS = ("bin", "lib", "lib64")
NO_SECRETS = {"PATH": os.environ.get("PATH", os.defpath)}
"""The environment of bubblewrap itself, which code in the sandbox might read."""


@dataclass(frozen=True)
class SandboxLimits:
    """The limits of a sandboxed process.

    Attributes:
        memory_mb: Address space.
        cpu_s: Total processor time.
        processes: Number of processes and threads, including the first.
        answer_s: Time for one answer.
        held_mb: Memory of every kind, summed over all its processes.
        total_s: Total time spent waiting for the process, including its start, however little it computes.
    """

    memory_mb: int
    cpu_s: int
    processes: int
    answer_s: float
    held_mb: int
    total_s: float


class Aborted(Exception):  # noqa: N818  Nothing is wrong: somebody has ended the scoring.
    """Scoring must stop, so there is no result for the submission."""


class Sandbox:
    """A sandboxed process.

    Args:
        role: `autopilot` or `detector`: selects the function of `brakepoint.room.sandboxed` that runs in the
            sandbox.
        handed_in: The submitted file, which the process works with.
        limits: Limits of the process.
        stopping: Set when scoring must stop.

    Raises:
        Failed: The process did not become ready.
        Aborted: Scoring must stop.
    """

    def __init__(
        self, role: str, handed_in: Path, limits: SandboxLimits, stopping: threading.Event | None = None
    ) -> None:
        inside = WORK / handed_in.name
        program = ["-m", "brakepoint.room.sandboxed", role, str(inside), json.dumps(asdict(limits))]
        self._limits, self._left_s = limits, limits.total_s
        self._stopping = stopping or threading.Event()
        self._allowed_s, self._looked_at = START_TIMEOUT_S, time.monotonic()
        self._group = new_group(limits.held_mb)
        with _filter() as (walls, descriptors):
            command = [*_walls({handed_in.resolve(): inside}), *walls, sys.executable, "-u", *program]
            self._process = subprocess.Popen(
                self._group.entering(command) if self._group else command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=NO_SECRETS,
                pass_fds=descriptors,
                start_new_session=True,  # Keeps the terminal's signals away from the sandbox.
            )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._writing, self._reading = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._writing, False)
        os.set_blocking(self._reading, False)
        try:
            with self._timed() as deadline:
                self._read(deadline)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Kills every process inside immediately."""
        self._process.kill()
        self._process.communicate()
        if self._group is not None:
            self._group.close()

    def ask(self, message: bytes) -> dict[str, Any]:
        """Sends a message and waits for its answer.

        Raises:
            Failed: The answer reports a failure, is missing or is invalid.
            Aborted: Scoring must stop.
        """
        self._allowed_s = self._limits.answer_s
        with self._timed() as deadline:
            self._look()
            self._write(LENGTH.pack(len(message)) + message, deadline)
            return self._read(deadline)

    @contextmanager
    def _timed(self) -> Iterator[float]:
        """Yields the deadline, and subtracts the time spent waiting from the time that is left."""
        began_at = time.monotonic()
        try:
            yield began_at + min(self._allowed_s, self._left_s)
        finally:
            self._left_s -= time.monotonic() - began_at

    def _look(self) -> None:
        """Checks, not too often, that memory is within its limit and that scoring need not stop."""
        if time.monotonic() - self._looked_at < LOOK_EVERY_S:
            return
        if self._stopping.is_set():
            raise Aborted
        if held_mb(self._process.pid) > self._limits.held_mb:
            raise Failed(Failure.MEMORY)
        self._looked_at = time.monotonic()

    def _read(self, deadline: float) -> dict[str, Any]:
        (length,) = LENGTH.unpack(self._take(LENGTH.size, deadline))
        if length > ANSWER_MAX_BYTES:
            raise Failed(Failure.NO_ORDER, f"{length} B")
        try:
            answer = json.loads(self._take(length, deadline))
        except (ValueError, RecursionError) as error:
            raise Failed(Failure.NO_ORDER, str(error)) from error
        if not isinstance(answer, dict):
            raise Failed(Failure.NO_ORDER, type(answer).__name__)
        if "reason" in answer:
            known = {reason.value: reason for reason in Failure}
            said, detail = answer["reason"], answer.get("detail")
            reason = known.get(said, Failure.DIED) if isinstance(said, str) else Failure.DIED
            raise Failed(reason, detail if isinstance(detail, str) else "")
        return answer

    def _take(self, length: int, deadline: float) -> bytes:
        taken = bytearray()
        while len(taken) < length:
            self._wait(self._reading, selectors.EVENT_READ, deadline)
            piece = os.read(self._reading, length - len(taken))
            if not piece:
                raise self._ended()
            taken += piece
        return bytes(taken)

    def _write(self, message: bytes, deadline: float) -> None:
        rest = memoryview(message)
        while rest:
            self._wait(self._writing, selectors.EVENT_WRITE, deadline)
            try:
                rest = rest[os.write(self._writing, rest) :]
            except BrokenPipeError as error:
                raise self._ended() from error

    def _ended(self) -> Exception:
        """Why the process has ended without an answer."""
        if self._stopping.wait(STOP_ARRIVES_S):
            return Aborted()
        overflowed = self._group is not None and self._group.has_overflowed
        return Failed(Failure.MEMORY if overflowed else Failure.DIED)

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, event)
            while not selector.select(min(max(deadline - time.monotonic(), 0.0), LOOK_EVERY_S)):
                self._look()
                if time.monotonic() >= deadline:
                    if self._left_s < self._allowed_s:
                        raise Failed(Failure.TOO_LONG, f"{self._limits.total_s:g} s")
                    raise Failed(Failure.TOO_SLOW, f"{self._allowed_s:g} s")


def require_sandbox(*hidden: Path) -> None:
    """Checks that this machine has a sandbox, and that the sandbox hides the given files.

    Args:
        hidden: Files that must be invisible inside.

    Raises:
        UserError: There is no sandbox, so nothing can be scored, or a hidden file would be visible.
    """
    for path in hidden:
        seen = next((root for root in _shown() if path.resolve().is_relative_to(root)), None)
        if seen is not None:
            raise UserError("room.error.feed_shown", feed=path, folder=seen)
    if shutil.which("bwrap") is None:
        raise UserError("room.error.no_sandbox", why="bwrap")
    with _filter() as (walls, descriptors):
        trial = subprocess.run(
            [*_walls({}), *walls, "/usr/bin/true"],
            capture_output=True,
            text=True,
            cwd="/",
            env=NO_SECRETS,
            pass_fds=descriptors,
        )
    if trial.returncode != 0:
        raise UserError("room.error.no_sandbox", why=" ".join(trial.stderr.split()))


class Protection(StrEnum):
    """A protection that a machine may or may not offer. Texts: `room.protection.{value}`."""

    WALLS = "walls"
    CALLS = "calls"
    NO_CALLS = "no_calls"
    MEMORY_HELD = "memory_held"
    MEMORY_MEASURED = "memory_measured"


def protections() -> tuple[Protection, ...]:
    """The protections that this machine offers, and those that it lacks, given that it has a sandbox."""
    return (
        Protection.WALLS,
        Protection.CALLS if filter_program() else Protection.NO_CALLS,
        Protection.MEMORY_HELD if parent_group() else Protection.MEMORY_MEASURED,
    )


@contextmanager
def _filter() -> Iterator[tuple[list[str], tuple[int, ...]]]:
    """Yields bubblewrap's options for the system call filter, and the file descriptors that they name."""
    program = filter_program()
    if not program:
        yield [], ()
        return
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(program)
        file.seek(0)
        yield ["--seccomp", str(file.fileno())], (file.fileno(),)


def _shown() -> dict[Path, Path]:
    """What is visible inside every sandbox: Python, its libraries, and the kit's package."""
    there = (Path("/usr"), Path(sys.base_prefix), Path(sys.prefix))
    return {path: path for path in there} | {PACKAGE: KIT / PACKAGE.name}


def _walls(handed_in: dict[Path, Path]) -> list[str]:
    """The bubblewrap command that precedes the command to run.

    Args:
        handed_in: Further files that are visible, and where they are inside.
    """
    command = ["bwrap", "--die-with-parent", "--new-session", "--clearenv"]
    command += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if os.getuid() == 0:  # The sandbox becomes user `nobody`, without capabilities, before reading anything.
        command += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    for name in LINKS:
        if Path("/", name).is_symlink():
            command += ["--symlink", f"usr/{name}", f"/{name}"]
        elif Path("/", name).is_dir():
            command += ["--ro-bind", f"/{name}", f"/{name}"]
    for outside, inside in (_shown() | handed_in).items():
        for parent in reversed(inside.parents[:-1]):  # Only root can enter bubblewrap's own folders.
            command += ["--dir", str(parent)]
        command += ["--ro-bind", str(outside), str(inside)]
    for device in ("/dev/null", "/dev/urandom"):
        command += ["--dir", "/dev", "--dev-bind", device, device]
    command += ["--proc", "/proc", "--remount-ro", "/", "--chdir", "/"]
    variables = {
        "HOME": "/",
        "PYTHONPATH": str(KIT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONSAFEPATH": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    for name, value in variables.items():
        command += ["--setenv", name, value]
    return command
