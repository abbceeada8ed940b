"""Real processes, a real broker: the train stops by itself whatever dies or hangs, and drives on by rule."""

import os
import signal
import time
from contextlib import closing

import pytest

from brakepoint.feeds import find_feed
from brakepoint.messages import Health, Reason
from brakepoint.mission.loop import oracle_run
from brakepoint.mission.records import Run
from brakepoint.mission.scoring import score_run
from brakepoint.rules import AT_REST_CM_S, FULL_SPEED_CM_S
from brakepoint.services import Settings, address
from brakepoint.services.bus import Bus
from brakepoint.services.link import Link
from brakepoint.services.live_mission import DRIVING, start, watch
from brakepoint.services.supervisor import Supervisor
from brakepoint.services.topics import (
    DETECTIONS,
    MISSION,
    ORDERS,
    STATE,
    STATUS,
    TOPICS,
)
from brakepoint.train import STOPPING_LIMIT_CM
from brakepoint.truth import load_truth
from solutions.step6_autopilot import step
from stubs.printing_hub import PrintingHub

FEED = "track-stop"
WITHIN_S = 40.0
INTERRUPTIONS = {Reason.NO_FRAMES, Reason.NO_TRAIN_STATE}
"""On a busy machine frames may come late, and then the autopilot brakes for a moment, as it should."""


@pytest.fixture(scope="module")
def services():
    with Supervisor(Settings(feed=FEED, detector="oracle"), DRIVING, lambda *_: None) as running:
        yield running


@pytest.fixture
def bus(services):
    topics = (DETECTIONS, ORDERS, STATE, MISSION, STATUS)
    with Bus(services.settings.broker, services.settings.train_id, "", topics) as bus:
        yield bus


@pytest.fixture
def train(services):
    """Sees the train itself, past everything that may fail."""
    with closing(Link(*address(services.settings.link))) as link:
        yield link


def await_train(train, condition):
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        report = train.take()
        if report is not None and condition(report.state):
            return report.state
        time.sleep(0.005)
    raise AssertionError("the train did not do so in time")


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


@pytest.mark.parametrize(
    ("service", "blow"),
    [
        ("capture", signal.SIGKILL),
        ("detector", signal.SIGSTOP),
        ("autopilot", signal.SIGKILL),
        ("autopilot", signal.SIGSTOP),
        ("controller", signal.SIGKILL),
        ("controller", signal.SIGSTOP),
        ("broker", signal.SIGKILL),
    ],
)
def test_the_train_stops_in_time_and_drives_on(services, bus, train, service, blow):
    start(bus, FEED)
    await_train(train, lambda state: state.position_cm < 1)
    before = await_train(train, lambda state: state.speed_cm_s > 0.9 * FULL_SPEED_CM_S)
    pid = services.pid(service)
    os.kill(pid, blow)
    struck_cm = before.position_cm + before.speed_cm_s * (time.time() - before.at)
    resting = await_train(train, lambda state: state.speed_cm_s < AT_REST_CM_S)

    assert resting.position_cm - struck_cm <= STOPPING_LIMIT_CM
    if blow is signal.SIGSTOP:
        os.kill(pid, signal.SIGCONT)
    await_train(train, lambda state: state.speed_cm_s > AT_REST_CM_S)


def test_bad_messages_are_refused_and_counted(services, bus):
    waiting = {"capture", "detector", "autopilot", "controller"}
    until = time.monotonic() + WITHIN_S
    with Bus(services.settings.broker, services.settings.train_id, "vandal") as vandal:
        while waiting and time.monotonic() < until:
            for topic in TOPICS:
                if topic is not STATUS:
                    for payload in (b"", b"{}", b"\xff" * 100, b"[" * 3_000):
                        vandal.say_bytes(topic, payload)
            status = bus.take(STATUS, 1.0)
            if status is not None and status.refused and status.health is Health.READY:
                waiting.discard(status.service)
    assert not waiting
    assert all(services.pid(name) for name in DRIVING)
