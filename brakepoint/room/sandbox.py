"""A sandbox for what attendees hand in: bubblewrap around a Python process that is spoken to over a pipe.

Inside there is no network, no other process, nothing that can be written to, and of the files only Python,
the kit's package and what was handed in. Limits of memory, processor time and processes come on top.
Whatever comes out is bytes of at most a stated length, within a stated time.
"""

import json
import os
import selectors
import shutil
import struct
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from brakepoint.errors import UserError
from brakepoint.room.outcomes import Failed, Failure

KIT, WORK = Path("/kit"), Path("/work")
"""Where the kit's package, and what was handed in, lie inside."""
LENGTH = struct.Struct("!I")
"""Stands before each message, in both directions."""
ANSWER_MAX_BYTES = 256 * 1024
START_TIMEOUT_S = 60.0
PACKAGE = Path(__file__).resolve().parents[1]
LINKS = ("bin", "lib", "lib64")
NO_SECRETS = {"PATH": os.environ.get("PATH", os.defpath)}
"""The environment of bubblewrap itself, which somebody inside might read."""


@dataclass(frozen=True)
class SandboxLimits:
    """What a sandboxed process may use.

    Attributes:
        memory_mb: Address space.
        cpu_s: Processor time, altogether.
        processes: Processes and threads, itself among them.
        answer_s: Time for one answer.
    """

    memory_mb: int
    cpu_s: int
    processes: int
    answer_s: float


class Sandbox:
    """A sandboxed process.

    Args:
        role: `autopilot` or `detector`: which function of `brakepoint.room.sandboxed` runs in it.
        handed_in: The file it works with.
        limits: What it may use.

    Raises:
        Failed: It did not get ready.
    """

    def __init__(self, role: str, handed_in: Path, limits: SandboxLimits) -> None:
        inside = WORK / handed_in.name
        program = ["-m", "brakepoint.room.sandboxed", role, str(inside), json.dumps(asdict(limits))]
        self._answer_s, self._allowed_s = limits.answer_s, START_TIMEOUT_S
        self._process = subprocess.Popen(
            [*_walls({handed_in.resolve(): inside}), sys.executable, "-u", *program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=NO_SECRETS,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._writing, self._reading = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._writing, False)
        os.set_blocking(self._reading, False)
        try:
            self._read(time.monotonic() + self._allowed_s)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends everything inside, at once."""
        self._process.kill()
        self._process.communicate()

    def ask(self, message: bytes) -> dict[str, Any]:
        """Sends a message and waits for its answer.

        Raises:
            Failed: The answer says so, or there is none, or it is none.
        """
        self._allowed_s = self._answer_s
        deadline = time.monotonic() + self._allowed_s
        self._write(LENGTH.pack(len(message)) + message, deadline)
        return self._read(deadline)

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
            raise Failed(known.get(str(answer["reason"]), Failure.DIED), str(answer.get("detail", "")))
        return answer

    def _take(self, length: int, deadline: float) -> bytes:
        taken = bytearray()
        while len(taken) < length:
            self._wait(self._reading, selectors.EVENT_READ, deadline)
            piece = os.read(self._reading, length - len(taken))
            if not piece:
                raise Failed(Failure.DIED)
            taken += piece
        return bytes(taken)

    def _write(self, message: bytes, deadline: float) -> None:
        rest = memoryview(message)
        while rest:
            self._wait(self._writing, selectors.EVENT_WRITE, deadline)
            try:
                rest = rest[os.write(self._writing, rest) :]
            except BrokenPipeError as error:
                raise Failed(Failure.DIED) from error

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, event)
            if not selector.select(max(deadline - time.monotonic(), 0.0)):
                raise Failed(Failure.TOO_SLOW, f"{self._allowed_s:g} s")


def require_sandbox(*hidden: Path) -> None:
    """Looks whether there is a sandbox on this machine, and whether it hides what it must.

    Args:
        hidden: Files that nobody inside may see.

    Raises:
        UserError: There is none, so that nothing can be scored, or a hidden file would be seen.
    """
    for path in hidden:
        seen = next((root for root in _shown() if path.resolve().is_relative_to(root)), None)
        if seen is not None:
            raise UserError("room.error.feed_shown", feed=path, folder=seen)
    if shutil.which("bwrap") is None:
        raise UserError("room.error.no_sandbox", why="bwrap")
    trial = subprocess.run(
        [*_walls({}), "/usr/bin/true"], capture_output=True, text=True, cwd="/", env=NO_SECRETS
    )
    if trial.returncode != 0:
        raise UserError("room.error.no_sandbox", why=" ".join(trial.stderr.split()))


def _shown() -> dict[Path, Path]:
    """What everybody inside sees: Python, its libraries, and the kit's package."""
    there = (Path("/usr"), Path(sys.base_prefix), Path(sys.prefix))
    return {path: path for path in there} | {PACKAGE: KIT / PACKAGE.name}


def _walls(handed_in: dict[Path, Path]) -> list[str]:
    """The command before the command.

    Args:
        handed_in: Files that are shown besides, and where.
    """
    command = ["bwrap", "--die-with-parent", "--new-session", "--clearenv"]
    command += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if os.getuid() == 0:  # The process inside becomes nobody before it looks at anything, and keeps no right.
        command += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    for name in LINKS:
        if Path("/", name).is_symlink():
            command += ["--symlink", f"usr/{name}", f"/{name}"]
        elif Path("/", name).is_dir():
            command += ["--ro-bind", f"/{name}", f"/{name}"]
    for outside, inside in (_shown() | handed_in).items():
        for parent in reversed(inside.parents[:-1]):  # What bubblewrap makes by itself only root can enter.
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
