from io import StringIO

import pytest

from brakepoint.messages import Light, Order, OrderKind, Reason, SignClass
from brakepoint.rules import FULL_SPEED_CM_S
from stubs.printing_hub import PrintingHub

FULL = Order(kind=OrderKind.FULL_SPEED, reason=Reason.CLEAR, at=0)
STOP = Order(
    kind=OrderKind.BRAKE, reason=Reason.DANGER_STOP, sign=SignClass.DANGER_AHEAD, light=Light.BLINK, at=1
)


def test_a_new_hub_stands_with_its_brake_on():
    state = PrintingHub(None).state(5)

    assert (state.position_cm, state.speed_cm_s, state.braking) == (0, 0, True)


def test_an_order_holds_until_the_next_one():
    hub = PrintingHub(None)
    hub.state(0)
    hub.apply(FULL)
    running = hub.state(10)
    hub.apply(STOP)
    resting = hub.state(20)

    assert running.speed_cm_s == pytest.approx(FULL_SPEED_CM_S)
    assert (resting.speed_cm_s, resting.braking, resting.light) == (0, True, Light.BLINK)
    assert resting.position_cm > running.position_cm > 400


def test_only_changed_orders_are_printed():
    out = StringIO()
    hub = PrintingHub(out)
    for now in range(5):
        hub.state(now)
        hub.apply(FULL.model_copy(update={"at": now}))
    hub.apply(STOP)

    assert len(out.getvalue().splitlines()) == 2


@pytest.mark.parametrize(("lang", "said"), [("en", "full speed"), ("fr", "pleine vitesse")])
def test_orders_are_printed_in_the_readers_language(monkeypatch, lang, said):
    monkeypatch.setenv("BRAKEPOINT_LANG", lang)
    out = StringIO()
    hub = PrintingHub(out)
    hub.state(0)
    hub.apply(FULL)

    assert said in out.getvalue()
    assert "0 cm" in out.getvalue()


def test_a_clock_that_goes_back_moves_nothing():
    hub = PrintingHub(None)
    hub.state(0)
    hub.apply(FULL)
    there = hub.state(3)

    assert hub.state(1).position_cm == there.position_cm
    assert hub.state(3).position_cm == there.position_cm


def test_a_closed_hub_brakes_and_may_be_closed_twice():
    hub = PrintingHub(None)
    hub.state(0)
    hub.apply(FULL)
    hub.state(3)
    hub.close()
    hub.close()

    assert hub.state(9).speed_cm_s == 0
