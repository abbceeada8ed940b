import pytest
from driving import drive, feed

from brakepoint.messages import (
    Detection,
    Detections,
    GivenOrder,
    Light,
    MissionState,
    OrderKind,
    Reason,
    SignClass,
    TrainState,
)
from brakepoint.mission.records import Ending
from brakepoint.mission.scoring import score_run
from brakepoint.rules import CONTROL_RATE_HZ
from brakepoint.services.referee import Referee

BEGAN_AT = 5000.0
MISSION = MissionState(run=1, feed="track-stop", running=True, since=BEGAN_AT, at=BEGAN_AT)
SIGN = Detection(sign_class=SignClass.SPEED_LIMIT, confidence=0.9, box=(1, 2, 3, 4))


@pytest.fixture
def referee() -> Referee:
    return Referee(feed("track-empty"), MISSION)


def given(kind=OrderKind.FULL_SPEED, at=BEGAN_AT, run=MISSION.run):
    return GivenOrder(kind=kind, reason=Reason.CLEAR, at=at, giver="us", number=1, run=run)


def seen(at):
    return Detections(frame_id=1, captured_at=at, picture_hash="", items=(SIGN,))


def state(at=BEGAN_AT, position_cm=1.0):
    return TrainState(at=at, position_cm=position_cm, speed_cm_s=50, power=50, braking=False, light=Light.ON)


def test_what_was_heard_live_gives_the_verdict_of_the_virtual_clock():
    truth = feed("track-stop")
    run = drive(truth)
    referee = Referee(truth, MISSION)
    for number, tick in enumerate(run.ticks):
        at = BEGAN_AT + tick.time_s
        referee.hear_detections(
            Detections(frame_id=number, captured_at=at, picture_hash="", items=tick.detections)
        )
        given = tick.order.model_dump() | {"at": at, "giver": "us", "number": number, "run": 1}
        referee.hear_order(GivenOrder(**given))
        referee.hear_state(
            TrainState(
                at=at + 0.001,
                power=0,
                braking=tick.braking,
                light=tick.light,
                position_cm=tick.position_cm,
                speed_cm_s=tick.speed_cm_s,
            )
        )

    assert referee.ending is run.ending
    assert [tick.order.meaning for tick in referee.run.order_changes] == [
        tick.order.meaning for tick in run.order_changes
    ]
    assert score_run(referee.run, truth).score == score_run(run, truth).score
    assert abs(len(referee.ticks) - len(run.ticks)) <= CONTROL_RATE_HZ / 5


def test_what_is_older_than_the_run_is_not_heard():
    referee = Referee(feed("track-stop"), MISSION)
    last = drive(feed("track-stop")).ticks[-1]
    old = last.order.model_dump() | {"at": BEGAN_AT - 1, "giver": "us", "number": 1, "run": 0}
    referee.hear_order(GivenOrder(**old))
    referee.hear_state(
        TrainState(at=BEGAN_AT - 1, power=0, braking=True, light="on", position_cm=400, speed_cm_s=0)
    )

    assert not referee.ticks


@pytest.mark.parametrize(("late_s", "items"), [(-0.1, None), (0.0, (SIGN,)), (0.1, (SIGN,))])
def test_what_was_seen_since_the_run_began_is_in_its_record(referee, late_s, items):
    referee.hear_detections(seen(BEGAN_AT + late_s))
    referee.hear_order(given())
    referee.hear_state(state())

    assert [tick.detections for tick in referee.ticks] == [items]


def test_the_record_begins_with_the_first_word_of_the_train(referee):
    referee.hear_order(given())
    referee.hear_state(state(at=BEGAN_AT + 30))

    assert [tick.time_s for tick in referee.ticks] == [0.0]


@pytest.mark.parametrize("run", [-1, 0, 2])
def test_an_order_for_another_run_is_not_recorded_however_new_it_is(referee, run):
    referee.hear_order(given(at=BEGAN_AT + 0.05, run=run))
    referee.hear_order(given(OrderKind.BRAKE, at=BEGAN_AT + 0.1))
    referee.hear_state(state(at=BEGAN_AT + 0.2))

    assert [tick.order.kind for tick in referee.ticks] == [OrderKind.BRAKE]


def test_each_change_has_a_tick_of_its_own_and_a_repeat_has_none(referee):
    for kind in (OrderKind.FULL_SPEED, OrderKind.FULL_SPEED, OrderKind.BRAKE, OrderKind.LOW_SPEED):
        referee.hear_order(given(kind))
    referee.hear_state(state())
    referee.hear_order(given(OrderKind.LOW_SPEED))
    referee.hear_state(state(at=BEGAN_AT + 3.5 / CONTROL_RATE_HZ))

    assert [tick.order.kind for tick in referee.ticks] == [
        OrderKind.FULL_SPEED,
        OrderKind.BRAKE,
        OrderKind.LOW_SPEED,
        OrderKind.LOW_SPEED,
    ]


def test_nothing_is_written_behind_the_end(referee):
    length_cm = feed("track-empty").length_cm
    referee.hear_order(given())
    referee.hear_state(state())
    for late_s in (1, 2):
        referee.hear_state(state(at=BEGAN_AT + late_s, position_cm=length_cm))

    assert (len(referee.ticks), referee.ending) == (2, Ending.END_OF_TRACK)
    referee.lose_train()
    assert referee.ending is Ending.END_OF_TRACK, "a run that is over does not end twice"


def test_a_train_that_is_lost_before_it_was_seen_ends_nothing(referee):
    referee.lose_train()
    assert referee.ending is None

    referee.hear_order(given())
    referee.hear_state(state())
    referee.lose_train()
    assert referee.ending is Ending.TRAIN_LOST


def test_the_late_answer_of_another_replica_is_not_recorded(referee):
    referee.hear_order(given())
    referee.hear_detections(seen(BEGAN_AT + 0.2))
    referee.hear_detections(Detections(frame_id=1, captured_at=BEGAN_AT + 0.1, picture_hash="", items=()))
    referee.hear_state(state())

    assert referee.ticks[0].detections == (SIGN,)
