"""Real processes, a real broker: the train stops by itself whatever fails, and drives on by the rules."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from brakepoint.errors import UserError
from brakepoint.feeds import find_feed
from brakepoint.locomotive import STOPPING_LIMIT_CM
from brakepoint.messages import Reason
from brakepoint.mission.loop import oracle_run
from brakepoint.mission.records import Ending, Run
from brakepoint.mission.scoring import score_run
from brakepoint.rules import AT_REST_CM_S, FULL_SPEED_CM_S
from brakepoint.services import ServiceSettings, supervisor
from brakepoint.services.bus import Bus
from brakepoint.services.clock import CLOCK
from brakepoint.services.events import EventType
from brakepoint.services.faults import FAULTS, WITHIN_S, Stage, is_at_rest, position_now_cm
from brakepoint.services.live_mission import start, watch
from brakepoint.services.supervisor import Supervisor
from brakepoint.services.topics import DETECTIONS, EVENT, MISSION, ORDERS, STATE
from brakepoint.sockets import free_port
from brakepoint.truth import load_truth
from solutions.step6_autopilot import step
from stubs.printing_hub import PrintingHub

pytestmark = pytest.mark.live

FEED = "track-stop"
INTERRUPTIONS = {Reason.NO_FRAMES, Reason.NO_TRAIN_STATE}
"""On a busy machine frames may come late, and then the autopilot brakes for a moment, as it should."""


@pytest.fixture(scope="module")
def stage():
    with Stage(ServiceSettings(feed=FEED, detector="oracle")) as stage:
        yield stage


@pytest.fixture
def bus(stage):
    with Bus(stage.services.settings, "", (DETECTIONS, EVENT, ORDERS, STATE, MISSION)) as bus:
        yield bus


def at_full_speed(stage):
    stage.begin(FEED)
    return stage.await_train(lambda state: state.speed_cm_s > 0.9 * FULL_SPEED_CM_S)


def meanings(run: Run):
    kept = [tick.order.meaning for tick in run.order_changes if tick.order.reason not in INTERRUPTIONS]
    return [meaning for last, meaning in zip([None, *kept], kept, strict=False) if meaning != last]


def test_the_verdict_is_that_of_the_virtual_clock(bus):
    truth = load_truth(find_feed(FEED).with_suffix(".json"))
    live = watch(bus, truth, start(bus, FEED)).run
    virtual = oracle_run(truth, step, PrintingHub(None))

    assert meanings(live) == meanings(virtual)
    assert live.ending is virtual.ending
    assert score_run(live, truth).accomplished
    told: list[str] = []
    while told.count(EventType.ORDER_CHANGED) < len(meanings(live)):
        event = bus.take(EVENT, WITHIN_S)
        assert event is not None, f"an order was changed, and nobody told: {told}"
        told.append(event["type"])
    assert told[0] == EventType.MISSION_STARTED


@pytest.mark.parametrize("fault", FAULTS)
def test_the_train_stops_in_time_and_drives_on(stage, fault):
    at_full_speed(stage)
    with FAULTS[fault](stage):  # This may take seconds, in which the train becomes still faster.
        struck_cm = position_now_cm(stage.await_train(lambda state: True))
        resting = stage.await_train(is_at_rest)

    assert resting.position_cm - struck_cm <= STOPPING_LIMIT_CM
    stage.await_train(lambda state: state.speed_cm_s > AT_REST_CM_S)


def test_a_train_that_breaks_down_ends_the_run_and_does_not_set_off_by_itself(stage, bus):
    truth = load_truth(find_feed(FEED).with_suffix(".json"))
    mission = start(bus, FEED)
    stage.await_report(lambda report: report.run == mission.run and report.state.position_cm > 50)
    os.kill(stage.services.pid("train"), signal.SIGKILL)

    assert watch(bus, truth, mission).ending is Ending.TRAIN_LOST
    assert stage.await_train(lambda state: True).speed_cm_s == 0
    at_full_speed(stage)


def test_a_train_whose_side_runs_already_is_driven_and_left_running(monkeypatch):
    monkeypatch.setattr(CLOCK, "_ahead_s", None)  # As in a process of its own, without the services above.
    link = f"127.0.0.1:{free_port()}"
    side = subprocess.Popen([sys.executable, "-m", "brakepoint", "service", "train", "--link", link])
    try:
        with Stage(ServiceSettings(feed=FEED, detector="oracle", link=link)) as elsewhere:
            assert not elsewhere.services.pid("train")
            at_full_speed(elsewhere)
        assert side.poll() is None
    finally:
        side.terminate()
        side.wait()


def test_a_link_at_which_no_train_answers_is_named(monkeypatch):
    monkeypatch.setattr(supervisor, "LINK_ANSWERS_WITHIN_S", 0.5)
    nowhere = ServiceSettings(feed=FEED, detector="oracle", link=f"127.0.0.1:{free_port()}")

    with pytest.raises(UserError) as refused, Supervisor(nowhere, ("train", "controller"), lambda *_: None):
        pass
    assert refused.value.key == "live.error.link_silent"


FAILING = """
from pathlib import Path
from solutions import step6_autopilot

def step(memory, detections, train_state, now):
    for way in ("raise", "loop"):
        if Path(way).exists():
            Path(way).unlink()
            while way == "loop":
                pass
            raise ValueError("a mistake in somebody's own autopilot")
    return step6_autopilot.step(memory, detections, train_state, now)
"""


@pytest.fixture(scope="module")
def stage_of_an_attendee(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attendee")
    (folder / "labs").mkdir()
    (folder / "labs" / "__init__.py").touch()
    (folder / "labs" / "step6_autopilot.py").write_text(FAILING, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with Stage(ServiceSettings(feed=FEED, detector="oracle", steps="labs")) as stage:
            yield stage


@pytest.mark.parametrize("way", ["raise", "loop"])
def test_an_autopilot_that_fails_in_mid_run_is_started_again(stage_of_an_attendee, way):
    stage = stage_of_an_attendee
    before = at_full_speed(stage)
    Path(way).touch()
    struck_cm = position_now_cm(before)
    resting = stage.await_train(is_at_rest)

    assert resting.position_cm - struck_cm <= STOPPING_LIMIT_CM
    stage.await_train(lambda state: state.speed_cm_s > AT_REST_CM_S)
