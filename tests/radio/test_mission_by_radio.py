"""The train on the radio, over the real kernel and the real bluetoothd, in a guest that QEMU emulates.

In the guest are the hub's driver and the guard (tests/radio/guest.py). The mission, and the hub with
its radio (tests/radio/air.py), are on the host.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import typer
from air import ADDRESS, Air
from driving import drive, feed
from emulated_hub import EmulatedHub

from brakepoint.messages import Order, TrainState
from brakepoint.mission.loop import OracleDetector, PlainCamera, run_mission
from brakepoint.mission.records import Ending, Run
from solutions.step6_autopilot import step
from stubs.hub_guard import BRAKED_WITHIN_S
from stubs.lwp3 import Port

HERE = Path(__file__).parent
FEED = "track-stop"
BOOT_S = 900.0
ANSWER_S = 600.0
"""An emulated processor is slow, and may have to share a busy one; a guest that hangs fails here."""


class Guest:
    """The guest, and questions to the program in it.

    Args:
        folder: Where `Air` has its socket, `radio`; the guest's log goes there, too.
    """

    def __init__(self, folder: Path) -> None:
        self._log, wire = folder / "guest.log", folder / "wire"
        command = [HERE / "guest", folder / "radio", wire, sys.executable, HERE / "guest.py"]
        with socket.socket(socket.AF_UNIX) as listening, self._log.open("w") as log:
            listening.bind(str(wire))
            listening.listen()
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
            self._wire = self._accept(listening)
        self._lines = self._wire.makefile()
        self._answer("boot", BOOT_S)

    def _accept(self, listening: socket.socket) -> socket.socket:
        listening.settimeout(1)
        until = time.monotonic() + BOOT_S
        while self._process.poll() is None and time.monotonic() < until:
            with suppress(TimeoutError):
                return listening.accept()[0]
        raise AssertionError(f"the guest does not start:\n{self.log()}")

    def ask(self, question: str, *arguments: Any) -> Any:
        """Has a method of guest.py's `Guest` called, and returns its answer."""
        self._wire.sendall(json.dumps([question, *arguments]).encode() + b"\n")
        return self._answer(question, ANSWER_S)

    def _answer(self, question: str, timeout_s: float) -> Any:
        self._wire.settimeout(timeout_s)
        try:
            line = self._lines.readline()
        except TimeoutError:
            line = ""
        assert line, f"the guest does not answer to «{question}»:\n{self.log()}"
        return json.loads(line)

    def log(self) -> str:
        """The end of what the guest has said."""
        return self._log.read_text("utf-8", "replace")[-6000:]

    def end(self) -> None:
        self._wire.close()
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait()


class GuestHub:
    """The hub's driver in the guest, on the host's virtual clock."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        guest.ask("open")

    def apply(self, order: Order) -> None:
        self._guest.ask("apply", order.model_dump(mode="json"))

    def state(self, now: float) -> TrainState:
        return TrainState(**self._guest.ask("state", now))

    def close(self) -> None:
        self._guest.ask("close")


@pytest.fixture(scope="module")
def train() -> EmulatedHub:
    return EmulatedHub(ADDRESS)


@pytest.fixture(scope="module")
def guest(train, tmp_path_factory) -> Iterator[Guest]:
    folder = tmp_path_factory.mktemp("qemu")
    with Air(train, folder / "radio").on():
        guest = Guest(folder)
        yield guest
        guest.end()


def until(guest: Guest, is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + ANSWER_S
    while not is_so():
        assert time.monotonic() < until, f"it did not come to pass:\n{guest.log()}"
        time.sleep(0.005)


def meanings(run: Run) -> list:
    return [meaning for meaning, _ in groupby(tick.order.meaning for tick in run.ticks)]


def test_the_orders_over_the_air_are_those_of_the_printing_hub(guest, train):
    truth = feed(FEED)
    hub = GuestHub(guest)
    run = run_mission(PlainCamera(), hub, OracleDetector(truth), step, truth)
    driven = train.orders(Port.A)
    hub.close()

    assert run.ending is Ending.END_OF_TRACK
    assert meanings(run) == meanings(drive(truth))
    assert {0x7F, 100} <= {*driven}
    assert train.is_braked


def test_the_guard_stops_a_train_whose_driver_was_killed_within_its_limit(guest, train):
    """By the guest's clock, which goes by the instructions that are executed: a slow host does not count."""
    guest.ask("guard")
    guest.ask("drive")
    until(guest, lambda: train.motor == 100 and f"The hub {train.address} is being driven" in guest.log())
    killed_at_s = guest.ask("kill")
    until(guest, lambda: train.is_braked)

    took_s = guest.ask("now") - killed_at_s
    typer.echo(f"the guard has braked {took_s:.2f} s after the kill")

    assert took_s < BRAKED_WITHIN_S
