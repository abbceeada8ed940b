"""Starts the services as processes, waits until all are ready, starts again what dies, leaves no orphan."""

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
from brakepoint.errors import UserError
from brakepoint.messages import Health
from brakepoint.services import LIFELINE_VARIABLE, ServiceSettings
from brakepoint.services.bus import HEARTBEAT_S, Bus
from brakepoint.services.clock import CLOCK
from brakepoint.services.topics import STATUS
from brakepoint.sockets import LOCALHOST, free_port
from brakepoint.systems import require_posix
from brakepoint.texts import language, text

READY_WITHIN_S = 90.0
"""A service that says nothing has so long to start; one that says that it is still starting, from then on."""
STARTED_WITHIN_S = 1800.0
"""So long at most, whatever it says: a Jetson may build an engine for a quarter of an hour."""
LINK_ANSWERS_WITHIN_S = 10.0
"""Once all others are ready, a train's side that runs already has so long to be heard."""
STOP_WITHIN_S = 4.0
BACK_OFF_S = (0.5, 8.0)
"""A service that died is started again after the first, then ever later until the second."""
LASTED_S = 20.0
"""Who lived this long has recovered, and is started again at once the next time."""
LOOK_EVERY_S = 0.1
HUNG_AFTER_S = 5.0
"""A service that was silent for so long, though it would have been heard, is ended and started again."""
PAUSE_S = 2.5 * HEARTBEAT_S
"""Longer between two heartbeats is a silence."""
NAME = "supervisor"
WRONG_USAGE = 2

TellLine = Callable[[str, str], None]
"""Is told each line that a service says, with the service's name."""


@dataclass
class Child:
    """One service and the process that it is at present.

    Attributes:
        name: Which service.
        process: None while it waits to be started again.
        started_at: When it was started; this time and those below are of the monotonic clock.
        started_wall_s: The same on the clock of the messages: an older heartbeat is of the process before.
        due_at: When it is to be started again; never, if that is for somebody else to do.
        back_off_s: How long it has to wait next time.
        is_ready: Whether this process has said that it is.
        heard_at: Its last heartbeat; 0 before the first.
        heard_since: The first heartbeat behind the last silence.
        starting_at: When it has last said that it is still starting.
    """

    name: str
    process: subprocess.Popen[str] | None = None
    started_at: float = 0.0
    started_wall_s: float = 0.0
    due_at: float = 0.0
    back_off_s: float = BACK_OFF_S[0]
    is_ready: bool = False
    heard_at: float = 0.0
    heard_since: float = 0.0
    starting_at: float = 0.0

    def hear(self, now: float) -> None:
        """Takes note of a heartbeat."""
        if now - self.heard_at > PAUSE_S:
            self.heard_since = now
        self.heard_at, self.is_ready = now, True

    def hear_starting(self, now: float) -> None:
        """Takes note that it is still starting, unless it has been for too long."""
        if now - self.started_at < STARTED_WITHIN_S:
            self.starting_at = now

    def is_hung(self, witness: "Child | None", now: float) -> bool:
        """Whether it has been silent too long, all the while that its witness would have heard it.

        Args:
            witness: Through whom it is heard; None for the clock, which is always there.
            now: On the monotonic clock.
        """
        if self.process is None:
            return False
        heard, since = (witness.heard_at, witness.heard_since) if witness else (now, 0.0)
        silent_s = heard - max(self.heard_at, self.started_at, self.starting_at, since)
        return silent_s > (HUNG_AFTER_S if self.is_ready else READY_WITHIN_S)


class Supervisor:
    """Runs services from `with` to the end of the block.

    Args:
        settings: For all of them. Without a broker the embedded one is started, too; with a link, the train
            is not: its side runs already, perhaps on another machine.
        names: Which services.
        tell: Is told what they say.
        interrupted: Says whether to wait no longer until all are ready.

    Attributes:
        settings: As above, with the ports that were chosen.

    Raises:
        UserError: A service cannot start, for a reason that it has told.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        names: Iterable[str],
        tell: TellLine,
        interrupted: Callable[[], bool] = bool,
    ) -> None:
        require_posix("brakepoint up")
        extras.require("live")
        self.settings, self._tell = _with_ports(settings), tell
        # On one machine, all can go by one clock that nobody sets.
        self._clock = {} if settings.broker or settings.link else CLOCK.hold()
        self._children = {name: Child(name) for name in ([] if settings.broker else ["broker"]) + list(names)}
        if settings.link and "train" in self._children:
            self._children["train"].due_at = math.inf  # It is waited for, but never started.
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
        """The process that a service is at present; 0 while it is none."""
        child = self._children[name]
        return child.process.pid if child.process is not None and child.process.poll() is None else 0

    def launch(self, name: str) -> tuple[list[str], dict[str, str]]:
        """The command line and the environment of a service."""
        command = [sys.executable, "-m", "brakepoint", "service", name]
        return command, {**os.environ, **self.settings.environment(), **self._clock}

    def stop(self) -> None:
        """Ends every service, the broker last; one that does not listen is killed. May be called twice."""
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
        child.started_at, child.started_wall_s = time.monotonic(), CLOCK.now()
        child.is_ready, child.heard_at, child.starting_at = False, 0.0, 0.0
        if child.due_at == math.inf:
            return
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
        self._bus.ready()
        while not self._stopping.wait(LOOK_EVERY_S):
            now = time.monotonic()
            self._listen_to_all(now)
            for child in self._children.values():
                if child.process is None:
                    if now >= child.due_at:
                        self._start(child)
                elif child.process.poll() is not None:
                    self._bury(child, child.process)
                elif child.is_hung(self._witness(child), now):
                    self._tell(child.name, text("live.log.hung"))
                    child.process.kill()

    def _listen_to_all(self, now: float) -> None:
        """Takes note of every heartbeat, the own one included: who hears himself hears the others, too."""
        if now - self._looked_at > PAUSE_S:  # Who slept himself judges nobody by it.
            for child in (self._echo, *self._children.values()):
                child.heard_at = child.heard_since = now
        self._looked_at = now
        self._bus.beat()
        while (status := self._bus.take(STATUS)) is not None:
            heard = self._echo if status.service == NAME else self._children.get(status.service)
            if heard is None or status.at < heard.started_wall_s:
                continue
            if status.health is Health.READY:
                heard.hear(now)
            elif status.health is Health.STARTING:
                heard.hear_starting(now)

    def _witness(self, child: Child) -> Child | None:
        if child is self._echo:
            return None
        return self._children.get("controller") if child.name == "train" else self._echo

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
        until, link_until = time.monotonic() + READY_WITHIN_S, math.inf
        while waiting := [child.name for child in self._children.values() if not child.is_ready]:
            if self._failed:
                raise UserError("live.error.failed", service=self._failed)
            if self._interrupted():
                return
            awaits_link = waiting == ["train"] and self._children["train"].due_at == math.inf
            if not awaits_link:  # Also where another has died meanwhile: no link would be heard.
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
    with suppress(ProcessLookupError):  # Some library may have forked helpers of its own.
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()


def _with_ports(settings: ServiceSettings) -> ServiceSettings:
    """The settings with free ports of this machine for a link and a broker of one's own."""
    link, broker = (f"{LOCALHOST}:{free_port()}" for _ in range(2))
    return replace(settings, link=settings.link or link, broker=settings.broker or f"mqtt://{broker}")
