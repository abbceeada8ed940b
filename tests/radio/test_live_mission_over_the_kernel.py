"""The live mission on the radio: the train's side and the guard in the guest, all other services on the host.

Unlike in test_mission_by_radio.py, the guest's clock is the host's: everything runs in real time.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path

import pytest
import typer
from air import ADDRESS, Air
from emulated_hub import EmulatedHub
from machine import Guest

from brakepoint.locomotive import ORDER_POWER
from brakepoint.messages import OrderKind, Reason
from brakepoint.mission.report import REPORT_NAME, Mission, Report
from brakepoint.services import ServiceSettings
from brakepoint.services.faults import Stage
from brakepoint.sockets import free_port
from brakepoint.texts import text
from hardware.hub_guard import BRAKED_WITHIN_S
from hardware.lwp3 import BRAKE, Port

pytestmark = [pytest.mark.live, pytest.mark.alone]

FEED, DETECTOR = "track-stop", "oracle"
TRIES = 3
"""An emulated processor on a busy machine may come too late once; it does not again and again."""
FULL_POWER = ORDER_POWER[OrderKind.FULL_SPEED]
IN_ENGLISH = {**os.environ, "BRAKEPOINT_LANG": "en"}
"""The guest speaks English, too."""
INTERRUPTIONS = (Reason.NO_FRAMES, Reason.NO_TRAIN_STATE, Reason.NO_ORDERS, Reason.BY_HAND)
"""On a busy machine frames or orders may come late: then somebody brakes for a moment, as he should."""
CAREFUL = (OrderKind.LOW_SPEED, Reason.CLEAR)
"""What the controller makes of full speed behind a silence of the orders."""


@pytest.fixture(scope="module")
def train() -> EmulatedHub:
    return EmulatedHub(ADDRESS)


@pytest.fixture(scope="module")
def link() -> str:
    return f"127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def guest(train, link, tmp_path_factory) -> Iterator[Guest]:
    """A guest in which the train's side waits for a controller, and the guard watches it."""
    folder = tmp_path_factory.mktemp("qemu")
    with Air(train, folder / "radio").on():
        guest = Guest(folder, int(link.rpartition(":")[2]))
        try:
            guest.ask("open")  # From now on bluetoothd has its adapter.
            guest.ask("close")
            guest.ask("guard")
            guest.ask("serve")
            guest.await_that(lambda: text("hub.guard.guarding", "en", address=train.address) in guest.log())
            yield guest
        finally:
            guest.end()


@pytest.fixture
def stage(guest, link) -> Iterator[Stage]:
    with Stage(ServiceSettings(feed=FEED, detector=DETECTOR, link=link)) as stage:
        yield stage


def drive(folder: Path, *options: str) -> tuple[Mission, str]:
    """Drives the feed by the command, and returns its report and its output."""
    command = [sys.executable, "-m", "brakepoint", "mission", "--feed", FEED, "--detector", DETECTOR]
    done = subprocess.run(
        [*command, "--out", folder, *options], env=IN_ENGLISH, stdout=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    (mission,) = Report.model_validate_json((folder / REPORT_NAME).read_text("utf-8")).missions
    return mission, done.stdout


def seconds_until_braked(guest: Guest, train: EmulatedHub, stage: Stage, blow: Callable[[], object]) -> float:
    """How long it takes, after a fault at full speed, until the hub has received a brake."""
    stage.begin(FEED)
    guest.await_that(lambda: train.motor == FULL_POWER)
    struck_at_s = time.monotonic()
    blow()
    guest.await_that(lambda: train.is_braked)
    return time.monotonic() - struck_at_s


def meanings(mission: Mission) -> list:
    kept = [order for order in mission.orders if order.reason not in INTERRUPTIONS]
    return once((order.kind, order.reason, order.sign) for order in kept)


def printed(lines: str) -> list[str]:
    """The orders that a hub has printed, without when and where."""
    orders = re.findall(r"cm/s  (.*: .*) \(", lines)
    passing = {text(f"reason.{reason}", "en") for reason in INTERRUPTIONS}
    careful = ": ".join((text(f"order.{CAREFUL[0]}", "en"), text(f"reason.{CAREFUL[1]}", "en")))
    return once(order for order in orders if order.partition(": ")[2] not in passing and order != careful)


def once(orders: Iterable) -> list:
    return [order for order, _ in groupby(orders)]


def test_the_orders_of_a_live_mission_over_the_air_are_those_of_the_printing_hub(
    guest, train, link, tmp_path
):
    live, _ = drive(tmp_path / "live", "--live", "--link", link)
    computed, lines = drive(tmp_path / "computed")

    assert meanings(live) == meanings(computed)
    assert printed(guest.ask("said")) == printed(lines), "what the train's side has heard"
    assert live.ending is computed.ending
    assert train.orders(Port.A).count(BRAKE) > 1, "at the start, before the danger, and at the end"
    assert FULL_POWER in train.orders(Port.A)
    assert train.is_braked


def test_the_train_brakes_when_its_controller_on_the_host_is_killed(guest, train, stage):
    controller = stage.services.pid("controller")
    took_s = seconds_until_braked(guest, train, stage, lambda: os.kill(controller, signal.SIGKILL))
    typer.echo(f"the watchdog has braked {took_s:.2f} s after the kill")

    assert took_s < BRAKED_WITHIN_S


def test_the_guard_stops_the_train_when_the_process_with_its_hub_is_killed(guest, train, stage):
    for _ in range(TRIES):
        took_s = seconds_until_braked(guest, train, stage, lambda: guest.ask("kill"))
        typer.echo(f"the guard has braked {took_s:.2f} s after the kill")
        if took_s < BRAKED_WITHIN_S:
            break
        guest.ask("serve")

    assert took_s < BRAKED_WITHIN_S
