"""The autopilot as a service: what it passes to the step, and how it handles the answer."""

import threading
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

pytest.importorskip("paho")

from fake_bus import FakeBus

from brakepoint.messages import Detections, Light, MissionState, Order, OrderKind, Reason, TrainState
from brakepoint.services import ServiceSettings, autopilot
from brakepoint.services.autopilot import FIRST_WORD_S, WAIT_S, Autopilot
from brakepoint.services.topics import DETECTIONS, MISSION, ORDER, STATE
from brakepoint.train_file import VARIABLE, Eye, TrainFile

NOW = 5000.0


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    now = [NOW]
    monkeypatch.setattr(autopilot, "CLOCK", SimpleNamespace(now=lambda: now[0]))
    return now


@pytest.fixture
def bus():
    return FakeBus()


@pytest.fixture
def asked():
    """The arguments of each call of the step."""
    return []


@pytest.fixture
def driver(bus, asked):
    """A step that counts its calls in its memory."""

    def step(memory, detections, state, now):
        asked.append((memory, detections, state, now))
        return (memory or 0) + 1, Order(kind=OrderKind.FULL_SPEED, reason=Reason.CLEAR, at=now)

    return Autopilot(bus, step)


def seen(at=NOW, number=1):
    return Detections(frame_id=number, captured_at=at, picture_hash="", items=())


def state(at=NOW):
    return TrainState(at=at, position_cm=3, speed_cm_s=50, power=50, braking=False, light=Light.ON)


def mission(run=4, since=NOW - 10):
    return MissionState(run=run, feed="track-stop", running=True, since=since, at=NOW)


def test_the_step_is_given_what_was_seen_and_where_the_train_is(driver, bus, asked):
    bus.bring(DETECTIONS, seen())
    bus.bring(STATE, state())
    driver.turn()

    assert asked == [(None, seen(), state(), NOW)]
    (order,) = bus.said_of(ORDER)
    assert (order.kind, order.at, order.run, order.seen_at) == (OrderKind.FULL_SPEED, NOW, -1, NOW)
    assert bus.worked == 1


def test_the_late_answer_of_another_replica_is_not_acted_on(driver, bus, asked):
    bus.bring(STATE, state())
    bus.bring(DETECTIONS, seen(NOW, number=7))
    driver.turn()
    for late in (NOW, NOW - 0.1):
        bus.bring(DETECTIONS, seen(late, number=6))
        driver.turn()

    assert [detections.frame_id for _, detections, _, _ in asked] == [7, 7, 7]
    assert [order.seen_at for order in bus.said_of(ORDER)] == [NOW, None, None]


def test_after_the_cameras_clock_was_set_back_its_frames_count_again(driver, bus, asked):
    bus.bring(STATE, state())
    for number, at in ((7, NOW + 3600), (8, NOW)):
        bus.bring(DETECTIONS, seen(at, number))
        driver.turn()

    assert [detections.frame_id for _, detections, _, _ in asked] == [7, 8]


def test_orders_are_numbered_carry_their_run_and_come_without_a_new_frame_too(driver, bus, asked):
    bus.bring(MISSION, mission())
    bus.bring(DETECTIONS, seen())
    bus.bring(STATE, state())
    driver.turn()
    driver.turn()

    orders = bus.said_of(ORDER)
    assert [(order.number, order.run, order.seen_at) for order in orders] == [(1, 4, NOW), (2, 4, None)]
    assert len({order.giver for order in orders}) == 1
    assert [memory for memory, *_ in asked] == [None, 1]
    assert asked[1][1:3] == (seen(), state()), "the newest that there is"


def test_a_new_run_begins_with_an_empty_memory_and_the_same_one_keeps_it(driver, bus, asked):
    for number, run in enumerate((4, 4, 5)):
        bus.bring(MISSION, mission(run=run))
        bus.bring(DETECTIONS, seen(number=number))
        bus.bring(STATE, state())
        driver.turn()

    assert [memory for memory, *_ in asked] == [None, 1, None]


def test_what_is_older_than_the_run_is_not_driven_by(driver, bus, asked):
    bus.bring(MISSION, mission(since=NOW - FIRST_WORD_S))
    bus.bring(DETECTIONS, seen(at=NOW - 2))
    bus.bring(STATE, state(at=NOW - 2))
    driver.turn()

    assert asked == [(None, None, None, NOW)]


@pytest.mark.parametrize("missing", [STATE, DETECTIONS], ids=["state", "frame"])
def test_a_new_run_waits_a_moment_for_its_first_frame_and_state_and_no_longer(
    driver, bus, asked, clock, missing
):
    bus.bring(MISSION, mission(since=NOW))
    bus.bring(*((DETECTIONS, seen()) if missing is STATE else (STATE, state())))
    clock[0] = NOW + FIRST_WORD_S - 0.01
    driver.turn()
    assert (asked, bus.said) == ([], [])

    clock[0] = NOW + FIRST_WORD_S
    driver.turn()
    assert len(asked) == 1


def test_two_autopilots_are_distinguished(bus, driver):
    other = Autopilot(bus, driver._step)
    for each in (driver, other):
        each.turn()

    first, second = bus.said_of(ORDER)
    assert first.giver != second.giver


def test_a_late_frame_is_waited_for_less_long_than_the_trains_watchdog_waits():
    from brakepoint.rules import CONTROL_RATE_HZ, WATCHDOG_S

    assert 1 / CONTROL_RATE_HZ < WAIT_S < min(2 / CONTROL_RATE_HZ, WATCHDOG_S / 2)


@pytest.mark.parametrize(
    ("camera", "is_fitted"),
    [("", False), ("video:track-stop", False), ("usb:", True), ("usb:?train=", False)],
)
def test_a_camera_that_was_measured_fits_the_autopilot_and_a_recorded_one_never(
    bus, monkeypatch, tmp_path, camera, is_fitted
):
    eye = Eye(latency_s=0.2)
    TrainFile(camera=eye).write(tmp_path / "train.toml", "")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "train.toml"))
    served: list[Autopilot] = []
    monkeypatch.setattr(autopilot, "Bus", lambda *_: nullcontext(bus))
    monkeypatch.setattr(autopilot, "serve", lambda service, *_: served.append(service))
    asked = []

    def noted(step, measured):
        asked.append(measured)
        return step

    monkeypatch.setattr(autopilot, "fitted", noted)

    autopilot.run(ServiceSettings(camera=camera), threading.Event())

    assert len(served) == 1
    assert asked == ([eye] if is_fitted else [])
