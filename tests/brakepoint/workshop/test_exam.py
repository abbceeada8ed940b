"""The faults of step 6's exam behave as described, and only a safe train passes."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from driving import feed

from brakepoint.locomotive import STOPPING_LIMIT_CM
from brakepoint.messages import Frame, Light, Order, OrderKind, Reason, SignClass, TrainState
from brakepoint.rules import CONTROL_RATE_HZ, WATCHDOG_S
from brakepoint.workshop.checks import exam as examining
from brakepoint.workshop.checks.exam import (
    BREAKS_AT_S,
    GHOST_EVERY,
    STUTTER_S,
    WATCHED_S,
    BreakingCamera,
    BreakingHub,
    FaultOutcome,
    FlickeringDetector,
)
from brakepoint.workshop.checks.step6_autopilot import check_exam
from brakepoint.workshop.verdicts import Wrong
from solutions import step6_autopilot as solution

FULL = Order(kind=OrderKind.FULL_SPEED, reason=Reason.CLEAR, at=0.0)


def state(at: float, position_cm: float = 0.0) -> TrainState:
    return TrainState(at=at, position_cm=position_cm, speed_cm_s=0.0, power=0, braking=True, light=Light.ON)


def passed(monkeypatch: pytest.MonkeyPatch, **score: Any) -> dict[str, bool]:
    """The verdicts of an exam in which every mission ends with this score."""
    monkeypatch.setattr(examining, "stops", lambda fault, *_, **__: FaultOutcome(fault, 0.0, True))
    monkeypatch.setattr(examining, "_score", lambda *_, **__: SimpleNamespace(distance_cm=1.0, **score))
    return {outcome.fault: outcome.passed for outcome in examining.exam(None)}


@pytest.mark.parametrize(
    ("accomplished", "false_stops", "withstood"),
    [(True, 0, True), (True, 1, False), (False, 0, False), (False, 1, False)],
)
def test_flicker_is_withstood_by_a_mission_accomplished_without_a_false_stop(
    monkeypatch, accomplished, false_stops, withstood
) -> None:
    verdicts = passed(monkeypatch, accomplished=accomplished, false_stops=false_stops)

    assert verdicts["flicker"] is withstood
    assert verdicts["never_recovers"] is verdicts["crash"] is accomplished


@pytest.mark.parametrize(("rolled_cm", "safe"), [(STOPPING_LIMIT_CM, True), (STOPPING_LIMIT_CM + 1, False)])
def test_a_train_passes_when_it_stops_within_the_limit_and_stays(monkeypatch, rolled_cm, safe) -> None:
    moments = (0.0, BREAKS_AT_S, BREAKS_AT_S + WATCHED_S, BREAKS_AT_S + WATCHED_S + 1)
    places = (-9.0, 0.0, rolled_cm, 900.0)
    ticks = [SimpleNamespace(time_s=at, position_cm=cm) for at, cm in zip(moments, places, strict=True)]
    monkeypatch.setattr(examining, "_drive", lambda *_: SimpleNamespace(ticks=ticks))

    outcome = examining.stops("blind", None)

    assert (outcome.rolled_cm, outcome.passed) == (rolled_cm, safe)
    assert str(outcome).startswith("✓" if safe else "✗")


def test_a_flickering_detector_misses_every_second_frame_and_now_and_then_sees_a_danger() -> None:
    truth = feed("track-stop")
    number = next(number for number in range(len(truth.frames)) if truth.perfect_detections(number))
    place_cm, detector = truth.frames[number].position_cm, FlickeringDetector(truth)
    seen = {
        frame_id: detector.detect(Frame(frame_id, 0.0, place_cm, np.zeros((4, 4, 3), np.uint8))).items
        for frame_id in (GHOST_EVERY, GHOST_EVERY + 1, GHOST_EVERY + 2)
    }

    assert [sign.sign_class for sign in seen[GHOST_EVERY]] == [SignClass.DANGER_AHEAD]
    assert seen[GHOST_EVERY] != seen[GHOST_EVERY + 1] == truth.perfect_detections(number)
    assert seen[GHOST_EVERY + 2] == ()


def test_a_frozen_camera_shows_one_picture_from_the_fault_on() -> None:
    camera = BreakingCamera(lambda broken_s: True, freezes=True)
    before, *behind = (camera.read(state(at)) for at in (BREAKS_AT_S - 0.1, BREAKS_AT_S, BREAKS_AT_S + 1))
    assert before is not None and all(frame is not None for frame in behind)

    assert before.image.any()
    assert not any(frame.image.any() for frame in behind if frame)


def test_a_camera_that_breaks_reports_how_long_it_has_been_broken() -> None:
    camera = BreakingCamera(lambda broken_s: broken_s > 1.0)
    shows = {late_s: camera.read(state(BREAKS_AT_S + late_s)) is not None for late_s in (-1.0, 0.0, 1.5)}

    assert shows == {-1.0: True, 0.0: False, 1.5: True}


def test_a_camera_that_stutters_shows_a_picture_now_and_then() -> None:
    ticks = round(STUTTER_S * CONTROL_RATE_HZ)
    shown = [number for number in range(2 * ticks + 1) if examining._stutters(number / CONTROL_RATE_HZ)]

    assert shown == [0, ticks, 2 * ticks]


def test_a_train_that_is_no_longer_heard_stays_in_mind_as_it_was() -> None:
    for hub, newest in ((BreakingHub(), True), (BreakingHub(tells=False), False)):
        hub.state(BREAKS_AT_S - 0.1)
        early = hub.told(state(BREAKS_AT_S - 0.1))
        hub.state(BREAKS_AT_S)
        late = hub.told(state(BREAKS_AT_S))

        assert early == state(BREAKS_AT_S - 0.1)
        assert late == (state(BREAKS_AT_S) if newest else early)


def test_a_train_that_hears_nothing_any_more_brakes_when_its_watchdog_bites() -> None:
    hub = BreakingHub(hears=False)
    hub.state(BREAKS_AT_S - 0.1)
    hub.apply(FULL)
    hub.state(BREAKS_AT_S)
    hub.apply(FULL)

    assert not hub.state(BREAKS_AT_S - 0.1 + WATCHDOG_S).braking
    assert hub.state(BREAKS_AT_S + WATCHDOG_S).braking


def test_a_train_that_hears_its_orders_drives_on() -> None:
    hub = BreakingHub()
    for at in (BREAKS_AT_S, BREAKS_AT_S + WATCHDOG_S / 2, BREAKS_AT_S + WATCHDOG_S):
        hub.state(at)
        hub.apply(FULL)

    assert not hub.state(BREAKS_AT_S + 1.5 * WATCHDOG_S).braking


def test_a_train_whose_watchdog_does_not_bite_fails_the_exam(monkeypatch) -> None:
    monkeypatch.setattr(examining, "WATCHDOG_S", WATCHED_S)
    with pytest.raises(Wrong) as caught:
        check_exam(solution)

    assert caught.value.key == "check.step6.exam.silent"
