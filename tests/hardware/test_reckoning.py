import pytest
from hypothesis import given
from hypothesis import strategies as st

from brakepoint.locomotive import ORDER_POWER, braking_distance_cm
from brakepoint.messages import Light, Order, OrderKind, Reason
from hardware.lwp3 import BRAKE, Colour
from hardware.reckoning import RAMP_S, Reckoning
from stubs.printing_hub import PrintingHub

kinds = st.sampled_from(OrderKind)
steps = st.lists(st.tuples(kinds, st.floats(0, 3)), max_size=12)


def order(kind: OrderKind, light: Light = Light.ON) -> Order:
    return Order(kind=kind, reason=Reason.CLEAR, light=light, at=0)


@given(steps)
def test_the_settings_are_always_what_a_train_may_be_told(plan):
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


def test_a_brake_takes_its_way_by_the_model():
    reckoning = Reckoning()
    reckoning.at(0)
    reckoning.follow(order(OrderKind.FULL_SPEED))
    reckoning.at(5)
    before = reckoning.state
    reckoning.follow(order(OrderKind.BRAKE))
    reckoning.at(10)

    way_cm = reckoning.state.position_cm - before.position_cm
    assert way_cm == pytest.approx(braking_distance_cm(before.speed_cm_s))


def test_the_hubs_own_light_says_how_it_is():
    reckoning = Reckoning()
    colours = [reckoning.settings.colour]
    for kind in (OrderKind.FULL_SPEED, OrderKind.BRAKE):
        reckoning.follow(order(kind))
        colours.append(reckoning.settings.colour)

    assert colours == [Colour.BLUE, Colour.GREEN, Colour.RED]
