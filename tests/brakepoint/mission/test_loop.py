"""The loop is well-posed: right behaviour is rewarded and wrong behaviour detected, without rendering."""

import traceback
from itertools import count
from typing import Any

import numpy as np
import pytest
from driving import NoisyDetector, always_brakes, blind_to, drive, feed, never_brakes, score
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_lines import random_line
from strategies import scenarios

from brakepoint.errors import UserError
from brakepoint.feeds import COURSE_FEEDS
from brakepoint.messages import Frame, Light, OrderKind, Reason, SignClass, TrainState
from brakepoint.mission.loop import PlainCamera, find_ending, make_tick, time_limit_s
from brakepoint.mission.records import Ending, Run
from brakepoint.mission.scoring import score_run
from brakepoint.rules import (
    AT_REST_CM_S,
    CONTROL_RATE_HZ,
    LATERAL_ACCELERATION_MAX_CM_S2,
    LOW_SPEED_CM_S,
    STALLED_AFTER_S,
)
from brakepoint.scenery.geometry import synthetic_truth
from brakepoint.track import Curve

WITH_A_SIGN = COURSE_FEEDS[1:]
WITH_A_LIMIT = ("track-slowdown", "track-stop-and-slowdown", "track-full")
WITH_A_DANGER = ("track-stop", "track-stop-and-slowdown", "track-full")


@pytest.mark.parametrize("name", COURSE_FEEDS)
def test_perfect_detections_score_98_or_better(name):
    result = score(feed(name))

    assert result.accomplished
    assert result.score >= 98
    assert result.first_wrong is None


@pytest.mark.parametrize("name", WITH_A_SIGN)
def test_a_train_that_never_brakes_derails(name):
    result = score(feed(name), never_brakes)

    assert result.derailed
    assert not result.accomplished
    assert result.score < 40


def test_a_train_that_never_brakes_may_drive_the_empty_track():
    assert score(feed("track-empty"), never_brakes).score == 100


@pytest.mark.parametrize("name", COURSE_FEEDS)
def test_a_train_that_always_brakes_is_worth_nothing(name):
    run = drive(feed(name), always_brakes)

    assert run.ending is Ending.STALLED
    assert score_run(run, feed(name)).score < 40


@pytest.mark.parametrize("name", WITH_A_LIMIT)
def test_an_autopilot_blind_to_limits_scores_under_40(name):
    assert score(feed(name), blind_to(SignClass.SPEED_LIMIT)).score < 40


@pytest.mark.parametrize("name", WITH_A_DANGER)
def test_an_autopilot_blind_to_dangers_does_not_accomplish_its_mission(name):
    assert not score(feed(name), blind_to(SignClass.DANGER_AHEAD)).accomplished


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", COURSE_FEEDS)
def test_a_noisy_detector_accomplishes_every_feed(name, seed):
    result = score(feed(name), detector=NoisyDetector(feed(name), seed))

    assert result.accomplished
    assert result.score >= 95


@pytest.mark.parametrize("seed", range(8))
def test_a_line_that_chance_made_up_is_driven_perfectly_with_perfect_detections(seed):
    assert score(synthetic_truth(random_line(seed))).score == 100


@pytest.mark.parametrize("seed", range(8))
def test_boxes_that_jitter_and_signs_that_are_missed_make_no_second_stop(seed):
    truth = synthetic_truth(random_line(seed))
    result = score(truth, detector=NoisyDetector(truth, seed, missed=0.3, false_alarms=0))

    assert result.accomplished
    assert result.false_stops == 0


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(scenarios())
def test_any_order_of_signs_is_accomplished(scenario):
    result = score(synthetic_truth(scenario))

    assert result.accomplished
    assert result.score >= 98


@pytest.mark.parametrize("name", COURSE_FEEDS)
def test_two_runs_are_identical(name):
    first, second = (drive(feed(name), detector=NoisyDetector(feed(name), 3)) for _ in range(2))

    assert first.model_dump_json() == second.model_dump_json()


def test_a_run_survives_its_json():
    run = drive(feed("track-stop"))

    assert Run.model_validate_json(run.model_dump_json()) == run


def test_a_train_at_rest_is_not_taken_for_a_frozen_camera():
    run = drive(feed("track-stop"))

    assert any(tick.order.reason is Reason.DANGER_STOP and tick.speed_cm_s == 0 for tick in run.ticks)
    assert all(tick.order.reason is not Reason.FROZEN_FRAMES for tick in run.ticks)


class FaultyCamera:
    """Fails for a time: shows one picture again and again, or nothing."""

    def __init__(self, begin: int, end: int, freezes: bool) -> None:
        self._camera = PlainCamera()
        self._begin, self._end, self._freezes = begin, end, freezes
        self._reads = count()
        self._frozen = np.zeros((4, 4, 3), np.uint8)

    def read(self, train_state: TrainState) -> Frame | None:
        frame = self._camera.read(train_state)
        if not self._begin <= next(self._reads) < self._end:
            return frame
        return (
            Frame(frame.frame_id, frame.captured_at, frame.position_cm, self._frozen)
            if self._freezes
            else None
        )

    def close(self) -> None:
        self._camera.close()


@pytest.mark.parametrize("freezes", [True, False])
def test_a_camera_that_fails_brakes_the_train(freezes):
    run = drive(feed("track-empty"), camera=FaultyCamera(40, 10_000, freezes))

    assert run.ending is Ending.STALLED
    assert run.ticks[-1].order.kind is OrderKind.BRAKE
    assert run.ticks[-1].order.reason is (Reason.FROZEN_FRAMES if freezes else Reason.NO_FRAMES)
    assert run.ticks[-1].position_cm - run.ticks[40].position_cm < 45


@pytest.mark.parametrize("freezes", [True, False])
def test_a_camera_that_comes_back_lets_the_train_drive_on(freezes):
    run = drive(feed("track-empty"), camera=FaultyCamera(40, 90, freezes))

    assert any(tick.speed_cm_s == 0 for tick in run.ticks[41:90])
    assert run.ending is Ending.END_OF_TRACK


def test_a_derailment_ends_the_run_where_it_happens():
    truth = feed("track-stop")
    last = drive(truth, never_brakes).ticks[-1]
    curve = truth.line.segment_at(last.position_cm)
    assert isinstance(curve, Curve)

    assert last.speed_cm_s**2 / curve.radius_cm > LATERAL_ACCELERATION_MAX_CM_S2


def test_a_run_may_take_twice_the_way_at_low_speed_and_a_minute():
    truth = feed("track-stop")

    assert time_limit_s(truth) == pytest.approx(2 * truth.length_cm / LOW_SPEED_CM_S + 60)


def test_a_train_that_creeps_is_out_of_time_at_the_limit_and_not_before():
    truth = feed("track-empty")
    tick = drive(truth).ticks[30].model_copy(update={"position_cm": 1.0, "speed_cm_s": 1.0})

    for late_s, ending in ((-0.01, None), (0.0, Ending.TIME_LIMIT)):
        late = tick.model_copy(update={"time_s": time_limit_s(truth) + late_s})
        assert find_ending([late], truth) is ending


def ending_at(name: str, **values: float) -> Ending | None:
    """How a run ends whose only tick has these values."""
    tick = drive(feed(name)).ticks[30].model_copy(update={"position_cm": 1.0, "speed_cm_s": 1.0, **values})
    return find_ending([tick], feed(name))


def test_a_curve_may_be_driven_as_fast_as_it_holds_the_train_and_no_faster():
    line = feed("track-stop").line
    at_cm = next(at for at in range(1000) if isinstance(line.segment_at(at), Curve))
    most = line.segment_at(at_cm).speed_max_cm_s

    assert ending_at("track-stop", position_cm=at_cm, speed_cm_s=most) is None
    assert ending_at("track-stop", position_cm=at_cm, speed_cm_s=most + 0.01) is Ending.DERAILED


def test_the_track_ends_at_its_very_end():
    length_cm = feed("track-empty").length_cm

    assert ending_at("track-empty", position_cm=length_cm - 0.01) is None
    assert ending_at("track-empty", position_cm=length_cm) is Ending.END_OF_TRACK


@pytest.mark.parametrize(
    ("seconds", "creeps", "ending"),
    [(STALLED_AFTER_S, False, None), (STALLED_AFTER_S + 0.1, False, Ending.STALLED), (60, True, None)],
)
def test_a_train_is_stalled_once_it_has_not_moved_for_longer_than_20_seconds(seconds, creeps, ending):
    still = drive(feed("track-empty")).ticks[0].model_copy(update={"speed_cm_s": 0.0})
    ticks = [still] * round(seconds * CONTROL_RATE_HZ)
    if creeps:
        ticks[-10] = still.model_copy(update={"speed_cm_s": AT_REST_CM_S})

    assert find_ending(ticks, feed("track-empty")) is ending


def test_a_tick_is_recorded_in_hundredths_of_a_millimetre_and_tenths_of_a_millisecond():
    order = drive(feed("track-empty")).ticks[0].order
    state = TrainState(
        at=0, position_cm=12.34567, speed_cm_s=7.65432, power=0, braking=False, light=Light.OFF
    )
    tick = make_tick(state, 1 / CONTROL_RATE_HZ, None, order, feed("track-empty"))

    assert (tick.time_s, tick.position_cm, tick.speed_cm_s) == (0.0667, 12.346, 7.654)


def test_an_autopilot_that_returns_no_order_gets_a_message():
    def silent(memory, detections, train_state, now):
        return None

    with pytest.raises(UserError, match="memory, order"):
        drive(feed("track-empty"), silent)


def test_the_place_where_an_autopilot_breaks_down_is_reported():
    def broken(memory, detections, train_state, now):
        return memory, detections.itmes

    with pytest.raises(UserError, match=r"test_loop\.py:\d+: AttributeError.*itmes"):
        drive(feed("track-empty"), broken)


def test_an_autopilot_that_cannot_even_be_called_is_reported_by_a_kit_that_was_installed(monkeypatch):
    def forgetful(memory, detections):
        return memory, None

    step: Any = forgetful
    installed = [("/venv/lib/site-packages/brakepoint/mission/loop.py", 134, "decide", "")]
    monkeypatch.setattr(traceback, "extract_tb", lambda _: traceback.StackSummary.from_list(installed))

    with pytest.raises(UserError, match=r"loop\.py:134: TypeError.*forgetful"):
        drive(feed("track-empty"), step)


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_an_erratic_autopilot_still_ends_with_a_score(random):
    def erratic(memory, detections, train_state, now):
        _, order = never_brakes(None, None, None, now)
        return memory, order.model_copy(update={"kind": random.choice(list(OrderKind))})

    assert 0 <= score(feed("track-full"), erratic).score <= 100
