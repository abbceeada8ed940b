"""The camera as a service: what it shows in which run, and how it fails on demand."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("paho")

from fake_bus import FakeBus

from brakepoint.errors import UserError
from brakepoint.messages import Action, Control, Fault, Frame, Light, MissionState, TrainState
from brakepoint.services import capture
from brakepoint.services.capture import GARBLED, Capture
from brakepoint.services.topics import FRAME, MISSION, STATE

NOW = 5000.0


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    now = [NOW]
    monkeypatch.setattr(capture, "CLOCK", SimpleNamespace(now=lambda: now[0]))
    monkeypatch.setattr(capture, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(capture, "Pace", lambda rate_hz: SimpleNamespace(wait=lambda: None))
    return now


class FakeCamera:
    """Shows a new picture each time, of the grey of its number."""

    def __init__(self) -> None:
        self.states: list[Any] = []
        self.is_closed = False

    def read(self, state):
        self.states.append(state)
        return Frame(99, 0.0, state.position_cm, np.full((4, 4, 3), 100 + len(self.states), np.uint8))

    def close(self):
        self.is_closed = True


@pytest.fixture
def opened(monkeypatch):
    """Each camera that was opened, with its URI and its seed."""
    cameras = []

    def open_camera(uri, seed=0):
        if "no-such-feed" in uri:
            raise UserError("feed.missing", path=uri, feeds="-")
        cameras.append((uri, seed, FakeCamera()))
        return cameras[-1][2]

    monkeypatch.setattr(capture, "open_camera", open_camera)
    return cameras


@pytest.fixture
def bus():
    return FakeBus()


@pytest.fixture
def recorded(bus, opened):
    return Capture(bus, "track-stop", is_recorded=True)


def mission(run=1, feed="track-full", since=NOW - 1):
    return MissionState(run=run, feed=feed, running=True, since=since, at=NOW)


def state(at=NOW, position_cm=30.0):
    return TrainState(at=at, position_cm=position_cm, speed_cm_s=50, power=50, braking=False, light=Light.ON)


def greys(bus):
    return [int(frame.image[0, 0, 0]) for frame in bus.said_of(FRAME)]


def fault(which, seconds=2.0):
    return Control(action=Action.FAULT, fault=which, seconds=seconds, at=NOW)


def test_each_frame_has_a_number_and_the_time_and_counts_as_work(recorded, bus):
    recorded.turn()
    recorded.turn()

    assert [(frame.frame_id, frame.captured_at) for frame in bus.said_of(FRAME)] == [(1, NOW), (2, NOW)]
    assert bus.worked == 2


def test_a_recorded_picture_of_before_a_run_that_began_meanwhile_is_not_of_that_run(
    recorded, bus, opened, clock, monkeypatch
):
    [(_, _, camera)] = opened
    read = camera.read

    def slow(state):
        clock[0] += 0.02
        return read(state)

    monkeypatch.setattr(camera, "read", slow)
    recorded.turn()
    [frame] = bus.said_of(FRAME)

    assert frame.captured_at < NOW + 0.01 < clock[0], "a run that began after 0.01 s"


def test_it_looks_from_where_the_train_is_and_from_the_start_until_it_is_heard_of(recorded, bus, opened):
    recorded.turn()
    bus.bring(STATE, state())
    recorded.turn()
    recorded.turn()

    assert [seen.position_cm for seen in opened[0][2].states] == [0, 30, 30]


def test_a_new_run_opens_its_feed_with_a_seed_of_its_own_and_the_same_one_does_not(recorded, bus, opened):
    for run in (1, 1, 2):
        bus.bring(MISSION, mission(run))
        recorded.turn()

    assert [(uri, seed) for uri, seed, _ in opened] == [
        ("video:track-stop", 0),
        ("video:track-full", 1),
        ("video:track-full", 2),
    ]
    assert [camera.is_closed for *_, camera in opened] == [True, True, False]


def test_where_the_train_was_in_the_run_before_is_forgotten(recorded, bus, opened):
    bus.bring(STATE, state())
    recorded.turn()
    bus.bring(MISSION, mission(since=NOW))
    bus.bring(STATE, state(at=NOW - 0.1))
    recorded.turn()

    assert opened[-1][2].states[-1].position_cm == 0


def test_a_real_camera_is_opened_once_and_shows_whatever_the_run_is(bus, opened):
    real = Capture(bus, "usb:/dev/video0", is_recorded=False)
    for run in (1, 2):
        bus.bring(MISSION, mission(run))
        real.turn()

    assert [uri for uri, *_ in opened] == ["usb:/dev/video0"]
    assert len(bus.said_of(FRAME)) == 2


def test_a_feed_that_is_not_there_is_reported_and_shows_nothing_until_there_is_another(recorded, bus, capsys):
    bus.bring(MISSION, mission(1, "no-such-feed"))
    recorded.turn()
    assert "no-such-feed" in capsys.readouterr().out
    assert bus.said == []

    bus.bring(MISSION, mission(2))
    recorded.turn()
    assert len(bus.said_of(FRAME)) == 1


def test_a_silent_camera_says_nothing_until_its_time_is_over(recorded, bus, clock):
    recorded.control(fault(Fault.CAMERA_SILENT, seconds=2.0))
    for seconds in (0, 1.9, 2.0, 2.1):
        clock[0] = NOW + seconds
        recorded.turn()

    assert [frame.captured_at for frame in bus.said_of(FRAME)] == [NOW + 2.0, NOW + 2.1]


def test_a_frozen_camera_shows_the_picture_from_before_with_new_times(recorded, bus, clock):
    recorded.turn()
    recorded.control(fault(Fault.CAMERA_FROZEN))
    for seconds in (0.1, 0.2, 3.0):
        clock[0] = NOW + seconds
        recorded.turn()

    assert greys(bus) == [101, 101, 101, 104]
    assert [frame.captured_at - NOW for frame in bus.said_of(FRAME)] == pytest.approx([0, 0.1, 0.2, 3.0])


def test_a_camera_that_freezes_before_its_first_picture_shows_that_one(recorded, bus):
    recorded.control(fault(Fault.CAMERA_FROZEN))
    recorded.turn()
    recorded.turn()

    assert greys(bus) == [101, 101]


def test_a_black_camera_shows_black(recorded, bus):
    recorded.control(fault(Fault.CAMERA_BLACK))
    recorded.turn()

    assert greys(bus) == [0]


def test_a_garbled_camera_sends_what_is_not_a_picture_and_that_is_not_work(recorded, bus):
    recorded.control(fault(Fault.CAMERA_GARBLED))
    recorded.turn()

    assert (bus.said_of(FRAME), bus.worked) == ([GARBLED], 0)


@pytest.mark.parametrize(
    "control",
    [fault(Fault.DETECTOR_HANGS), Control(action=Action.STOP, feed="", at=NOW)],
    ids=["another's fault", "a stop"],
)
def test_what_is_not_for_the_camera_changes_nothing(recorded, bus, control):
    recorded.control(control)
    recorded.turn()

    assert greys(bus) == [101]


def test_closing_it_closes_the_camera(recorded, opened):
    recorded.close()

    assert opened[0][2].is_closed
