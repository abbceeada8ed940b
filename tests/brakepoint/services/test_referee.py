from driving import drive, feed

from brakepoint.messages import Detections, GivenOrder, TrainState
from brakepoint.mission.scoring import score_run
from brakepoint.rules import CONTROL_RATE_HZ
from brakepoint.services.referee import Referee

BEGAN_AT = 5000.0


def test_what_was_heard_live_gives_the_verdict_of_the_virtual_clock():
    truth = feed("track-stop")
    run = drive(truth)
    referee = Referee(truth, BEGAN_AT)
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
    referee = Referee(feed("track-stop"), BEGAN_AT)
    last = drive(feed("track-stop")).ticks[-1]
    given = last.order.model_dump() | {"at": BEGAN_AT - 1, "giver": "us", "number": 1, "run": 0}
    referee.hear_order(GivenOrder(**given))
    referee.hear_state(
        TrainState(at=BEGAN_AT - 1, power=0, braking=True, light="on", position_cm=400, speed_cm_s=0)
    )

    assert not referee.ticks
