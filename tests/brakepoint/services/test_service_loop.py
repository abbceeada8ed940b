"""The loop that every service runs: requests are handled, work is done, and a breakdown is reported."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest
import typer

pytest.importorskip("paho")

from fake_bus import fake_bus

from brakepoint.errors import UserError
from brakepoint.messages import Action, Control, Detections, Fault
from brakepoint.services import service_loop
from brakepoint.services.service_loop import (
    CONTROL_AGE_MAX_S,
    HEARTBEAT_VARIABLE,
    LATE_MAX_S,
    Pace,
    ProbeFile,
    is_late,
    serve,
)
from brakepoint.services.topics import CONTROL

NOW = 5000.0


class FakePart:
    """Runs a few turns, then asks to stop; records its requests."""

    def __init__(self, stopping: Any, turns: int = 1, error: Exception | None = None) -> None:
        self._stopping, self._turns, self._error = stopping, turns, error
        self.asked: list[Action] = []
        self.turned, self.is_closed = 0, False

    def turn(self):
        self.turned += 1
        if self._error:
            raise self._error
        if self.turned == self._turns:
            self._stopping.set()

    def control(self, control):
        self.asked.append(control.action)

    def close(self):
        self.is_closed = True


@pytest.fixture
def stopping():
    return threading.Event()


@pytest.fixture
def at_now(monkeypatch):
    monkeypatch.setattr(service_loop, "CLOCK", SimpleNamespace(now=lambda: NOW))


def control(action=Action.START, at=NOW, **values):
    return Control(action=action, at=at, feed="", **values)


def test_it_turns_until_it_is_to_stop_and_lets_go(stopping):
    part, bus = FakePart(stopping, turns=3), fake_bus()
    serve(part, bus, stopping)

    assert (part.turned, part.is_closed, bus.is_ready) == (3, True, True)


def test_what_cannot_continue_is_reported_in_a_line_and_ends_with_the_status_of_a_breakdown(stopping, capsys):
    part = FakePart(stopping, error=UserError("feed.missing", path="here.mp4", feeds="-"))
    with pytest.raises(typer.Exit) as ended:
        serve(part, fake_bus(), stopping)

    assert ended.value.exit_code == 1
    assert "here.mp4" in capsys.readouterr().out
    assert part.is_closed


@pytest.mark.parametrize(
    ("asked", "is_heard"),
    [
        (control(), True),
        (control(at=NOW - CONTROL_AGE_MAX_S), True),
        (control(at=NOW - CONTROL_AGE_MAX_S - 0.1), False),
        (control(at=NOW + CONTROL_AGE_MAX_S + 0.1), False),
        (control(Action.STOP, at=NOW - 60), True),
    ],
    ids=["now", "barely in time", "too late", "from the future", "a stop, however late"],
)
def test_what_was_asked_too_long_ago_is_not_done_any_more_but_a_stop_is(stopping, at_now, asked, is_heard):
    part, bus = FakePart(stopping), fake_bus()
    bus.bring(CONTROL, asked)
    serve(part, bus, stopping)

    assert part.asked == ([asked.action] if is_heard else [])
    assert bus.refused == ([] if is_heard else [CONTROL.name])


def test_everything_that_was_asked_is_heard_in_one_turn(stopping, at_now):
    part, bus = FakePart(stopping), fake_bus()
    bus.bring(CONTROL, control(at=NOW - 60), control(Action.STOP), control())
    serve(part, bus, stopping)

    assert part.asked == [Action.STOP, Action.START]


def test_a_request_that_the_broker_delivers_twice_is_carried_out_once(stopping, at_now):
    """A second start would put the train that drives at the start."""
    part, bus = FakePart(stopping, turns=2), fake_bus()
    bus.bring(CONTROL, control(), control(), control(at=NOW + 1))
    serve(part, bus, stopping)

    assert part.asked == [Action.START, Action.START] and bus.refused == []


@pytest.mark.parametrize(("service", "waits"), [("detector", [7.0]), ("autopilot", [])])
def test_only_the_one_who_is_meant_hangs_and_for_as_long_as_it_is_asked_to(service, waits, at_now):
    waited: list[float] = []
    part = FakePart(SimpleNamespace(set=lambda: None))
    stopping: Any = SimpleNamespace(is_set=lambda: part.turned > 0, wait=waited.append)
    bus = fake_bus(service)
    bus.bring(CONTROL, control(Action.FAULT, fault=Fault.DETECTOR_HANGS, seconds=7.0))
    serve(part, bus, stopping)

    assert waited == waits


def test_a_heartbeat_touches_its_file_about_once_a_second(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(service_loop.time, "monotonic", lambda: now[0])
    monkeypatch.setenv(HEARTBEAT_VARIABLE, str(tmp_path / "beat"))
    probed, beaten = ProbeFile(), []
    for seconds in (0.0, 0.5, 0.99, 1.0, 1.5):
        now[0] = 100.0 + seconds
        probed.beat()
        beaten.append((tmp_path / "beat").exists())
        (tmp_path / "beat").unlink(missing_ok=True)

    assert beaten == [True, False, False, True, False]


def test_without_a_file_there_is_no_heartbeat(monkeypatch, tmp_path):
    monkeypatch.delenv(HEARTBEAT_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    ProbeFile().beat()

    assert list(tmp_path.iterdir()) == []


def test_a_pace_is_kept_and_a_delay_is_not_caught_up(monkeypatch):
    now, slept = [100.0], []

    def sleep(seconds):
        slept.append(round(seconds, 3))
        now[0] += seconds

    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=sleep)
    monkeypatch.setattr(service_loop, "time", clock)
    pace = Pace(10)
    for worked_s in (0.02, 0.05, 0.5, 0.0):
        now[0] += worked_s
        pace.wait()

    assert slept == [0.08, 0.05, 0.0, 0.1]


def test_a_service_says_that_it_is_still_starting_as_long_as_it_does(monkeypatch):
    monkeypatch.setattr(service_loop, "HEARTBEAT_S", 0.001)
    beats, heard = [], threading.Event()

    def beat() -> None:
        beats.append(1)
        heard.set()

    bus: Any = SimpleNamespace(beat=beat)
    with service_loop.still_starting([bus, bus]):
        assert heard.wait(60)
    heard.clear()

    assert len(beats) % 2 == 0
    assert not heard.wait(0.01)


@pytest.mark.parametrize(
    ("earlier_s", "late"),
    [(-0.01, False), (0.0, True), (0.01, True), (LATE_MAX_S - 0.01, True), (LATE_MAX_S, False), (60, False)],
)
def test_an_answer_is_late_if_the_same_frame_or_one_just_after_it_is_answered(earlier_s, late) -> None:
    def seen(at: float) -> Detections:
        return Detections(frame_id=1, captured_at=at, picture_hash="")

    assert is_late(seen(NOW - earlier_s), seen(NOW)) is late
    assert not is_late(seen(NOW), None)
