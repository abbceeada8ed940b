"""A run between two marks ends with a train at rest, whatever is seen."""

import math

import pytest

from brakepoint.calibration.drive import Seen
from brakepoint.calibration.legs import (
    BLIND_UNTIL_CM,
    BRAKE_AHEAD_CM,
    DRIVES_MAX_S,
    RESTS_S,
    Course,
    brake_ahead_cm,
    drive_leg,
    marks_in,
    start_cm,
)
from brakepoint.errors import UserError
from brakepoint.messages import Detection, Detections, OrderKind, SignClass
from brakepoint.train_file import Drive, Eye
from hardware.simulation import ReckoningHub, TrueTrain, World

COURSE = Course(apart_cm=60.0, brake_ahead_cm=45.0)


class Table:
    """A true train before two marks, 60 and 120 cm from its start, and the camera that sees them."""

    def __init__(self, speed: float = 1.0, sees=lambda mark, ahead_cm: 10 < ahead_cm < 75) -> None:
        self.world = World(speed=speed)
        self.train = TrueTrain(self.world)
        self.hub = ReckoningHub(self.train, self.world, Drive())
        self.now, self.sees = 0.0, sees
        self.orders: list[OrderKind] = []
        apply = self.hub.apply
        self.hub.apply = lambda order: (self.orders.append(order.kind), apply(order))[1]  # type: ignore[method-assign, func-returns-value]

    def tick(self) -> float:
        self.now += 1 / 15
        return self.now

    def look(self, state) -> list[Seen]:
        places = [60 + 60 * mark - self.train.motion.position_cm for mark in (0, 1)]
        return [
            Seen(state.at, mark, ahead, 1.0) for mark, ahead in enumerate(places) if self.sees(mark, ahead)
        ]

    def drive(self, power: int = 70, course: Course = COURSE):
        return drive_leg(self.hub, power, self.look, self.tick, course)


def test_a_run_begins_and_ends_at_rest_and_the_second_mark_is_not_passed():
    table = Table()
    leg = table.drive()

    assert table.orders[0] is table.orders[-1] is OrderKind.BRAKE
    assert table.train.motion.speed_cm_s == 0
    assert 75 < table.train.motion.position_cm < 110
    assert (leg.power, leg.volts) == (70, 9.0)
    standing = [each for each in leg.seen if each.at <= 0]
    assert {each.ahead_cm for each in standing} == {60.0}
    at_rest = [each for each in leg.seen if each.at > leg.braked_at + RESTS_S / 2]
    assert len({each.ahead_cm for each in at_rest}) == 1


def test_a_train_whose_camera_does_not_see_the_first_mark_does_not_set_off():
    table = Table(sees=lambda mark, ahead_cm: mark == 1)
    with pytest.raises(UserError, match="does not see the DangerAhead plate"):
        table.drive()

    assert set(table.orders) == {OrderKind.BRAKE}


@pytest.mark.parametrize("speed", [0.7, 1.0, 1.4])
def test_a_train_that_never_sees_the_second_mark_brakes_before_it_all_the_same(speed):
    table = Table(speed, sees=lambda mark, ahead_cm: mark == 0 and 15 < ahead_cm < 75)
    leg = table.drive(power=100)

    assert table.train.motion.speed_cm_s == 0
    assert table.train.motion.position_cm < 120 + 70**2 / 120 - BLIND_UNTIL_CM + 10
    assert all(each.mark == 0 for each in leg.seen)


def test_a_camera_that_goes_blind_on_the_way_stops_the_train_within_seconds():
    table = Table(0.7)
    table.sees = lambda mark, ahead_cm: table.train.motion.position_cm < 3
    leg = table.drive(power=40)

    assert leg.braked_at < 8
    assert table.train.motion.speed_cm_s == 0


def test_a_train_that_does_not_move_is_given_up():
    table = Table(speed=0.0)
    leg = table.drive()

    assert leg.braked_at == pytest.approx(DRIVES_MAX_S, abs=0.2)


def test_with_a_stopwatch_it_brakes_where_the_second_mark_is_passed():
    table = Table()
    presses = iter((60.0, 120.0))
    due = [next(presses)]

    def press(state) -> list[Seen]:
        if due and table.train.motion.position_cm >= due[0]:
            mark = int(due.pop() > 60)
            due.extend([nxt] if (nxt := next(presses, None)) else [])
            return [Seen(state.at, mark, 0.0, 4.0)]
        return []

    leg = drive_leg(table.hub, 70, press, table.tick, Course(60.0, 0.0, is_watched=False))

    assert [each.mark for each in leg.seen] == [0, 1]
    assert leg.braked_at == pytest.approx(leg.seen[1].at, abs=0.01)
    assert table.train.motion.position_cm == pytest.approx(120 + 31.25**2 / 120, abs=4)


def test_the_brake_is_put_on_where_the_mark_is_still_seen_from_the_rest():
    least, most = BRAKE_AHEAD_CM
    assert brake_ahead_cm(Eye()) == least
    assert brake_ahead_cm(Eye(focal_px=920, height_cm=11.5, pitch_deg=7)) == most
    between = Eye(focal_px=800, height_cm=9)
    assert brake_ahead_cm(between) == pytest.approx(between.sees_from_cm + 30)


def test_the_train_starts_from_where_its_camera_sees_the_first_mark():
    assert start_cm(Eye()) == pytest.approx(0.8 * 460 * 1.9 / 12)
    assert start_cm(Eye(focal_px=276)) == pytest.approx(0.8 * 276 * 1.9 / 12)
    assert start_cm(Eye(focal_px=2000)) <= 60


def test_each_plate_is_its_mark_and_what_the_edge_cuts_off_is_none():
    def item(sign_class, top, height):
        return Detection(sign_class=sign_class, confidence=0.9, box=(300, top, 320, top + height))

    danger, limit = SignClass.DANGER_AHEAD, SignClass.SPEED_LIMIT
    items = (item(danger, 200, 23), item(limit, 200, 19), item(danger, 0, 40))
    seen = marks_in(Detections(frame_id=1, captured_at=3.5, picture_hash="", items=items), Eye())

    assert [(each.at, each.mark) for each in seen] == [(3.5, 0), (3.5, 1)]
    assert [each.ahead_cm for each in seen] == pytest.approx([460 * 1.95 / 23, 460 * 1.9 / 19])
    assert seen[0].sigma_cm == pytest.approx(39.0 * math.hypot(1 / 23, 0.01))
