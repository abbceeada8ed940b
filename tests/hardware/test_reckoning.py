import pytest
from hypothesis import given
from hypothesis import strategies as st

from brakepoint.locomotive import DEAD_POWER, ORDER_POWER, braking_distance_cm
from brakepoint.messages import Light, Order, OrderKind, Reason
from brakepoint.rules import CONTROL_RATE_HZ, FULL_SPEED_CM_S, LOW_SPEED_CM_S
from brakepoint.train_file import Drive
from hardware.lwp3 import BRAKE, Colour
from hardware.reckoning import RAMP_S, PortSettings, Reckoning
from stubs.printing_hub import PrintingHub

kinds = st.sampled_from(OrderKind)
steps = st.lists(st.tuples(kinds, st.floats(0, 3)), max_size=12)


def order(kind: OrderKind, light: Light = Light.ON) -> Order:
    return Order(kind=kind, reason=Reason.CLEAR, light=light, at=0)


@given(steps)
def test_the_settings_are_always_valid_orders_for_a_train(plan):
    reckoning, now = Reckoning(), 0.0
    for kind, seconds in plan:
        reckoning.follow(order(kind))
        now += seconds
        reckoning.at(now)
        motor = reckoning.settings.motor
        assert motor == BRAKE if kind is OrderKind.BRAKE else 0 < motor <= ORDER_POWER[kind]


@given(steps)
def test_the_train_never_goes_back_and_never_faster_than_the_one_without_a_ramp(plan):
    reckoning, plain, now, last_cm = Reckoning(), PrintingHub(None), 0.0, 0.0
    plain.state(now)
    reckoning.at(now)
    for kind, seconds in plan:
        reckoning.follow(order(kind))
        plain.apply(order(kind))
        now += seconds
        reckoning.at(now)
        assert last_cm <= reckoning.state.position_cm <= plain.state(now).position_cm + 1e-6
        last_cm = reckoning.state.position_cm


@pytest.mark.parametrize("kind", [OrderKind.FULL_SPEED, OrderKind.LOW_SPEED])
def test_behind_the_ramp_the_power_is_that_of_the_order(kind):
    reckoning = Reckoning()
    reckoning.at(0)
    reckoning.follow(order(kind))
    reckoning.at(RAMP_S)

    assert reckoning.settings.motor == ORDER_POWER[kind]


@pytest.mark.parametrize("steps", [1, 5 * CONTROL_RATE_HZ])
def test_a_brake_takes_its_way_by_the_model_in_however_many_steps(steps):
    reckoning = Reckoning()
    reckoning.at(0)
    reckoning.follow(order(OrderKind.FULL_SPEED))
    reckoning.at(5)
    before = reckoning.state
    reckoning.follow(order(OrderKind.BRAKE))
    for step in range(steps):
        reckoning.at(5 + 5 * (step + 1) / steps)

    way_cm = reckoning.state.position_cm - before.position_cm
    assert way_cm == pytest.approx(braking_distance_cm(before.speed_cm_s))


def test_the_hubs_own_light_says_how_it_is():
    reckoning = Reckoning()
    colours = [reckoning.settings.colour]
    for kind in (OrderKind.FULL_SPEED, OrderKind.BRAKE):
        reckoning.follow(order(kind))
        colours.append(reckoning.settings.colour)

    assert colours == [Colour.BLUE, Colour.GREEN, Colour.RED]


def test_before_the_first_order_nothing_is_driven_and_nothing_lit():
    reckoning = Reckoning()

    assert reckoning.settings == PortSettings() == PortSettings(BRAKE, 0, Colour.BLUE)
    assert (reckoning.state.power, reckoning.state.speed_cm_s, reckoning.state.at) == (0, 0, 0)


def test_half_way_up_the_ramp_of_two_fifths_of_a_second_there_is_half_of_the_power():
    reckoning = Reckoning()
    reckoning.at(0)
    reckoning.follow(order(OrderKind.FULL_SPEED))
    reckoning.at(0.2)

    assert reckoning.settings.motor == round((100 + DEAD_POWER) / 2)


def test_power_falls_at_once_and_rises_from_nothing_behind_a_brake():
    reckoning = Reckoning()
    reckoning.at(0)
    reckoning.follow(order(OrderKind.FULL_SPEED))
    reckoning.at(1)
    reckoning.follow(order(OrderKind.LOW_SPEED))
    assert reckoning.state.power == ORDER_POWER[OrderKind.LOW_SPEED]
    reckoning.follow(order(OrderKind.BRAKE))
    assert reckoning.state.power == 0
    reckoning.follow(order(OrderKind.FULL_SPEED))
    assert reckoning.state.power == 0


def test_a_blinking_light_is_on_for_half_a_second_and_off_for_another():
    reckoning = Reckoning()
    reckoning.follow(order(OrderKind.BRAKE, Light.BLINK))
    lit = []
    for at in (0.0, 0.45, 0.55, 0.95, 1.05):
        reckoning.at(at)
        lit.append(reckoning.settings.light)

    assert lit == [100, 100, 0, 0, 100]


@pytest.mark.parametrize(("light", "percent"), [(Light.ON, 100), (Light.OFF, 0)])
def test_a_light_is_on_or_off(light, percent):
    reckoning = Reckoning()
    reckoning.follow(order(OrderKind.BRAKE, light))

    assert reckoning.settings.light == percent


def test_the_clock_begins_with_the_first_time_it_gets_and_never_goes_back():
    reckoning = Reckoning()
    reckoning.follow(order(OrderKind.FULL_SPEED))
    reckoning.at(50)
    assert (reckoning.state.position_cm, reckoning.state.at) == (0, 50)
    reckoning.at(51)
    there = reckoning.state
    reckoning.at(40)

    assert reckoning.state == there
    assert there.position_cm > 0


# A train that was measured

FAST = Drive(full_power=60, low_power=34, start_power=16, lag_s=0.2, braking_cm_s2=120, volts=9.0)


def settled(reckoning: Reckoning, kind: OrderKind):
    """The motor's setting for an order, and the resulting speed."""
    now = reckoning.state.at
    reckoning.at(now)
    reckoning.follow(order(kind))
    reckoning.at(now + 10)
    return reckoning.settings.motor, reckoning.state.speed_cm_s


def test_a_measured_train_is_driven_and_reckoned_by_its_own_figures():
    reckoning = Reckoning(FAST)

    assert settled(reckoning, OrderKind.FULL_SPEED) == (60, pytest.approx(FULL_SPEED_CM_S))
    assert settled(reckoning, OrderKind.LOW_SPEED) == (34, pytest.approx(LOW_SPEED_CM_S))
    before = reckoning.state
    settled(reckoning, OrderKind.BRAKE)
    assert reckoning.state.position_cm - before.position_cm == pytest.approx(LOW_SPEED_CM_S**2 / (2 * 120))
    assert reckoning.position_cm == reckoning.state.position_cm


@pytest.mark.parametrize(("volts", "full", "low"), [(9.0, 60, 34), (8.1, 67, 38), (7.2, 75, 42)])
def test_an_emptier_battery_drives_the_same_speed_with_more_power(volts, full, low):
    reckoning = Reckoning(FAST)
    reckoning.measured(volts)

    assert settled(reckoning, OrderKind.FULL_SPEED) == (full, pytest.approx(FULL_SPEED_CM_S, rel=0.02))
    assert settled(reckoning, OrderKind.LOW_SPEED) == (low, pytest.approx(LOW_SPEED_CM_S, rel=0.04))


def test_beyond_all_power_the_train_is_reckoned_as_slow_as_it_is():
    reckoning = Reckoning(Drive(full_power=90, low_power=52, volts=9.0))
    reckoning.measured(7.2)

    # All of 7.2 V are as much as 80 % of 9 V, ten percents less than full speed takes.
    motor, speed = settled(reckoning, OrderKind.FULL_SPEED)
    assert motor == reckoning.state.power == 100
    assert speed == pytest.approx(LOW_SPEED_CM_S + (80 - 52) / (90 - 52) * (FULL_SPEED_CM_S - LOW_SPEED_CM_S))


def test_a_battery_that_falls_on_the_way_is_followed():
    reckoning = Reckoning(FAST)
    settled(reckoning, OrderKind.FULL_SPEED)
    reckoning.measured(7.2)
    reckoning.at(reckoning.state.at)

    assert reckoning.settings.motor == 75


def test_without_a_voltage_that_it_was_measured_at_none_is_followed():
    reckoning = Reckoning()
    reckoning.measured(7.2)
    assert settled(reckoning, OrderKind.FULL_SPEED)[0] == ORDER_POWER[OrderKind.FULL_SPEED]

    measured = Reckoning(FAST)
    measured.measured(None)
    assert settled(measured, OrderKind.FULL_SPEED)[0] == 60


def test_another_drive_counts_from_then_on():
    reckoning = Reckoning()
    settled(reckoning, OrderKind.FULL_SPEED)
    reckoning.fit(FAST)
    reckoning.follow(order(OrderKind.FULL_SPEED))

    assert reckoning.settings.motor == 60
