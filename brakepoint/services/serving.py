"""The loop that every service on the broker runs."""

import os
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Protocol

import typer

from brakepoint.messages import Action, Control, Fault, MissionState
from brakepoint.services.bus import HEARTBEAT_S, Bus
from brakepoint.services.topics import CONTROL
from brakepoint.texts import text

HANGS = {
    "detector": Fault.DETECTOR_HANGS,
    "autopilot": Fault.AUTOPILOT_HANGS,
    "controller": Fault.CONTROLLER_HANGS,
}

HEARTBEAT_VARIABLE = "BRAKEPOINT_HEARTBEAT"
"""Names the file that a service touches while it works; a probe looks how old it is."""


class Part(Protocol):
    """What is particular to a service."""

    def turn(self) -> None:
        """Does one piece of work, or waits for it a fraction of a second."""

    def control(self, control: Control) -> None:
        """Answers what a person asks for."""

    def close(self) -> None:
        """Lets go of what it holds."""


def serve(part: Part, bus: Bus, stopping: threading.Event) -> None:
    """Turns a part until it is to stop: hears what people ask, works, and says that it lives."""
    with closing(part):
        bus.ready()
        tell("ready")
        heartbeat = Heartbeat()
        while not stopping.is_set():
            heartbeat.beat()
            while (control := bus.take(CONTROL)) is not None:
                if control.fault is not None and control.fault is HANGS.get(bus.service):
                    tell("hangs", seconds=control.seconds)
                    stopping.wait(control.seconds)
                part.control(control)
            part.turn()
            bus.beat()


class Heartbeat:
    """Touches the file that `BRAKEPOINT_HEARTBEAT` names, about once a second: one that hangs does not."""

    def __init__(self) -> None:
        path = os.environ.get(HEARTBEAT_VARIABLE)
        self._path = Path(path) if path else None
        self._due = 0.0

    def beat(self) -> None:
        """To be called at every turn of a loop."""
        now = time.monotonic()
        if self._path is not None and now >= self._due:
            self._path.touch()
            self._due = now + HEARTBEAT_S


def tell(key: str, **values: object) -> None:
    """Says in the log what a person might want to know: the text `live.log.{key}`."""
    typer.echo(text(f"live.log.{key}", None, **values))


def is_fault(control: Control, *faults: Fault) -> bool:
    """Whether somebody asks for one of these faults."""
    return control.action is Action.FAULT and control.fault in faults


def since(mission: MissionState | None) -> float:
    """What is older than this does not count: it belongs to an earlier run."""
    return mission.since if mission is not None else 0.0


class Pace:
    """Makes a loop turn at a constant rate; after a delay it goes on from there, without catching up.

    Args:
        rate_hz: Turns in a second.
    """

    def __init__(self, rate_hz: float) -> None:
        self._period_s = 1 / rate_hz
        self._due = time.monotonic()

    def wait(self) -> None:
        """Waits until the next turn is due."""
        self._due = max(self._due + self._period_s, time.monotonic())
        time.sleep(max(self._due - time.monotonic(), 0.0))
