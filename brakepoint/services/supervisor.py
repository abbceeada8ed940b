"""Starts the services as processes, waits until all are ready, starts again what dies, leaves no orphan."""

import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Self

from brakepoint.errors import UserError
from brakepoint.messages import Health
from brakepoint.services import LIFELINE_VARIABLE, Settings, require_packages
from brakepoint.services.bus import Bus
from brakepoint.services.topics import STATUS
from brakepoint.texts import language, text

READY_WITHIN_S = 90.0
STOP_WITHIN_S = 4.0
BACK_OFF_S = (0.5, 8.0)
"""A service that died is started again after the first, then ever later until the second."""
LASTED_S = 20.0
"""Who lived this long has recovered, and is started again at once the next time."""
LOOK_EVERY_S = 0.1
WRONG_USAGE = 2

Tell = Callable[[str, str], None]
"""Is told each line that a service says, with the service's name."""


@dataclass
class Child:
    """One service and the process that it is at present."""

    name: str
    process: subprocess.Popen[str] | None = None
    started_at: float = 0.0
    back_off_s: float = BACK_OFF_S[0]
    due_at: float = field(default=0.0)


class Supervisor:
    """Runs services from `with` to the end of the block.

    Args:
        settings: For all of them. Without a broker the embedded one is started, too.
        names: Which services.
        tell: Is told what they say.
        interrupted: Says whether to wait no longer until all are ready.

    Attributes:
        settings: As above, with the ports that were chosen.

    Raises:
        UserError: A service cannot start, for a reason that it has told.
    """

    def __init__(
        self, settings: Settings, names: Iterable[str], tell: Tell, interrupted: Callable[[], bool] = bool
    ) -> None:
        require_packages()
        self.settings, self._tell = _with_ports(settings), tell
        self._children = [Child(name) for name in ([] if settings.broker else ["broker"]) + list(names)]
        self._interrupted = interrupted
        self._stopping = threading.Event()
        self._failed: str | None = None
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        try:
            for child in self._children:
                self._start(child)
            self._watcher.start()
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def pid(self, name: str) -> int:
        """The process that a service is at present; 0 while it is none."""
        child = next(child for child in self._children if child.name == name)
        return child.process.pid if child.process is not None and child.process.poll() is None else 0

    def launch(self, name: str) -> tuple[list[str], dict[str, str]]:
        """The command line and the environment of a service."""
        command = [sys.executable, "-m", "brakepoint", "service", name]
        return command, {**os.environ, **self.settings.environment()}

    def stop(self) -> None:
        """Ends every service, the broker last; one that does not listen is killed. May be called twice."""
        self._stopping.set()
        if self._watcher.is_alive():
            self._watcher.join()
        broker = [child for child in self._children if child.name == "broker"]
        for group in ([child for child in self._children if child not in broker], broker):
            running = [child.process for child in group if child.process is not None]
            for process in running:
                process.terminate()
            until = time.monotonic() + STOP_WITHIN_S
            for process in running:
                _end(process, until)

    def _start(self, child: Child) -> None:
        child.started_at = time.monotonic()
        command, environment = self.launch(child.name)
        child.process = subprocess.Popen(
            command,
            env={
                **environment,
                LIFELINE_VARIABLE: "1",
                "BRAKEPOINT_LANG": language(),
                "PYTHONUNBUFFERED": "1",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # Ctrl-C is for the one who started them: it stops them in order.
        )
        threading.Thread(target=self._listen, args=(child.name, child.process), daemon=True).start()

    def _listen(self, name: str, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._tell(name, line.rstrip())

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            for child in self._children:
                if child.process is None:
                    if time.monotonic() >= child.due_at:
                        self._start(child)
                elif child.process.poll() is not None:
                    self._bury(child, child.process)

    def _bury(self, child: Child, process: "subprocess.Popen[str]") -> None:
        """Decides when to start a dead service again; one that was used wrongly never."""
        _end(process, 0.0)
        if process.returncode == WRONG_USAGE:
            self._failed = child.name
            child.process, child.due_at = None, math.inf
            return
        lived_s = time.monotonic() - child.started_at
        child.back_off_s = BACK_OFF_S[0] if lived_s > LASTED_S else min(2 * child.back_off_s, BACK_OFF_S[1])
        child.process, child.due_at = None, time.monotonic() + child.back_off_s
        self._tell(child.name, text("live.log.died", seconds=child.back_off_s))

    def _wait_until_ready(self) -> None:
        waiting = {child.name for child in self._children} - {"broker"}
        until = time.monotonic() + READY_WITHIN_S
        with Bus(self.settings.broker, self.settings.train_id, "", (STATUS,)) as bus:
            while waiting:
                if self._failed:
                    raise UserError("live.error.failed", service=self._failed)
                if self._interrupted():
                    return
                if time.monotonic() > until:
                    raise UserError("live.error.not_ready", services=", ".join(sorted(waiting)))
                status = bus.take(STATUS, LOOK_EVERY_S)
                if status is not None and status.health is Health.READY:
                    waiting.discard(status.service)


def _end(process: "subprocess.Popen[str]", until: float) -> None:
    try:
        process.wait(max(until - time.monotonic(), 0.0))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with suppress(ProcessLookupError):  # Some library may have forked helpers of its own.
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()


def _with_ports(settings: Settings) -> Settings:
    """The settings with free ports of this machine for the link and the embedded broker."""
    link, broker = (f"127.0.0.1:{free_port()}" for _ in range(2))
    return replace(settings, link=link, broker=settings.broker or f"mqtt://{broker}")


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
