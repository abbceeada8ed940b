"""The train on the radio, over the real kernel and the real bluetoothd, in a guest that QEMU emulates.

In the guest are the hub's driver and the guard (tests/radio/guest.py). The mission, and the hub with
its radio (tests/radio/air.py), are on the host.
"""

from collections.abc import Iterator
from itertools import groupby

import pytest
import typer
from air import ADDRESS, Air
from driving import drive, feed
from emulated_hub import EmulatedHub
from machine import Guest

from brakepoint.messages import Order, TrainState
from brakepoint.mission.loop import OracleDetector, PlainCamera, run_mission
from brakepoint.mission.records import Ending, Run
from brakepoint.texts import text
from hardware.hub_guard import BRAKED_WITHIN_S
from hardware.lwp3 import BRAKE, Port, SetValue
from solutions.step6_autopilot import step

FEED = "track-stop"
DRIVEN, BRAKED = (text(f"hub.guard.{key}", "en", address=ADDRESS) for key in ("guarding", "braked"))
"""What the guard says."""
LOOK_AGAIN_S = 2.0
"""Four times the pause between two orders to the motor."""


class GuestHub:
    """The hub's driver in the guest, on the host's virtual clock."""

    is_simulated = False

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


@pytest.fixture(scope="module")
def guarded(guest) -> Guest:
    """The same, with a guard that watches its driver; each test may be the first."""
    guest.ask("guard")
    return guest


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


def test_the_guard_stops_a_train_whose_driver_was_killed_within_its_limit(guarded, train):
    """By the guest's clock, which counts executed instructions, so a slow host does not matter."""
    took_s = seconds_until_braked(guarded, train, "kill")
    typer.echo(f"the guard has braked {took_s:.2f} s after the kill")

    assert took_s < BRAKED_WITHIN_S


def test_a_train_whose_driver_hangs_stays_braked_and_the_guard_reports_it_correctly(guarded, train):
    """The hung driver's radio still works: it brakes first, and does not start the train again."""
    braked = guarded.times_said(BRAKED)
    took_s = seconds_until_braked(guarded, train, "hang")
    typer.echo(f"the driver's radio has braked {took_s:.2f} s after its loop hung")
    written = len(train.written)
    guarded.await_that(lambda: guarded.times_said(BRAKED) > braked)
    said_at_s = guarded.ask("now")
    guarded.await_that(lambda: guarded.ask("now") > said_at_s + LOOK_AGAIN_S)
    guarded.ask("kill")

    orders = [order for order in train.written[written:] if isinstance(order, SetValue)]
    assert took_s < BRAKED_WITHIN_S
    assert {order.value for order in orders if order.port == Port.A} <= {BRAKE}
    assert train.is_braked


def test_a_sign_of_life_that_vanishes_with_its_driver_is_silence_to_the_guard(guarded, train):
    braked = guarded.times_said(BRAKED)
    took_s = seconds_until_braked(guarded, train, "kill_with_its_sign_of_life")
    typer.echo(f"the guard has braked {took_s:.2f} s after driver and sign of life were gone")

    assert took_s < BRAKED_WITHIN_S
    guarded.await_that(lambda: guarded.times_said(BRAKED) > braked)
    assert train.is_braked


def seconds_until_braked(guest: Guest, train: EmulatedHub, blow: str) -> float:
    """Starts a driver that the guard watches, and returns how long after a fault the train is braked."""
    on_duty = guest.times_said(DRIVEN)
    guest.ask("drive")
    guest.await_that(lambda: train.motor == 100 and guest.times_said(DRIVEN) > on_duty)
    struck_at_s = guest.ask(blow)
    guest.await_that(lambda: train.is_braked)
    return guest.ask("now") - struck_at_s
