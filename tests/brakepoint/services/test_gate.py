import pytest

from brakepoint.messages import GivenOrder, OrderKind, Reason
from brakepoint.rules import LOW_SPEED_STRETCH_CM, ORDER_AGE_MAX_S, WATCHDOG_S
from brakepoint.services.gate import Gate, Refusal

RUN = 3
SOON, LATE = WATCHDOG_S / 2, WATCHDOG_S * 2


def order(at=0.0, number=1, giver="ours", run=RUN, kind=OrderKind.FULL_SPEED):
    return GivenOrder(kind=kind, reason=Reason.CLEAR, at=at, giver=giver, number=number, run=run)


@pytest.fixture
def gate():
    gate = Gate()
    gate.begin_run(RUN)
    gate.passed(order(), 0.0, 0.0)
    return gate


@pytest.mark.parametrize(
    ("given", "now", "refusal"),
    [
        (order(at=SOON, number=2), SOON, None),
        (order(at=SOON, number=1), SOON, Refusal.OUT_OF_ORDER),
        (order(at=0.0, number=2), 1.1 * ORDER_AGE_MAX_S, Refusal.OLD),
        (order(at=1.1 * ORDER_AGE_MAX_S, number=2), 0.0, Refusal.FUTURE),
        (order(at=SOON, number=9, giver="theirs"), SOON, Refusal.OTHER_GIVER),
        (order(at=LATE, number=0, giver="theirs"), LATE, None),
        (order(at=SOON, number=2, run=RUN - 1), SOON, Refusal.OTHER_RUN),
        (order(at=0.0, number=2), ORDER_AGE_MAX_S, None),
        (order(at=ORDER_AGE_MAX_S, number=2), 0.0, None),
        (order(at=WATCHDOG_S, number=0, giver="theirs"), WATCHDOG_S, Refusal.OTHER_GIVER),
    ],
)
def test_only_fresh_orders_of_one_giver_pass(gate, given, now, refusal):
    assert gate.refusal(given, now) is refusal


def test_behind_a_silence_the_train_goes_at_low_speed_for_a_stretch(gate):
    kinds = [
        gate.passed(order(at=at, number=number), at, place_cm).kind
        for number, (at, place_cm) in enumerate(
            [
                (SOON, 5),
                (LATE + SOON, 10),
                (LATE + 2 * SOON, 50),
                (LATE + 3 * SOON, 11 + LOW_SPEED_STRETCH_CM),
            ]
        )
    ]

    assert kinds == [OrderKind.FULL_SPEED, OrderKind.LOW_SPEED, OrderKind.LOW_SPEED, OrderKind.FULL_SPEED]


def test_so_it_does_when_a_controller_takes_over_in_mid_run():
    gate = Gate()
    gate.begin_run(RUN, resumed=True)

    assert gate.passed(order(), 0.0, 200.0).kind is OrderKind.LOW_SPEED
    assert gate.passed(order(kind=OrderKind.BRAKE), 0.0, 200.0).kind is OrderKind.BRAKE


@pytest.mark.parametrize("run", [0, 1, RUN])
def test_before_the_first_run_begins_no_order_passes(run):
    assert Gate().refusal(order(run=run), 0.0) is Refusal.OTHER_RUN


def test_the_first_order_of_all_passes():
    gate = Gate()
    gate.begin_run(RUN)

    assert gate.refusal(order(), 0.0) is None


def test_a_new_run_may_be_driven_by_another_autopilot(gate):
    gate.begin_run(RUN + 1)

    assert gate.refusal(order(run=RUN + 1, giver="theirs"), 0.0) is None


def test_the_stretch_ends_exactly_where_it_is_over():
    gate = Gate()
    gate.begin_run(RUN, resumed=True)
    gate.passed(order(), 0.0, 200.0)

    assert gate.passed(order(), 0.0, 200.0 + LOW_SPEED_STRETCH_CM).kind is OrderKind.FULL_SPEED
