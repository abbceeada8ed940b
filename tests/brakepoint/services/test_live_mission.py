"""A live run begins when the controller reports it; a controller that never does is named."""

import itertools
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from fake_bus import fake_bus

from brakepoint.errors import UserError
from brakepoint.feeds import find_feed
from brakepoint.messages import Action, MissionState
from brakepoint.services import live_mission
from brakepoint.services.live_mission import drive_live, start, stop
from brakepoint.services.topics import CONTROL, MISSION


def mission(run: int, running: bool) -> MissionState:
    return MissionState(run=run, feed="track-stop", running=running, since=1.0, at=2.0)


def test_a_run_has_begun_when_the_controller_reports_that_a_new_one_is_running() -> None:
    bus, silence, begun = fake_bus(), None, mission(4, running=True)
    bus.bring(MISSION, mission(3, running=True))
    bus.bring(MISSION, silence, mission(3, running=True), mission(4, running=False), silence, begun)

    assert start(bus, "track-stop") is begun
    (asked,) = bus.said_of(CONTROL)
    assert (asked.action, asked.feed) == (Action.START, "track-stop")


def test_a_controller_that_is_not_there_is_asked_for_nothing_and_named() -> None:
    bus = fake_bus()

    with pytest.raises(UserError) as refused:
        start(bus, "track-stop")

    assert (refused.value.key, bus.said) == ("live.error.not_ready", [])
    assert "controller" in str(refused.value)


def test_a_run_that_does_not_begin_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_mission, "START_WITHIN_S", 0.0)
    bus = fake_bus()
    bus.bring(MISSION, mission(3, running=False))

    with pytest.raises(UserError) as refused:
        start(bus, "track-stop")
    assert refused.value.key == "live.error.time_limit"


@pytest.mark.parametrize(("age_max_s", "requests"), [(60.0, 1), (-1.0, 3)], ids=["still new", "too old"])
def test_a_request_is_repeated_until_it_is_carried_out_and_renewed_when_it_would_be_ignored(
    monkeypatch: pytest.MonkeyPatch, age_max_s: float, requests: int
) -> None:
    clock = itertools.count(100.0)
    monkeypatch.setattr(live_mission, "CLOCK", SimpleNamespace(now=lambda: next(clock)))
    monkeypatch.setattr(live_mission, "AGAIN_S", 0.0)
    monkeypatch.setattr(live_mission, "CONTROL_AGE_MAX_S", age_max_s)
    bus = fake_bus()
    bus.bring(MISSION, None, mission(3, running=True), mission(3, running=False))

    stop(bus)
    said = bus.said_of(CONTROL)
    assert {request.action for request in said} == {Action.STOP}
    assert (len(said), len({request.at for request in said})) == (3, requests)


def test_the_train_is_stopped_at_the_end_of_a_live_mission(monkeypatch: pytest.MonkeyPatch) -> None:
    bus, run = fake_bus(), object()
    bus.bring(MISSION, mission(3, running=True))
    bus.bring(MISSION, mission(4, running=True), mission(4, running=False))
    settings = SimpleNamespace(feed="track-stop")
    monkeypatch.setattr(
        live_mission, "Supervisor", lambda *_: nullcontext(SimpleNamespace(settings=settings))
    )
    monkeypatch.setattr(live_mission, "Bus", lambda *_: nullcontext(bus))
    monkeypatch.setattr(live_mission, "watch", lambda *_: SimpleNamespace(run=run))
    assignment = SimpleNamespace(feed="track-stop", video=find_feed("track-stop"))

    assert drive_live(assignment, settings, lambda *_: None) is run  # type: ignore[arg-type]
    assert [request.action for request in bus.said_of(CONTROL)] == [Action.START, Action.STOP]
