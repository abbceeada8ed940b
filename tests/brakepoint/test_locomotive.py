import pytest
from hypothesis import given
from hypothesis import strategies as st

from brakepoint.locomotive import (
    BRAKING_CM_S2,
    DEAD_POWER,
    FULL_POWER,
    LAG_S,
    ORDER_POWER,
    STOPPING_LIMIT_CM,
    Motion,
    braking_distance_cm,
    power_for_speed,
    slowing_distance_cm,
    speed_for_power,
)
from brakepoint.messages import OrderKind
from brakepoint.rules import FULL_SPEED_CM_S, LOW_SPEED_CM_S

speeds = st.floats(0, FULL_SPEED_CM_S)
times = st.floats(0, 10)


def test_each_order_settles_at_its_speed():
    settled = {kind: Motion().pulled(power, 10).speed_cm_s for kind, power in ORDER_POWER.items()}

    assert settled[OrderKind.FULL_SPEED] == pytest.approx(FULL_SPEED_CM_S, rel=0.01)
    assert settled[OrderKind.LOW_SPEED] == pytest.approx(LOW_SPEED_CM_S, rel=0.01)
    assert settled[OrderKind.BRAKE] == 0


def test_little_power_does_not_overcome_friction():
    assert speed_for_power(15) == 0


@given(st.integers(21, 100))
def test_power_and_speed_are_each_others_inverse(power):
    assert power_for_speed(speed_for_power(power)) == power


@given(speeds)
def test_a_braked_train_rests_after_its_braking_distance(speed):
    rest = Motion(100, speed).braked(60)

    assert rest.speed_cm_s == 0
    assert rest.position_cm == pytest.approx(100 + braking_distance_cm(speed))


@given(st.floats(25, FULL_SPEED_CM_S))
def test_the_slowing_distance_is_where_the_train_has_slowed(speed):
    distance = slowing_distance_cm(speed, LOW_SPEED_CM_S, 22)
    motion, step = Motion(0, speed), 0.001
    while motion.speed_cm_s > 22:
        motion = motion.pulled(ORDER_POWER[OrderKind.LOW_SPEED], step)

    assert motion.position_cm == pytest.approx(distance, abs=0.1)


def test_a_slow_train_needs_no_distance_to_slow_down():
    assert slowing_distance_cm(18, LOW_SPEED_CM_S, 22) == 0


@given(speeds, st.sampled_from(list(OrderKind)), times, times)
def test_two_short_steps_lead_where_one_long_step_does(speed, kind, first, second):
    def after(motion: Motion, seconds: float) -> Motion:
        return (
            motion.braked(seconds) if kind is OrderKind.BRAKE else motion.pulled(ORDER_POWER[kind], seconds)
        )

    one, two = after(Motion(0, speed), first + second), after(after(Motion(0, speed), first), second)

    assert two.position_cm == pytest.approx(one.position_cm, abs=1e-6)
    assert two.speed_cm_s == pytest.approx(one.speed_cm_s, abs=1e-6)


@given(speeds, st.integers(0, 100), times)
def test_a_train_never_goes_back(speed, power, seconds):
    motion = Motion(0, speed)

    assert motion.pulled(power, seconds).position_cm >= 0
    assert motion.braked(seconds).position_cm >= 0
    assert motion.pulled(power, seconds).speed_cm_s >= 0


def test_the_train_of_the_kit_is_this_one():
    """Checks, scores and the course are made for it."""
    assert (FULL_POWER, DEAD_POWER, LAG_S, BRAKING_CM_S2) == (100, 20, 0.35, 60)
    assert ORDER_POWER == {OrderKind.FULL_SPEED: 100, OrderKind.LOW_SPEED: 52, OrderKind.BRAKE: 0}
    assert braking_distance_cm(50) == pytest.approx(50**2 / 120)
    assert pytest.approx(50 * 0.6 + 50**2 / 120) == STOPPING_LIMIT_CM


def test_a_train_at_rest_stays_there_and_needs_no_power():
    assert Motion() == Motion(0, 0)
    assert Motion(5, 0).braked(0) == Motion(5, 0)
    assert (power_for_speed(0), speed_for_power(DEAD_POWER)) == (0, 0)
    assert power_for_speed(10_000) == FULL_POWER


def test_a_braked_train_slows_at_a_constant_rate():
    slower = Motion(100, 50).braked(0.5)

    assert slower.speed_cm_s == pytest.approx(20)
    assert slower.position_cm == pytest.approx(117.5)


def test_after_the_lag_63_percent_of_a_change_of_speed_are_done():
    assert Motion().pulled(FULL_POWER, LAG_S).speed_cm_s == pytest.approx(0.632 * 50, rel=0.001)
