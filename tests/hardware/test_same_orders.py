"""Every feed, driven once with the printing hub and once with a hub on the radio: the orders are the same."""

from itertools import groupby

import pytest
from driving import drive, feed
from emulated_hub import PATIENT, EmulatedHub
from patience import PATIENCE_S

from brakepoint.messages import Order, OrderKind, TrainState
from brakepoint.mission.loop import OracleDetector, PlainCamera, run_mission
from brakepoint.mission.records import Ending, Run
from brakepoint.mission.scoring import score_run
from brakepoint.scenery.scenario import SCENARIOS_DIR
from hardware.ble_hub import BluetoothHub
from hardware.heartbeat import Heartbeat
from hardware.lwp3 import BRAKE, Port
from solutions.step6_autopilot import step

FEEDS = sorted(path.stem for path in SCENARIOS_DIR.glob("*.yaml"))


class Unhurried:
    """A hub on a virtual clock: time advances when the radio has delivered an order."""

    is_simulated = False

    def __init__(self, hub: BluetoothHub) -> None:
        self._hub = hub

    def apply(self, order: Order) -> None:
        self._hub.apply(order)
        assert self._hub.wait_until_settled(PATIENCE_S)

    def state(self, now: float) -> TrainState:
        return self._hub.state(now)

    def close(self) -> None:
        self._hub.close()


def meanings(run: Run) -> list:
    return [meaning for meaning, _ in groupby(tick.order.meaning for tick in run.ticks)]


def stops(motor: list) -> list[bool]:
    """Whether the train was braked, phase by phase; its speeds in between do not count."""
    return [is_braked for is_braked, _ in groupby(value == BRAKE for value in motor)]


@pytest.mark.parametrize("name", FEEDS)
def test_a_feed_is_driven_with_the_same_orders(bluez, tmp_path, name):
    truth = feed(name)
    train = bluez.add(EmulatedHub())
    hub = BluetoothHub(out=None, limits=PATIENT, heartbeat=Heartbeat(tmp_path / "beat"))
    try:
        by_radio = run_mission(PlainCamera(), Unhurried(hub), OracleDetector(truth), step, truth)
    finally:
        hub.close()
    printed = drive(truth)

    assert by_radio.ending is Ending.END_OF_TRACK
    assert meanings(by_radio) == meanings(printed)
    assert score_run(by_radio, truth).score == score_run(printed, truth).score
    ordered = [BRAKE if tick.order.kind is OrderKind.BRAKE else tick.order.kind for tick in by_radio.ticks]
    assert stops(train.hub.orders(Port.A)) == stops([BRAKE, *ordered, BRAKE])
