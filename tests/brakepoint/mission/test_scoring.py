import pytest

from brakepoint.messages import Light, Order, OrderKind, Reason
from brakepoint.mission.records import Ending, MomentKind, Penalty, Run, SignFault, Tick
from brakepoint.mission.scoring import score_run, split_lost
from brakepoint.rules import (
    APPROACH_CM,
    AT_REST_CM_S,
    CONTROL_RATE_HZ,
    FULL_SPEED_CM_S,
    LOW_SPEED_CM_S,
    LOW_SPEED_STRETCH_CM,
    PASSING_CM,
    SPEED_TOLERANCE,
    SPEEDING_UP_CM,
    STOP_ZONE_CM,
)
from brakepoint.scenery.geometry import synthetic_truth
from brakepoint.scenery.scenario import Scenario, ScenarioSign
from brakepoint.track import Straight
from brakepoint.truth import GroundTruth

LENGTH_CM, SIGN_CM = 400.0, 200.0


def truth(kind: str | None) -> GroundTruth:
    signs = () if kind is None else (ScenarioSign(kind=kind, at_cm=SIGN_CM),)
    scenario = Scenario(name="x", track=(Straight(straight_cm=LENGTH_CM),), signs=signs)
    return synthetic_truth(scenario)


DANGER, LIMIT, NOTHING = truth("danger-train"), truth("limit-30"), truth(None)


def run(*legs: tuple[float, float] | tuple[float, float, Light], ending=Ending.END_OF_TRACK) -> Run:
    """A run of legs: each up to a position at a speed, or, with a speed of 0, a rest of so many seconds."""
    ticks: list[Tick] = []
    position = 0.0

    def tick(speed: float, light: Light) -> None:
        order = Order(kind=OrderKind.BRAKE, reason=Reason.CLEAR, at=0)
        ticks.append(
            Tick(
                time_s=len(ticks) / CONTROL_RATE_HZ,
                position_cm=position,
                speed_cm_s=speed,
                braking=speed == 0,
                light=light,
                frame_number=0,
                detections=(),
                order=order,
            )
        )

    for amount, speed, *light in legs:
        if speed == 0:
            for _ in range(round(amount * CONTROL_RATE_HZ)):
                tick(0, light[0] if light else Light.BLINK)
        while speed and position < amount:
            tick(speed, Light.ON)
            position += speed / CONTROL_RATE_HZ
    tick(legs[-1][1], Light.ON)
    return Run(feed="x", ending=ending, ticks=tuple(ticks))


FULL, LOW = FULL_SPEED_CM_S, LOW_SPEED_CM_S


def test_nothing_is_lost_on_an_empty_track():
    score = score_run(run((LENGTH_CM, FULL)), NOTHING)

    assert (score.score, score.accomplished, score.first_wrong) == (100, True, None)


@pytest.mark.parametrize(
    ("legs", "faults"),
    [
        ([(190, LOW), (2, 0), (280, LOW), (LENGTH_CM, FULL)], []),
        ([(172, LOW), (2, 0), (280, LOW), (LENGTH_CM, FULL)], []),
        ([(190, LOW), (1, 0), (280, LOW), (LENGTH_CM, FULL)], [SignFault.SHORT_WAIT]),
        ([(190, LOW), (2, 0, Light.ON), (280, LOW), (LENGTH_CM, FULL)], [SignFault.NO_BLINK]),
        ([(280, LOW), (LENGTH_CM, FULL)], [SignFault.NOT_STOPPED]),
        ([(150, LOW), (2, 0), (280, LOW), (LENGTH_CM, FULL)], [SignFault.STOPPED_TOO_EARLY]),
        ([(205, LOW), (2, 0), (280, LOW), (LENGTH_CM, FULL)], [SignFault.STOPPED_TOO_LATE]),
        ([(190, LOW), (2, 0), (LENGTH_CM, FULL)], [SignFault.TOO_FAST_BEHIND]),
    ],
)
def test_a_danger_is_stopped_for_in_its_zone_and_passed_slowly(legs, faults):
    (sign,) = score_run(run(*legs), DANGER).signs

    assert list(sign.faults) == faults
    assert sign.obeyed == (not set(faults) - {SignFault.SHORT_WAIT, SignFault.NO_BLINK})


@pytest.mark.parametrize(
    ("before_cm", "faults"),
    [
        (STOP_ZONE_CM + 0.5, [SignFault.STOPPED_TOO_EARLY]),
        (STOP_ZONE_CM, []),
        (0.5, []),
        (0.0, []),
        (-0.5, [SignFault.STOPPED_TOO_LATE]),
    ],
)
def test_the_stop_zone_holds_its_two_ends_and_not_a_centimetre_more(before_cm, faults):
    stopped = run((SIGN_CM - 40, LOW), (2, 0), (280, LOW), (LENGTH_CM, FULL))
    there = [
        tick.model_copy(update={"position_cm": SIGN_CM - before_cm}) if tick.speed_cm_s == 0 else tick
        for tick in stopped.ticks
    ]
    (sign,) = score_run(stopped.model_copy(update={"ticks": tuple(there)}), DANGER).signs

    assert list(sign.faults) == faults


@pytest.mark.parametrize(
    ("legs", "faults"),
    [
        ([(195, FULL), (281, LOW), (LENGTH_CM, FULL)], []),
        ([(195, FULL), (281, 1.09 * LOW), (LENGTH_CM, FULL)], []),
        ([(201, FULL), (281, LOW), (LENGTH_CM, FULL)], [SignFault.TOO_FAST_AT_SIGN]),
        ([(195, FULL), (250, LOW), (LENGTH_CM, FULL)], [SignFault.TOO_FAST_BEHIND]),
    ],
)
def test_a_limit_is_kept_from_the_sign_to_the_end_of_its_stretch(legs, faults):
    (sign,) = score_run(run(*legs), LIMIT).signs

    assert list(sign.faults) == faults
    assert sign.obeyed == (not faults)


def test_a_sloppy_stop_costs_little_and_none_costs_much():
    sloppy = score_run(run((190, LOW), (1, 0), (280, LOW), (LENGTH_CM, FULL)), DANGER)
    missed = score_run(run((280, LOW), (LENGTH_CM, FULL)), DANGER)

    assert sloppy.accomplished and sloppy.penalties[Penalty.SIGN_SLOPPY] == 5
    assert not missed.accomplished and missed.penalties[Penalty.SIGN_DISOBEYED] == 30


def test_a_stop_that_no_sign_asks_for_is_a_false_one():
    for ground, at_cm in ((NOTHING, 200), (LIMIT, 190), (DANGER, 100), (DANGER, 300)):
        assert score_run(run((at_cm, FULL), (1, 0), (LENGTH_CM, FULL)), ground).false_stops == 1


def test_a_second_stop_for_one_danger_is_a_false_one():
    twice = run((180, LOW), (2, 0), (190, LOW), (2, 0), (280, LOW), (LENGTH_CM, FULL))

    assert score_run(twice, DANGER).false_stops == 1


def test_creeping_closer_after_an_early_stop_is_caution():
    creeping = run((150, LOW), (1, 0), (190, LOW), (2, 0), (280, LOW), (LENGTH_CM, FULL))
    score = score_run(creeping, DANGER)

    assert (score.false_stops, score.signs[0].faults) == (0, ())


def test_standing_before_the_start_is_not_a_false_stop_but_not_for_ever():
    assert score_run(run((1, 0), (LENGTH_CM, FULL)), NOTHING).score == 100
    assert score_run(run((15, 0), (LENGTH_CM, FULL)), NOTHING).dawdling_s == pytest.approx(10, abs=0.2)


def test_a_weak_train_at_its_own_full_speed_does_not_dawdle():
    weak = run((LENGTH_CM, 26))

    assert score_run(weak, NOTHING).dawdling_s == pytest.approx((LENGTH_CM - 30) / 26, abs=0.2)
    assert score_run(weak, NOTHING, 26 / 0.8).dawdling_s == 0
    assert score_run(weak, NOTHING, 26 / 0.79).dawdling_s > 10


def test_low_speed_is_caution_before_a_sign_and_dawdling_elsewhere():
    everywhere = run((LENGTH_CM, LOW))
    cautious = run((115, FULL), (285, LOW), (LENGTH_CM, FULL))

    assert score_run(cautious, LIMIT).dawdling_s == 0
    assert score_run(everywhere, NOTHING).dawdling_s == pytest.approx((LENGTH_CM - 30) / LOW, abs=0.2)


def test_a_train_that_stalls_loses_what_it_did_not_cover():
    score = score_run(run((100, FULL), (20, 0), ending=Ending.STALLED), LIMIT)

    assert score.distance_cm == pytest.approx(100, abs=4)
    assert score.penalties[Penalty.NOT_COVERED] == pytest.approx(75, abs=1)
    assert score.signs[0].faults == (SignFault.NOT_REACHED,)
    assert score.penalties[Penalty.SIGN_DISOBEYED] == 0
    assert score.first_wrong is not None and score.first_wrong.position_cm == pytest.approx(100, abs=4)


def test_a_derailment_is_reported_and_paid_for():
    derailed = run((300, FULL), ending=Ending.DERAILED)
    score = score_run(derailed, NOTHING)

    assert score.derailed
    assert score.score == pytest.approx(100 - 25 - 50, abs=1)
    assert score.first_wrong is not None and score.first_wrong.kind is MomentKind.DERAILED
    assert score.first_wrong.time_s == derailed.ticks[-1].time_s


def test_the_first_wrong_moment_is_the_first():
    score = score_run(run((100, FULL), (1, 0), (300, FULL), ending=Ending.DERAILED), LIMIT)

    assert score.first_wrong is not None
    assert score.first_wrong.kind is MomentKind.FALSE_STOP


@pytest.mark.parametrize(
    ("score", "oracle", "perception", "control"),
    [(100, 100, 0, 0), (70, 100, 30, 0), (70, 90, 20, 10), (70, 40, 0, 30)],
)
def test_lost_points_are_the_eyes_fault_or_the_hands(score, oracle, perception, control):
    result = score_run(run((LENGTH_CM, FULL)), NOTHING)
    real, perfect = (result.model_copy(update={"score": float(value)}) for value in (score, oracle))

    lost = split_lost(real, perfect).lost

    assert (lost.perception, lost.control) == (perception, control)


def test_a_run_that_was_not_split_yet_has_lost_nothing_to_eyes_or_hands():
    lost = score_run(run((LENGTH_CM, FULL)), NOTHING).lost

    assert (lost.perception, lost.control) == (0, 0)


def test_what_is_done_right_costs_nothing():
    clean = run((115, FULL), (190, LOW), (2, 0), (285, LOW), (LENGTH_CM, FULL))

    assert set(score_run(clean, DANGER).penalties.values()) == {0}


def test_a_disobeyed_sign_is_paid_for_once_and_not_as_a_sloppy_one_too():
    score = score_run(run((280, LOW), (LENGTH_CM, FULL)), DANGER)

    assert (score.penalties[Penalty.SIGN_DISOBEYED], score.penalties[Penalty.SIGN_SLOPPY]) == (30, 0)


def test_a_false_stop_costs_ten_points_and_the_time_it_takes():
    score = score_run(run((200, FULL), (1, 0), (LENGTH_CM, FULL)), NOTHING)

    assert score.penalties[Penalty.FALSE_STOP] == 10
    assert score.penalties[Penalty.DAWDLING] == pytest.approx(1, abs=0.1)
    assert score.score == pytest.approx(89, abs=0.1)


def test_each_second_too_fast_behind_a_sign_costs_five_points():
    score = score_run(run((LENGTH_CM, FULL)), LIMIT)

    assert score.overspeed_s == pytest.approx(LOW_SPEED_STRETCH_CM / FULL, abs=0.1)
    assert score.penalties[Penalty.OVERSPEED] == pytest.approx(5 * score.overspeed_s, abs=0.05)


def test_a_score_has_hundredths_of_a_second_and_tenths_of_a_point_and_of_a_centimetre():
    legs = (50, FULL), (121, LOW), (235, FULL), (300, LOW), (360, FULL)
    score = score_run(run(*legs, ending=Ending.TIME_LIMIT), LIMIT)

    assert (score.overspeed_s, score.dawdling_s) == (0.67, 3.07)
    assert (score.penalties[Penalty.OVERSPEED], score.penalties[Penalty.DAWDLING]) == (3.3, 3.1)
    assert (score.distance_cm, score.score) == (360.7, 53.8)


def test_the_way_is_counted_to_the_very_last_tick_and_not_beyond_the_track():
    short, whole = run((100, FULL), ending=Ending.TIME_LIMIT), run((LENGTH_CM, FULL))

    score = score_run(short, NOTHING)
    assert score.distance_cm == round(short.ticks[-1].position_cm, 1) > 99
    assert score.penalties[Penalty.NOT_COVERED] == pytest.approx(
        100 - 100 * score.distance_cm / LENGTH_CM, abs=0.1
    )
    assert whole.ticks[-1].position_cm > LENGTH_CM == score_run(whole, NOTHING).distance_cm


@pytest.mark.parametrize("ending", [ending for ending in Ending if ending is not Ending.STALLED])
def test_a_mission_is_accomplished_at_the_end_of_the_track_alone(ending):
    score = score_run(run((LENGTH_CM, FULL), ending=ending), NOTHING)

    assert score.accomplished is (ending is Ending.END_OF_TRACK)


def test_a_rest_of_one_tick_is_a_rest():
    score = score_run(run((200, FULL), (1 / CONTROL_RATE_HZ, 0), (LENGTH_CM, FULL)), NOTHING)

    assert score.false_stops == 1


@pytest.mark.parametrize(("blinking_s", "faults"), [(1.0, ()), (0.8, (SignFault.NO_BLINK,))])
def test_the_light_must_blink_for_half_of_the_wait(blinking_s, faults):
    waiting = (blinking_s, 0, Light.BLINK), (2 - blinking_s, 0, Light.ON)
    score = score_run(run((190, LOW), *waiting, (280, LOW), (LENGTH_CM, FULL)), DANGER)

    assert score.signs[0].faults == faults


def with_one(changed: Run, near_cm: float, **values: object) -> Run:
    """The run with other values in the tick nearest to a place."""
    ticks = list(changed.ticks)
    nearest = min(range(len(ticks)), key=lambda number: abs(ticks[number].position_cm - near_cm))
    ticks[nearest] = ticks[nearest].model_copy(update=values)
    return changed.model_copy(update={"ticks": tuple(ticks)})


@pytest.mark.parametrize(
    ("before_cm", "false_stops"),
    [(APPROACH_CM + 0.5, 1), (APPROACH_CM, 0), (-PASSING_CM, 0), (-PASSING_CM - 0.5, 1)],
)
def test_a_stop_is_meant_for_a_danger_from_its_approach_to_where_it_has_been_passed(before_cm, false_stops):
    at_cm = SIGN_CM - before_cm
    stopped = with_one(run((280, LOW), (LENGTH_CM, FULL)), at_cm, position_cm=at_cm, speed_cm_s=0.0)

    assert score_run(stopped, DANGER).false_stops == false_stops


@pytest.mark.parametrize(
    ("behind_cm", "ticks"),
    [(-0.5, 0), (0.0, 1), (0.5, 1), (LOW_SPEED_STRETCH_CM, 1), (LOW_SPEED_STRETCH_CM + 0.5, 0)],
)
def test_the_stretch_of_a_limit_holds_its_two_ends_and_not_half_a_centimetre_more(behind_cm, ticks):
    at_cm = SIGN_CM + behind_cm
    fast = with_one(run((115, FULL), (LENGTH_CM, LOW)), at_cm, position_cm=at_cm, speed_cm_s=FULL)

    assert score_run(fast, LIMIT).overspeed_s == pytest.approx(ticks / CONTROL_RATE_HZ, abs=0.01)


def test_a_limit_that_is_exceeded_by_exactly_what_is_tolerated_is_kept():
    score = score_run(run((115, FULL), (281, SPEED_TOLERANCE * LOW), (LENGTH_CM, FULL)), LIMIT)

    assert (score.signs[0].faults, score.overspeed_s) == ((), 0)


@pytest.mark.parametrize(("speed", "false_stops"), [(AT_REST_CM_S, 0), (AT_REST_CM_S - 0.01, 1)])
def test_only_a_lower_speed_than_that_of_rest_is_a_rest(speed, false_stops):
    creeping = with_one(run((LENGTH_CM, FULL)), 200, speed_cm_s=speed)

    assert score_run(creeping, NOTHING).false_stops == false_stops


def test_a_sign_at_which_the_run_ends_was_reached():
    last = run((SIGN_CM, FULL), ending=Ending.DERAILED)
    at_the_sign = (*last.ticks[:-1], last.ticks[-1].model_copy(update={"position_cm": SIGN_CM}))
    score = score_run(last.model_copy(update={"ticks": at_the_sign}), LIMIT)

    assert score.signs[0].faults == (SignFault.TOO_FAST_AT_SIGN,)


@pytest.mark.parametrize(
    ("at_cm", "ticks"),
    [
        (SPEEDING_UP_CM, 0),
        (SPEEDING_UP_CM + 0.1, 1),
        (SIGN_CM - APPROACH_CM - 0.1, 1),
        (SIGN_CM - APPROACH_CM, 0),
        (SIGN_CM + LOW_SPEED_STRETCH_CM + SPEEDING_UP_CM, 0),
        (SIGN_CM + LOW_SPEED_STRETCH_CM + SPEEDING_UP_CM + 0.1, 1),
    ],
)
def test_slow_driving_is_excused_to_the_very_ends_of_where_there_is_a_reason(at_cm, ticks):
    clean = run((115, FULL), (285, LOW), (LENGTH_CM, FULL))
    slow = with_one(clean, at_cm, position_cm=at_cm, speed_cm_s=LOW)

    assert score_run(slow, LIMIT).dawdling_s == pytest.approx(ticks / CONTROL_RATE_HZ, abs=0.01)


def test_a_run_that_went_wrong_in_every_way_scores_nothing_and_not_less():
    assert score_run(run((3, FULL), ending=Ending.DERAILED), DANGER).score == 0


def test_lost_points_have_tenths_as_the_scores_have():
    result = score_run(run((LENGTH_CM, FULL)), NOTHING)
    real, perfect = (result.model_copy(update={"score": value}) for value in (99.7, 99.9))

    lost = split_lost(real, perfect).lost
    assert (lost.perception, lost.control) == (0.2, 0.1)


@pytest.mark.parametrize("slowly_to_cm", [SIGN_CM, 230.0])
def test_a_sign_that_is_disobeyed_in_its_stretch_went_wrong_where_the_train_became_too_fast(slowly_to_cm):
    legs = (190, LOW), (2, 0), (slowly_to_cm, SPEED_TOLERANCE * LOW), (LENGTH_CM, FULL)
    driven = with_one(run(*legs), slowly_to_cm, position_cm=slowly_to_cm, speed_cm_s=FULL)
    score = score_run(driven, DANGER)

    assert score.signs[0].faults == (SignFault.TOO_FAST_BEHIND,)
    assert score.first_wrong is not None
    assert (score.first_wrong.kind, score.first_wrong.position_cm) == (MomentKind.SIGN, slowly_to_cm)


def test_a_train_that_never_sets_off_went_wrong_at_once():
    score = score_run(run((20, 0), ending=Ending.STALLED), NOTHING)

    assert score.first_wrong is not None
    assert (score.first_wrong.kind, score.first_wrong.time_s) == (MomentKind.STALLED, 0)


@pytest.mark.parametrize("creeps_at", [None, 10])
def test_a_train_that_does_not_go_on_after_a_danger_went_wrong_where_it_came_to_rest_for_good(creeps_at):
    ticks = list(run((190, LOW), (20, 0), ending=Ending.STALLED).ticks)
    last = next(number for number, tick in enumerate(ticks) if tick.speed_cm_s == 0)
    if creeps_at is not None:
        ticks[last + creeps_at] = ticks[last + creeps_at].model_copy(update={"speed_cm_s": AT_REST_CM_S})
        last += creeps_at + 1
    score = score_run(Run(feed="x", ending=Ending.STALLED, ticks=tuple(ticks)), DANGER)

    assert score.first_wrong is not None
    assert (score.first_wrong.kind, score.first_wrong.time_s) == (MomentKind.STALLED, ticks[last].time_s)
