"""The loop that every service on the broker runs."""

import os
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import typer

from brakepoint.errors import UserError
from brakepoint.messages import Action, Control, Detections, Fault, MissionState
from brakepoint.services import tell
from brakepoint.services.bus import HEARTBEAT_S, Bus
from brakepoint.services.clock import CLOCK
from brakepoint.services.topics import CONTROL, QUEUE

CONTROL_AGE_MAX_S = 5.0
"""A person's request older than this is ignored, unless it is a stop, which is obeyed however late."""
LATE_MAX_S = 1.0
"""A replica that hands over a train gives its last answer within this time."""
BROKE_DOWN = 1
"""Exit status of a service that must be restarted."""

HANGS = {
    "detector": Fault.DETECTOR_HANGS,
    "autopilot": Fault.AUTOPILOT_HANGS,
    "controller": Fault.CONTROLLER_HANGS,
}

HEARTBEAT_VARIABLE = "BRAKEPOINT_HEARTBEAT"
"""Variable with the file that a service touches while it works; a probe checks the file's age."""


class Part(Protocol):
    """The work in the loop that is specific to a service."""

    def turn(self) -> None:
        """Does one piece of work, or waits a fraction of a second for one."""

    def control(self, control: Control) -> None:
        """Handles a person's request."""

    def close(self) -> None:
        """Releases the part's resources."""


def serve(part: Part, bus: Bus, stopping: threading.Event) -> None:
    """Runs a part until it is stopped: handles requests, works, and publishes heartbeats.

    Raises:
        typer.Exit: The part broke down and has logged why: it must be restarted.
    """
    with closing(part):
        bus.ready()
        tell("ready")
        heartbeat, heard = ProbeFile(), deque[Control](maxlen=QUEUE)
        try:
            while not stopping.is_set():
                _hear_people(part, bus, stopping, heard)
                part.turn()
                bus.beat()
                heartbeat.beat()
        except UserError as error:
            tell("trouble", why=error)
            raise typer.Exit(BROKE_DOWN) from error


@contextmanager
def still_starting(buses: Sequence[Bus]) -> Iterator[None]:
    """Reports that a service is still starting, so that the supervisor keeps waiting."""
    done = threading.Event()

    def say_so() -> None:
        while not done.wait(HEARTBEAT_S):
            for bus in buses:
                bus.beat()

    saying = threading.Thread(target=say_so, daemon=True)
    saying.start()
    try:
        yield
    finally:
        done.set()
        saying.join()


def _hear_people(part: Part, bus: Bus, stopping: threading.Event, heard: deque[Control]) -> None:
    while (control := bus.take(CONTROL)) is not None:
        if control in heard:
            continue  # Delivered twice: the connection was lost before the acknowledgement arrived.
        heard.append(control)
        is_late = abs(CLOCK.now() - control.at) > CONTROL_AGE_MAX_S
        if is_late and control.action is not Action.STOP:
            bus.refuse(CONTROL)
            continue
        if control.fault is not None and control.fault is HANGS.get(bus.service):
            tell("hangs", seconds=control.seconds)
            stopping.wait(control.seconds)
        part.control(control)


class ProbeFile:
    """Touches the file named by `BRAKEPOINT_HEARTBEAT` about once a second, unless the service hangs."""

    def __init__(self) -> None:
        path = os.environ.get(HEARTBEAT_VARIABLE)
        self._path = Path(path) if path else None
        self._due = 0.0

    def beat(self) -> None:
        """Touches the file if that is due; must be called in every turn of a loop."""
        now = time.monotonic()
        if self._path is not None and now >= self._due:
            self._path.touch()
            self._due = now + HEARTBEAT_S


def is_fault(control: Control, *faults: Fault) -> bool:
    """Whether one of these faults is requested."""
    return control.action is Action.FAULT and control.fault in faults


def since(mission: MissionState | None) -> float:
    """When the run began: older messages do not count, since they belong to an earlier run."""
    return mission.since if mission is not None else 0.0


def is_late(seen: Detections, last: Detections | None) -> bool:
    """Whether this frame, or a newer one, has already been answered.

    While a train is handed over, two replicas of the detector may answer. An answer that is much older does
    not count as late: it means that the camera's clock was set back.
    """
    return last is not None and 0.0 <= last.captured_at - seen.captured_at < LATE_MAX_S


class Pace:
    """Makes a loop run at a constant rate; after a delay, the loop does not catch up.

    Args:
        rate_hz: Turns per second.
    """

    def __init__(self, rate_hz: float) -> None:
        self._period_s = 1 / rate_hz
        self._due = time.monotonic()

    def wait(self) -> None:
        """Waits until the next turn is due."""
        self._due = max(self._due + self._period_s, time.monotonic())
        time.sleep(max(self._due - time.monotonic(), 0.0))
