"""Starts the services as processes, waits for all to be ready, restarts dead ones, and leaves no orphans."""

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Self

from brakepoint import extras
from brakepoint.errors import UserError, system_says
from brakepoint.messages import Health
from brakepoint.services import ServiceSettings
from brakepoint.services.bus import HEARTBEAT_S, Bus
from brakepoint.services.clock import CLOCK
from brakepoint.services.topics import STATUS
from brakepoint.sockets import LOCALHOST, free_port
from brakepoint.systems import LIFELINE_VARIABLE, require_posix
from brakepoint.texts import LANGUAGE_VARIABLES, text

READY_WITHIN_S = 90.0
"""How long a silent service may take to start; its report that it is still starting resets the time."""
STARTED_WITHIN_S = 1800.0
"""Upper limit for the start, whatever a service reports: building an engine may take a Jetson 15 minutes."""
LINK_ANSWERS_WITHIN_S = 10.0
"""How long to wait, once all others are ready, for a train's side that is already running."""
STOP_WITHIN_S = 4.0
BACK_OFF_S = (0.5, 8.0)
"""Delay of a restart: initially the first value, doubled with each further death, up to the second."""
LASTED_S = 20.0
"""A service that ran this long has recovered, so the delay of its next restart is the first value again."""
LOOK_EVERY_S = 0.1
HUNG_AFTER_S = 5.0
"""A service that is silent for this long, although the broker delivers messages, is killed and restarted."""
PAUSE_S = 2.5 * HEARTBEAT_S
"""A longer time between two heartbeats counts as a silence."""
NAME = "supervisor"
WRONG_USAGE = 2

OnLine = Callable[[str, str], None]
"""Called with each line of a service's output and the service's name."""


@dataclass
class Child:
    """One service and its current process.

    Attributes:
        name: Name of the service.
        process: The process; None while the service waits to be restarted.
        started_at: When the process was started; this time and the times below are by the monotonic clock.
        due_at: When to restart the service; infinite if another party has to start it.
        back_off_s: Delay of the next restart.
        is_ready: Whether the process has reported that it is ready.
        heard_at: When the last heartbeat came; 0 before the first.
        heard_since: When the first heartbeat after the last silence came.
        starting_at: When the process last reported that it is still starting.
    """

    name: str
    process: subprocess.Popen[str] | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    back_off_s: float = BACK_OFF_S[0]
    is_ready: bool = False
    heard_at: float = 0.0
    heard_since: float = 0.0
    starting_at: float = 0.0

    def hear(self, now: float) -> None:
        """Records a heartbeat."""
        if now - self.heard_at > PAUSE_S:
            self.heard_since = now
        self.heard_at, self.is_ready = now, True

    def hear_starting(self, now: float) -> None:
        """Records that the service is still starting, unless the start has taken too long."""
        if now - self.started_at < STARTED_WITHIN_S:
            self.starting_at = now

    def is_hung(self, witness: "Child | None", now: float) -> bool:
        """Whether the service has been silent too long, although its witness was not.

        Args:
            witness: The service through which this one is heard; None if there is no such service.
            now: Current time by the monotonic clock.
        """
        if self.process is None:
            return False
        heard, since = (witness.heard_at, witness.heard_since) if witness else (now, 0.0)
        silent_s = heard - max(self.heard_at, self.started_at, self.starting_at, since)
        return silent_s > (HUNG_AFTER_S if self.is_ready else READY_WITHIN_S)


class Supervisor:
    """Runs services for the duration of a `with` block.

    Args:
        settings: Settings for all services. Without a broker, the embedded one is started, too; with a link,
            the train's side is not started: it is already running, perhaps on another machine.
        names: Names of the services.
        tell: Called with the services' output.
        interrupted: Returns True when waiting for the services to become ready should stop.

    Attributes:
        settings: The settings, with the chosen ports.

    Raises:
        UserError: A service cannot start, for a reason that it has logged.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        names: Iterable[str],
        tell: OnLine,
        interrupted: Callable[[], bool] = bool,
    ) -> None:
        require_posix("brakepoint up")
        extras.require("live")
        self.settings, self._on_line = _with_ports(settings), tell
        # On one machine, all services can share one clock that is never set.
        self._clock = {} if settings.broker or settings.link else CLOCK.hold()
        self._children = {name: Child(name) for name in ([] if settings.broker else ["broker"]) + list(names)}
        if settings.link and "train" in self._children:
            self._children["train"].due_at = math.inf  # The supervisor only waits for the train.
        self._echo = self._children.get("broker") or Child("broker")
        self._looked_at = time.monotonic()
        self._interrupted = interrupted
        self._stopping = threading.Event()
        self._failed: str | None = None
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._bus = Bus(self.settings.of_each_train[0], NAME, (STATUS,))

    def __enter__(self) -> Self:
        try:
            for child in self._children.values():
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
        """Process id of a service; 0 while it has no process."""
        child = self._children[name]
        return child.process.pid if child.process is not None and child.process.poll() is None else 0

    def launch(self, name: str) -> tuple[list[str], dict[str, str]]:
        """The command line and the environment of a service."""
        command = [sys.executable, "-m", "brakepoint", "service", name]
        return command, {**os.environ, **self.settings.environment(), **self._clock}

    def stop(self) -> None:
        """Stops every service, the broker last; those that do not respond are killed. May be called twice."""
        self._stopping.set()
        if self._watcher.is_alive():
            self._watcher.join()
        self._bus.close()
        broker = {"broker"} & self._children.keys()
        for group in (self._children.keys() - broker, broker):
            processes = [self._children[name].process for name in group]
            running = [process for process in processes if process is not None]
            for process in running:
                process.terminate()
            until = time.monotonic() + STOP_WITHIN_S
            for process in running:
                _end(process, until)

    def _start(self, child: Child) -> None:
        child.started_at = time.monotonic()
        child.is_ready, child.heard_at, child.starting_at = False, 0.0, 0.0
        if child.due_at == math.inf:
            return
        command, environment = self.launch(child.name)
        child.process = subprocess.Popen(
            command,
            env={
                **environment,
                LIFELINE_VARIABLE: "1",
                **{name: os.environ[name] for name in LANGUAGE_VARIABLES if name in os.environ},
                "PYTHONUNBUFFERED": "1",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",  # A driver may write anything, and a service whose pipe nobody reads hangs.
            start_new_session=True,  # Ctrl-C is for the supervisor, which stops the services in order.
        )
        threading.Thread(target=self._listen, args=(child.name, child.process), daemon=True).start()

    def _restart(self, child: Child) -> None:
        """Restarts a service; if it died because memory ran out, the system may still be out of memory."""
        try:
            self._start(child)
        except (OSError, UserError) as error:
            child.due_at = time.monotonic() + BACK_OFF_S[1]
            why = system_says(error) if isinstance(error, OSError) else error
            self._tell(child.name, text("live.log.not_started", why=why, seconds=BACK_OFF_S[1]))

    def _listen(self, name: str, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._tell(name, line.rstrip())

    def _tell(self, name: str, line: str) -> None:
        """Reports a line; neither a full disk nor a closed terminal may end the watch or block a pipe."""
        with suppress(OSError, ValueError, SystemExit):  # Rich raises SystemExit if a pipe was closed.
            self._on_line(name, line)

    def _watch(self) -> None:
        self._bus.ready()
        while not self._stopping.wait(LOOK_EVERY_S):
            now = time.monotonic()
            self._listen_to_all(now)
            for child in self._children.values():
                if child.process is None:
                    if now >= child.due_at:
                        self._restart(child)
                elif child.process.poll() is not None:
                    self._bury(child, child.process)
                elif child.is_hung(self._witness(child), now):
                    self._tell(child.name, text("live.log.hung"))
                    child.process.kill()

    def _listen_to_all(self, now: float) -> None:
        """Records every heartbeat, even the supervisor's own: if it hears itself, it can hear the others."""
        if now - self._looked_at > PAUSE_S:  # After a sleep of its own, elapsed time proves nothing.
            for child in (self._echo, *self._children.values()):
                child.heard_at = child.heard_since = now
        self._looked_at = now
        self._bus.beat()
        while (status := self._bus.take(STATUS)) is not None:
            heard = self._echo if status.service == NAME else self._children.get(status.service)
            if heard is None or CLOCK.now() - status.at > now - heard.started_at:
                continue  # From the previous process. Ages are compared: the clock may have been set since.
            if status.health is Health.READY:
                heard.hear(now)
            elif status.health is Health.STARTING:
                heard.hear_starting(now)

    def _witness(self, child: Child) -> Child | None:
        if child is self._echo:
            return None
        return self._children.get("controller") if child.name == "train" else self._echo

    def _bury(self, child: Child, process: "subprocess.Popen[str]") -> None:
        """Decides when to restart a dead service; after a usage error, it is never restarted."""
        _end(process, 0.0)
        now = time.monotonic()
        lived_s = now - child.started_at
        child.is_ready, child.started_at = False, now  # Heartbeats still on their way count as old.
        if process.returncode == WRONG_USAGE:
            self._failed = child.name
            child.process, child.due_at = None, math.inf
            return
        child.back_off_s = BACK_OFF_S[0] if lived_s > LASTED_S else min(2 * child.back_off_s, BACK_OFF_S[1])
        child.process, child.due_at = None, now + child.back_off_s
        self._tell(child.name, text("live.log.died", seconds=child.back_off_s))

    def _wait_until_ready(self) -> None:
        until, link_until = time.monotonic() + READY_WITHIN_S, math.inf
        while waiting := [child.name for child in self._children.values() if not child.is_ready]:
            if self._failed:
                raise UserError("live.error.failed", service=self._failed)
            if self._interrupted():
                return
            awaits_link = waiting == ["train"] and self._children["train"].due_at == math.inf
            if not awaits_link:  # Without the other services (one may have died), the link isn't heard.
                link_until = math.inf
            elif link_until == math.inf:
                link_until = time.monotonic() + LINK_ANSWERS_WITHIN_S
            if time.monotonic() > link_until:
                raise UserError("live.error.link_silent", link=self.settings.link)
            started_at = max(self._children[name].starting_at for name in waiting)
            if time.monotonic() > max(until, started_at + READY_WITHIN_S):
                raise UserError("live.error.not_ready", services=", ".join(sorted(waiting)))
            time.sleep(LOOK_EVERY_S)


def _end(process: "subprocess.Popen[str]", until: float) -> None:
    try:
        process.wait(max(until - time.monotonic(), 0.0))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with suppress(ProcessLookupError):  # Some library may have forked helpers.
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()


def _with_ports(settings: ServiceSettings) -> ServiceSettings:
    """The settings, with free local ports for the link and the broker if they have none."""
    link, broker = (f"{LOCALHOST}:{free_port()}" for _ in range(2))
    return replace(settings, link=settings.link or link, broker=settings.broker or f"mqtt://{broker}")
