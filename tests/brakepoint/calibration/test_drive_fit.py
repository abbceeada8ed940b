"""Motor and brake, from runs between two marks."""

import math
from dataclasses import replace

import numpy as np
import pytest

from brakepoint.calibration.drive import (
    RESERVE_VOLTS,
    Leg,
    Seen,
    fit_drive,
    speed_in_sight_cm_s,
    speed_of,
    steady,
)
from brakepoint.calibration.least_squares import least_squares
from brakepoint.errors import UserError
from brakepoint.messages import Order, OrderKind, Reason
from brakepoint.rules import FULL_SPEED_CM_S, LOW_SPEED_CM_S
from brakepoint.train_file import Drive
from hardware.reckoning import Reckoning

APART_CM = 60.0


def true_leg(power, slope=0.625, start=20.0, lag_s=0.35, braking=60.0, volts=9.0, latency_s=0.0, noise=0.0):
    """A run of a train that settles at `slope` times the power above `start`, seen by a camera."""
    random = np.random.default_rng(power)
    drive = Drive.model_construct(
        full_power=power,
        low_power=start + LOW_SPEED_CM_S / slope,
        start_power=start,
        full_speed_cm_s=slope * (power - start),
        lag_s=lag_s,
        braking_cm_s2=braking,
    )
    train, places = Reckoning(drive), []
    train.at(0)
    train.follow(Order(kind=OrderKind.FULL_SPEED, reason=Reason.BY_HAND, at=0))
    now = braked_at = 0.0
    while not braked_at or now < braked_at + 3:
        now += 1 / 15
        train.at(now)
        places.append((now, train.position_cm))
        if not braked_at and train.position_cm > 75:
            braked_at = now
            train.follow(None)
    times, ways = (np.array(each) for each in zip(*places, strict=True))
    seen = []
    for at in times:
        place = float(np.interp(at - latency_s, times, ways))
        for mark in (0, 1):
            ahead = 60 + mark * APART_CM - place
            if 10 < ahead < 75:
                sigma = 0.02 * ahead
                seen.append(Seen(at, mark, ahead + float(random.normal(0, noise * sigma)), sigma))
    return Leg(power, volts, braked_at, tuple(seen))


@pytest.mark.parametrize(
    "train",
    [
        {},
        {"slope": 0.875, "lag_s": 0.25, "braking": 80.0, "latency_s": 0.2},
        {"slope": 0.5, "start": 12.0, "lag_s": 0.6, "braking": 45.0, "latency_s": 0.1, "noise": 0.5},
    ],
    ids=["the kit's own", "a fast one and a slow camera", "a heavy one, seen with errors"],
)
def test_runs_tell_all_figures_of_a_train(train):
    fit = fit_drive([true_leg(power, **train) for power in (50, 65, 80)], APART_CM, Reckoning)

    slope, start = train.get("slope", 0.625), train.get("start", 20.0)
    assert fit.drive.start_power == pytest.approx(start, abs=1.5)
    assert fit.drive.low_power == pytest.approx(start + LOW_SPEED_CM_S / slope, abs=1)
    assert fit.drive.lag_s == pytest.approx(train.get("lag_s", 0.35), abs=0.08)
    assert fit.drive.braking_cm_s2 == pytest.approx(train.get("braking", 60.0), rel=0.2)
    assert fit.latency_s == pytest.approx(train.get("latency_s", 0.0), abs=0.05)
    assert fit.distance_scale == pytest.approx(1, abs=0.03)
    assert [power for power, _ in fit.legs] == [50, 65, 80]
    assert all(0 < error < 10 for error in fit.errors.values())


def test_a_battery_that_empties_between_the_runs_is_allowed_for():
    """The motor turns by power times voltage: 60 % of 8.1 V are 54 % of 9 V."""
    weaker = replace(true_leg(54), power=60, volts=8.1)
    fit = fit_drive([true_leg(50), true_leg(70), weaker], APART_CM, Reckoning)

    assert fit.drive.volts == 9.0
    assert fit.drive.low_power == pytest.approx(52, abs=0.7)


def test_full_speed_is_what_half_empty_batteries_still_give():
    strong = fit_drive([true_leg(power, slope=1.0) for power in (40, 60)], APART_CM, Reckoning)
    weak = fit_drive([true_leg(power, slope=0.5) for power in (60, 90)], APART_CM, Reckoning)

    assert strong.drive.full_speed_cm_s == FULL_SPEED_CM_S
    assert strong.drive.full_power == pytest.approx(70, abs=1)
    assert weak.drive.full_power == pytest.approx(100 * RESERVE_VOLTS / 9.0, abs=0.1)
    assert weak.drive.full_speed_cm_s == pytest.approx(0.5 * (100 * RESERVE_VOLTS / 9.0 - 20), rel=0.03)


def test_a_hub_that_says_no_voltage_is_measured_without():
    legs = [replace(true_leg(power), volts=None) for power in (50, 80)]
    fit = fit_drive(legs, APART_CM, Reckoning)

    assert fit.drive.volts is None
    assert fit.drive.full_speed_cm_s == pytest.approx(FULL_SPEED_CM_S, rel=0.03)


def test_a_train_is_no_faster_than_its_camera_sees():
    assert speed_in_sight_cm_s(math.inf, 0.2) == math.inf
    speed = speed_in_sight_cm_s(45, 0.2)
    # Blind for half a second, then braked to low speed's limit, all within 70 % of what is seen.
    assert speed * 0.5 + (speed**2 - 22**2) / 120 == pytest.approx(0.7 * 45)
    fit = fit_drive([true_leg(power) for power in (50, 80)], APART_CM, Reckoning, sight_cm=30)
    assert fit.drive.full_speed_cm_s == pytest.approx(speed_in_sight_cm_s(30, fit.latency_s))


def test_runs_in_which_the_train_did_not_move_are_left_out_and_one_is_too_few():
    stuck = Leg(30, 9.0, 4.0, tuple(Seen(at / 15, 0, 60.0, 1.0) for at in range(60)))
    with pytest.raises(UserError, match="the train moved: 1; needed: 2"):
        fit_drive([stuck, true_leg(60)], APART_CM, Reckoning)
    assert len(fit_drive([stuck, true_leg(50), true_leg(60)], APART_CM, Reckoning).legs) == 2


def test_a_train_that_hardly_reaches_low_speed_is_refused():
    with pytest.raises(UserError, match="reaches 17 cm/s"):
        fit_drive([true_leg(power, slope=0.25) for power in (70, 100)], APART_CM, Reckoning)


def test_key_presses_at_the_marks_and_a_tape_are_enough():
    legs = []
    for power in (50, 65, 80):
        speed = 0.7 * (power - 20)
        to_first = 60 / speed + 0.35 + 0.1
        to_second = to_first + APART_CM / speed
        rolled = speed**2 / 120
        seen = (
            Seen(to_first, 0, 0.0, 4.0),
            Seen(to_second, 1, 0.0, 4.0),
            Seen(to_second + 3, 1, -rolled, 0.5, is_late=False),
        )
        legs.append(Leg(power, 8.4, to_second, seen))
        assert speed_of(legs[-1], APART_CM) == pytest.approx(speed)
    fit = fit_drive(legs, APART_CM, Reckoning)

    assert fit.drive.low_power == pytest.approx(20 + 20 / 0.7, abs=2)
    assert fit.drive.braking_cm_s2 == pytest.approx(60, rel=0.25)


def test_the_speed_of_a_run_is_the_steepest_approach():
    assert speed_of(true_leg(80), APART_CM) == pytest.approx(37.5, rel=0.05)
    assert speed_of(Leg(40, None, 1.0, ()), APART_CM) == 0


def test_the_speed_of_a_run_is_the_one_before_the_train_brakes():
    driving = [Seen(n / 15, 0, 60 - 30 * n / 15, 1.0) for n in range(16)]
    at_rest = [Seen(1 + n / 15, 0, 30.0, 1.0) for n in range(1, 30)]

    assert speed_of(Leg(50, 9.0, 1.0, (*driving, *at_rest)), APART_CM) == pytest.approx(30)


def test_what_is_measured_with_is_the_power_itself():
    reckoning = Reckoning(steady(73))
    reckoning.measured(5.0)
    reckoning.at(0)
    reckoning.follow(Order(kind=OrderKind.FULL_SPEED, reason=Reason.BY_HAND, at=0))
    reckoning.at(2)

    assert reckoning.settings.motor == 73


def test_the_smallest_sum_of_squares_of_a_straight_line_and_its_errors():
    x = np.linspace(0, 10, 200)
    y = 3 * x + 2 + np.random.default_rng(0).normal(0, 0.5, len(x))

    def residuals(line):
        return (line[0] * x + line[1] - y) / 0.5

    found, errors = least_squares(residuals, np.array([1.0, 0.0]), np.full(2, -10.0), np.full(2, 10.0))
    assert found == pytest.approx(np.polyfit(x, y, 1), abs=1e-3)
    assert errors == pytest.approx([0.012, 0.07], rel=0.15)
    held, _ = least_squares(residuals, np.array([1.0, 0.0]), np.full(2, -10.0), np.array([10.0, 1.0]))
    assert held[1] == 1.0
