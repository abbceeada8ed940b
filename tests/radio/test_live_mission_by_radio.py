"""`brakepoint mission --live --hub ble:`: all services as processes, and an emulated hub on a fake BlueZ."""

from itertools import groupby

import pytest
from driving import drive
from emulated_hub import EmulatedHub

from brakepoint.feeds import find_feed
from brakepoint.messages import Reason
from brakepoint.mission.records import Run
from brakepoint.mission.scoring import score_run
from brakepoint.services import ServiceSettings
from brakepoint.services.bus import Bus
from brakepoint.services.faults import Stage
from brakepoint.services.live_mission import start, watch
from brakepoint.services.topics import DETECTIONS, MISSION, ORDERS, STATE
from brakepoint.truth import load_truth
from hardware.heartbeat import VARIABLE
from hardware.lwp3 import BRAKE, Port

pytestmark = [pytest.mark.live, pytest.mark.alone]

INTERRUPTIONS = {Reason.NO_FRAMES, Reason.NO_TRAIN_STATE}
"""On a busy machine frames may come late, and then the autopilot brakes for a moment, as it should."""


def meanings(run: Run) -> list:
    kept = [tick.order.meaning for tick in run.order_changes if tick.order.reason not in INTERRUPTIONS]
    return [meaning for meaning, _ in groupby(kept)]


@pytest.mark.parametrize("name", ["track-stop", "track-full"])
def test_a_live_mission_gives_the_orders_of_the_virtual_clock(bluez, tmp_path, monkeypatch, name):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "beat"))
    train = bluez.add(EmulatedHub())
    truth = load_truth(find_feed(name).with_suffix(".json"))
    with Stage(ServiceSettings(feed=name, detector="oracle", hub="ble:")) as stage:
        topics = (DETECTIONS, ORDERS, STATE, MISSION)
        with Bus(stage.services.settings, "", topics) as bus:
            live = watch(bus, truth, start(bus, name)).run
    virtual = drive(truth)

    assert live.ending is virtual.ending
    assert meanings(live) == meanings(virtual)
    assert score_run(live, truth).accomplished
    assert train.hub.orders(Port.A).count(BRAKE) > 1, "at the start, before the danger, and at the end"
    assert train.hub.is_braked
