"""The autopilot alone, fed by hand: a train that runs past signs at known places."""

from typing import Any

import pytest

from brakepoint.messages import Detection, Detections, Light, OrderKind, Reason, SignClass, TrainState
from brakepoint.rules import (
    AT_REST_CM_S,
    CONTROL_RATE_HZ,
    DANGER_WAIT_S,
    FULL_SPEED_CM_S,
    LOW_SPEED_CM_S,
    LOW_SPEED_STRETCH_CM,
    PLATE_CENTRE_CM,
)
from brakepoint.workshop.checks.situations import DANGER, LIMIT, seen
from solutions import step6_autopilot as autopilot
from solutions.step6_autopilot import FROZEN_S, Memory, Sign, locate, step


class Rig:
    """Steps the autopilot at the camera's rate, with a new picture each time."""

    def __init__(self) -> None:
        self.memory: Memory | None = None
        self.count, self.now = 0, 100.0
        self.frame: Detections | None = None

    def state(self, position_cm: float, speed_cm_s: float) -> TrainState:
        return TrainState(
            at=self.now,
            position_cm=position_cm,
            speed_cm_s=speed_cm_s,
            power=0,
            braking=False,
            light=Light.ON,
        )

    def show(
        self,
        *items: Detection,
        at_cm: float = 0.0,
        speed: float = 0.0,
        picture: str | None = None,
        rate_hz: float = CONTROL_RATE_HZ,
    ):
        self.now += 1 / rate_hz
        self.count += 1
        self.frame = Detections(
            frame_id=self.count, captured_at=self.now, picture_hash=picture or str(self.count), items=items
        )
        return self.again(at_cm, speed)

    def again(self, at_cm: float = 0.0, speed: float = 0.0, state_age: float = 0.0):
        """Steps with the same frame again."""
        state = self.state(at_cm, speed).model_copy(update={"at": self.now - state_age})
        self.memory, order = step(self.memory, self.frame, state, self.now)
        return order


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    while rig.show().kind is OrderKind.BRAKE:
        assert rig.count < 10
    return rig


def test_at_the_start_it_waits_for_a_few_good_frames():
    assert Rig().show().reason is Reason.STARTING


def test_without_a_frame_the_train_stays_where_it_is():
    rig = Rig()

    assert rig.again().reason is Reason.NO_FRAMES


def test_without_a_word_from_the_train_it_brakes(rig):
    _, order = step(rig.memory, rig.frame, None, rig.now)

    assert (order.kind, order.reason) == (OrderKind.BRAKE, Reason.NO_TRAIN_STATE)
    assert rig.again(state_age=1.0).reason is Reason.NO_TRAIN_STATE


def test_a_clear_line_is_driven_at_full_speed(rig):
    assert rig.show(speed=50).kind is OrderKind.FULL_SPEED


@pytest.mark.parametrize("sign_class", [DANGER, LIMIT])
def test_a_sign_is_believed_at_its_third_sighting(rig, sign_class):
    kinds = [rig.show(seen(sign_class, 50)).kind for _ in range(3)]

    assert kinds == [OrderKind.FULL_SPEED, OrderKind.FULL_SPEED, OrderKind.LOW_SPEED]


def test_the_same_frame_shown_thrice_is_one_sighting(rig):
    rig.show(seen(DANGER, 50))

    assert [rig.again().kind for _ in range(5)] == [OrderKind.FULL_SPEED] * 5


def test_sightings_in_different_places_are_not_a_sign(rig):
    places = [(20, -7), (60, 7), (40, -10), (25, 9), (65, -3)]

    assert all(rig.show(seen(DANGER, *place)).kind is OrderKind.FULL_SPEED for place in places)


def test_unsure_detections_are_not_looked_at(rig):
    assert all(rig.show(seen(DANGER, 40, confidence=0.3)).kind is OrderKind.FULL_SPEED for _ in range(9))


def test_a_sign_of_the_next_track_is_ignored(rig):
    assert all(rig.show(seen(DANGER, 50, lateral_cm=-30)).kind is OrderKind.FULL_SPEED for _ in range(9))


def test_the_danger_outranks_a_limit_whatever_comes_first_in_the_list(rig):
    for items in ((seen(LIMIT, 40), seen(DANGER, 50)), (seen(DANGER, 50), seen(LIMIT, 40))):
        fresh = Rig()
        orders = [fresh.show(*items) for _ in range(12)]

        assert orders[-1].sign is DANGER


def test_a_danger_pre_empts_a_limit_in_progress(rig):
    limited = [rig.show(seen(LIMIT, 20)) for _ in range(5)][-1]
    surprised = [rig.show(seen(DANGER, 20, lateral_cm=-7), speed=20) for _ in range(3)][-1]
    braking = rig.show(seen(DANGER, 14, lateral_cm=-7), at_cm=6, speed=20)

    assert (limited.sign, surprised.sign) == (LIMIT, DANGER)
    assert (braking.kind, braking.reason, braking.light) == (
        OrderKind.BRAKE,
        Reason.DANGER_STOP,
        Light.BLINK,
    )


def test_a_danger_seen_late_is_braked_for_at_once(rig):
    orders = [rig.show(seen(DANGER, 30 - 3.3 * i), at_cm=3.3 * i, speed=50) for i in range(3)]

    assert orders[-1].kind is OrderKind.BRAKE


def test_a_danger_is_waited_for_once_and_then_passed_slowly(rig):
    for _ in range(4):
        rig.show(seen(DANGER, 12))
    waiting = [rig.show(seen(DANGER, 12)) for _ in range(45)]
    passing = [rig.show(at_cm=position, speed=20) for position in range(1, 92)]
    beyond = rig.show(at_cm=100, speed=20)

    assert waiting[0].kind is OrderKind.BRAKE
    assert waiting[-1].kind is OrderKind.LOW_SPEED
    assert all(order.reason is Reason.DANGER_PASSING for order in passing)
    assert beyond.kind is OrderKind.FULL_SPEED


def test_a_limit_holds_to_the_end_of_its_stretch(rig):
    for _ in range(4):
        rig.show(seen(LIMIT, 40))

    assert rig.show(at_cm=119, speed=20).reason is Reason.SPEED_LIMIT
    assert rig.show(at_cm=126, speed=20).reason is Reason.CLEAR


def test_frames_that_stop_brake_the_train_and_five_good_ones_let_it_go(rig):
    rig.show(speed=50)
    rig.now += 0.4
    assert rig.again(speed=50).reason is Reason.NO_FRAMES

    kinds = [rig.show().kind for _ in range(6)]

    assert kinds == [OrderKind.BRAKE] * 4 + [OrderKind.FULL_SPEED] * 2


def test_one_lost_frame_is_not_a_reason_to_brake(rig):
    rig.show(speed=50)
    rig.frame = None
    rig.now += 0.1

    assert rig.again(speed=50).kind is OrderKind.FULL_SPEED


def test_identical_pictures_brake_a_train_that_moves(rig):
    orders = [rig.show(picture="frozen", speed=50) for _ in range(5)]

    assert orders[-1].reason is Reason.FROZEN_FRAMES


@pytest.mark.parametrize("rate_hz", [5, 15, 60])
def test_a_frozen_camera_is_recognised_by_time_and_not_by_the_number_of_its_pictures(rig, rate_hz):
    for _ in range(10):
        rig.show(speed=50, rate_hz=rate_hz)
    froze_at = rig.now
    while rig.show(picture="frozen", speed=50, rate_hz=rate_hz).reason is not Reason.FROZEN_FRAMES:
        assert rig.now - froze_at < 1

    assert FROZEN_S <= rig.now - froze_at <= FROZEN_S + 2 / rate_hz


def test_identical_pictures_at_rest_are_not_a_fault(rig):
    orders = [rig.show(picture="still", speed=0) for _ in range(20)]

    assert all(order.kind is OrderKind.FULL_SPEED for order in orders)


def test_a_frozen_camera_does_not_let_a_braked_train_go(rig):
    for _ in range(5):
        rig.show(picture="frozen", speed=50)
    orders = [rig.show(picture="frozen", speed=0) for _ in range(30)]

    assert all(order.reason is Reason.FROZEN_FRAMES for order in orders)


def test_a_clock_from_the_future_is_not_trusted(rig):
    rig.show(speed=50)
    rig.now -= 60

    assert rig.again(speed=50).kind is OrderKind.BRAKE


def test_a_step_is_pure(rig):
    frame = rig.show(seen(LIMIT, 30)) and rig.frame
    memory, state = rig.memory, rig.state(0, 50)

    assert step(memory, frame, state, rig.now) == step(memory, frame, state, rig.now)


@pytest.mark.parametrize(("distance", "lateral"), [(60, 7), (20, -6), (45, 0)])
def test_a_sign_is_located_by_its_box(distance, lateral):
    assert locate(seen(DANGER, distance, lateral)) == pytest.approx((distance, lateral, PLATE_CENTRE_CM))


@pytest.mark.parametrize("higher_cm", [-4, 4, 15])
def test_what_hangs_on_the_wall_is_not_a_sign(rig, higher_cm):
    kinds = [rig.show(seen(DANGER, 40, higher_cm=higher_cm)).kind for _ in range(9)]

    assert kinds == [OrderKind.FULL_SPEED] * 9


# At the limits


@pytest.mark.parametrize(
    ("shown_in", "is_believed"),
    [((1, 4, 8), True), ((1, 5, 9), False), ((1, 2), False), ((1, 8, 9, 10), True)],
)
def test_three_sightings_in_eight_frames_are_a_sign_however_they_are_spread(rig, shown_in, is_believed):
    orders = [
        rig.show(*([seen(LIMIT, 50)] if number in shown_in else [])) for number in range(1, max(shown_in) + 1)
    ]

    assert (orders[-1].kind is OrderKind.LOW_SPEED) is is_believed


def test_a_believed_sign_stays_one_although_it_is_not_seen_any_more(rig):
    for _ in range(3):
        rig.show(seen(LIMIT, 50))

    assert [rig.show().kind for _ in range(30)] == [OrderKind.LOW_SPEED] * 30


@pytest.mark.parametrize("confidence", [0.99, 1.0, 1.01])
def test_a_detection_exactly_as_sure_as_is_asked_for_counts(rig, confidence):
    item = seen(LIMIT, 50, confidence=min(confidence * autopilot.CONFIDENCE_MIN, 1.0))
    orders = [rig.show(item) for _ in range(4)]

    assert (orders[-1].kind is OrderKind.LOW_SPEED) is (confidence >= 1)


@pytest.mark.parametrize(
    ("frame_age_s", "state_age_s", "fault"),
    [
        (0.29, 0.0, None),
        (0.31, 0.0, Reason.NO_FRAMES),
        (-0.29, 0.0, None),
        (-0.31, 0.0, Reason.NO_FRAMES),
        (0.0, 0.49, None),
        (0.0, 0.51, Reason.NO_TRAIN_STATE),
        (0.0, -0.49, None),
        (0.0, -0.51, Reason.NO_TRAIN_STATE),
    ],
)
def test_frames_and_states_are_trusted_up_to_their_age_and_no_longer(rig, frame_age_s, state_age_s, fault):
    rig.show(speed=50)
    now = rig.now + frame_age_s
    state = rig.state(0, 50).model_copy(update={"at": now - state_age_s})
    _, order = step(rig.memory, rig.frame, state, now)

    assert order.reason is (fault or Reason.CLEAR)


@pytest.mark.parametrize(
    "not_a_plate",
    [
        {"box": (0.0, 260.0, 20.0, 282.0)},
        {"box": (400.0, autopilot.CAMERA.signs_from_px, 425.0, 260.0)},
        {"box": (380.0, 270.0, 420.0, 290.0)},
    ],
    ids=["at the frame's edge", "at the first row that is looked at", "too wide"],
)
def test_what_cannot_be_a_plate_is_not_a_sign_however_sure_the_detector_is(rig, not_a_plate):
    item = seen(LIMIT, 50, confidence=1.0).model_copy(update=not_a_plate)

    assert [rig.show(item).kind for _ in range(9)] == [OrderKind.FULL_SPEED] * 9


@pytest.mark.parametrize(
    ("ahead_cm", "lateral_cm", "beside"), [(0, 12, True), (0, 30, False), (100, 40, True)]
)
def test_the_further_a_sign_the_more_a_bend_may_move_it_aside(ahead_cm, lateral_cm, beside):
    widest = autopilot.BESIDE_TRACK_CM + ahead_cm**2 / (2 * autopilot.BEND_RADIUS_CM)

    assert autopilot.is_beside(ahead_cm, widest) and autopilot.is_beside(ahead_cm, -widest)
    assert not autopilot.is_beside(ahead_cm, widest + 0.1)
    assert not autopilot.is_beside(ahead_cm, -widest - 0.1)


def sign(sign_class=DANGER, position_cm=100.0, **values) -> Sign:
    known: dict[str, Any] = {
        "weight": 1.0,
        "lateral_cm": 7.0,
        "beside": True,
        "confirmed": True,
        "heeded": True,
        "frames": (1,),
    }
    return Sign(sign_class, position_cm, **known | values)


def position_of(found: Sign | None) -> float | None:
    return found.position_cm if found else None


def test_of_two_signs_near_a_sighting_the_nearer_one_was_seen_again():
    near, nearer, other = sign(position_cm=95.0), sign(position_cm=103.0), sign(LIMIT, 100.0)

    assert autopilot.find_same((near, other, nearer), sign(), 30.0) is nearer
    assert autopilot.find_same((other,), sign(), 30.0) is None
    assert autopilot.find_same((sign(lateral_cm=40.0),), sign(), 30.0) is None


def test_the_place_of_a_sign_is_the_mean_of_its_sightings_and_near_ones_weigh_more():
    merged = autopilot.merge(sign(position_cm=100.0, weight=1.0), sign(position_cm=104.0, weight=3.0), 30.0)

    assert (merged.position_cm, merged.weight) == (103.0, 4.0)


def test_a_detection_that_is_not_sure_enough_makes_no_sign_and_confirms_none_but_corrects_the_place(rig):
    unsure = autopilot.CONFIDENCE_MIN - 0.1
    for _ in range(4):
        rig.show(seen(DANGER, 50, confidence=unsure))
    assert rig.memory.signs == ()

    for confidence in (0.9, 0.9, unsure, unsure):
        rig.show(seen(DANGER, 48, lateral_cm=8.0, confidence=confidence))
        rig.show()
    (known,) = rig.memory.signs
    assert (known.confirmed, len(known.frames)) == (False, 2)
    rig.show(seen(DANGER, 44, lateral_cm=10.0, confidence=unsure))
    (better,) = rig.memory.signs
    assert better.position_cm < known.position_cm
    assert better.lateral_cm == pytest.approx(9.0)


def test_a_sign_of_another_track_that_was_sure_only_from_afar_is_not_stopped_for(rig):
    """From afar it could be beside a bend of this track; nearer sightings, even unsure ones, tell."""
    for ahead_cm in (64, 63, 62, *range(60, 41, -2)):
        confidence = 0.9 if ahead_cm > 60 else 0.5
        rig.show(seen(DANGER, ahead_cm, lateral_cm=-27.5, confidence=confidence), at_cm=110 - ahead_cm)
    kinds = {rig.show(at_cm=110 - ahead_cm, speed=LOW_SPEED_CM_S).kind for ahead_cm in range(40, 10, -1)}

    assert kinds == {OrderKind.FULL_SPEED}


def test_a_sign_seen_so_late_that_the_motor_alone_would_be_too_slow_is_braked_for(rig):
    fast, slow = rig.state(0.0, FULL_SPEED_CM_S), rig.state(0.0, LOW_SPEED_CM_S)

    assert autopilot.slow_down(sign(LIMIT, 5.0), fast) is OrderKind.BRAKE
    assert autopilot.slow_down(sign(LIMIT, 90.0), fast) is OrderKind.LOW_SPEED
    assert autopilot.slow_down(sign(LIMIT, 5.0), slow) is OrderKind.LOW_SPEED
    assert autopilot.slow_down(sign(LIMIT, -5.0), slow) is OrderKind.LOW_SPEED


@pytest.mark.parametrize(
    ("at_cm", "has_come"), [(99.0, True), (109.9, True), (110.0, False)], ids=["before", "barely", "too far"]
)
def test_a_danger_just_passed_can_still_be_stopped_for(at_cm, has_come):
    memory = Memory(signs=(sign(),))

    assert (autopilot.next_danger(memory, at_cm) is not None) is has_come


@pytest.mark.parametrize("not_one", [{"heeded": False}, {"beside": False}, {"done": True}])
def test_a_danger_that_is_far_or_elsewhere_or_done_is_not_stopped_for(not_one):
    memory = Memory(signs=(sign(**not_one), sign(position_cm=180.0), sign(LIMIT, 50.0)))

    assert position_of(autopilot.next_danger(memory, 20.0)) == 180.0


def test_of_several_stretches_the_last_sign_is_reported_and_each_ends_a_little_late():
    memory = Memory(signs=(sign(LIMIT, 50.0), sign(LIMIT, 90.0), sign(LIMIT, 99.0, beside=False)))
    end_cm = 90.0 + LOW_SPEED_STRETCH_CM + autopilot.STRETCH_MARGIN_CM

    assert position_of(autopilot.slowing_sign(memory, 60.0)) == 90.0
    assert position_of(autopilot.slowing_sign(memory, end_cm - 0.1)) == 90.0
    assert autopilot.slowing_sign(memory, end_cm) is None


def test_the_wait_before_a_danger_begins_when_the_train_rests_and_ends_after_its_time(rig):
    memory, danger = Memory(signs=(sign(position_cm=10.0),)), sign(position_cm=10.0)
    memory = autopilot.replace(memory, signs=(danger,))
    wait_s = DANGER_WAIT_S + autopilot.WAIT_MARGIN_S
    told = []
    for speed, now in (
        (AT_REST_CM_S + 0.1, 0),
        (AT_REST_CM_S, 10),
        (0, 10 + wait_s - 0.01),
        (0, 10.01 + wait_s),
    ):
        (danger,) = memory.signs
        memory, order = autopilot.stop(memory, danger, rig.state(0.0, speed), now)
        told.append((order.kind, order.light, memory.rest_since, memory.signs[0].done))

    assert told == [
        (OrderKind.BRAKE, Light.BLINK, None, False),
        (OrderKind.BRAKE, Light.BLINK, 10, False),
        (OrderKind.BRAKE, Light.BLINK, 10, False),
        (OrderKind.BRAKE, Light.BLINK, 10, True),
    ]


def test_a_train_that_rests_far_before_a_danger_creeps_on_and_one_in_the_zone_stays(rig):
    stopping, danger = Memory(stopping=True), sign(position_cm=100.0)
    zone_cm = autopilot.STOP_ZONE_CM - autopilot.PASSED_CM

    assert autopilot.must_stop(danger, stopping, rig.state(100.0 - zone_cm, 0.0))
    assert not autopilot.must_stop(danger, stopping, rig.state(99.9 - zone_cm, 0.0))


def test_what_was_never_believed_is_forgotten_soon_and_a_believed_sign_at_the_end_of_its_stretch():
    memory = Memory(frame_count=20)
    end_cm = 100.0 + LOW_SPEED_STRETCH_CM + autopilot.STRETCH_MARGIN_CM

    assert autopilot.worth_keeping(sign(confirmed=False, frames=(13,)), 0.0, memory)
    assert not autopilot.worth_keeping(sign(confirmed=False, frames=(12,)), 0.0, memory)
    assert autopilot.worth_keeping(sign(), end_cm - 0.1, memory)
    assert not autopilot.worth_keeping(sign(), end_cm, memory)


def approach(rig: Rig, sign_class: SignClass, at_cm: float, seen_until_cm: float = 0.0) -> list[OrderKind]:
    """Runs from 70 cm before a sign up to 12 cm, 2 cm a frame, and sees it until it is so near."""
    orders = []
    for ahead_cm in range(70, 11, -2):
        items = [seen(sign_class, ahead_cm)] if ahead_cm >= seen_until_cm else []
        orders.append(rig.show(*items, at_cm=at_cm - ahead_cm, speed=LOW_SPEED_CM_S))
    return [order.kind for order in orders]


def test_what_was_seen_from_afar_alone_loses_its_standing_before_the_train_stops_for_it(rig):
    orders = approach(rig, DANGER, at_cm=200, seen_until_cm=60)

    assert OrderKind.LOW_SPEED in orders and orders[-1] is OrderKind.FULL_SPEED
    assert OrderKind.BRAKE not in orders
    assert rig.memory is not None and not rig.memory.signs


def test_a_sign_that_is_seen_again_in_between_keeps_its_standing(rig):
    for ahead_cm in range(70, 11, -2):
        items = [seen(DANGER, ahead_cm)] if ahead_cm >= 60 or ahead_cm % 12 == 0 else []
        order = rig.show(*items, at_cm=200 - ahead_cm, speed=LOW_SPEED_CM_S)

    assert (order.kind, order.reason) == (OrderKind.BRAKE, Reason.DANGER_STOP)


@pytest.mark.parametrize(("ahead_cm", "missed"), [(40.0, True), (40.1, False), (29.0, True), (14.9, False)])
def test_a_sign_is_missed_only_where_it_must_show(ahead_cm, missed):
    unseen = autopilot.missed(sign(position_cm=100.0), 100.0 - ahead_cm, frame=2)

    assert unseen.unseen_from_cm == (100.0 - ahead_cm if missed else None)


def test_a_sign_is_missed_from_the_first_frame_on_in_which_it_does_not_show():
    known = autopilot.missed(sign(frames=(1, 2)), 70.0, frame=2)
    missed = autopilot.missed(autopilot.missed(known, 72.0, frame=3), 74.0, frame=4)
    again = autopilot.merge(missed, sign(), 26.0)

    assert (known.unseen_from_cm, missed.unseen_from_cm, again.unseen_from_cm) == (None, 72.0, None)


@pytest.mark.parametrize(
    ("here_cm", "stopping", "kept"),
    [(84.9, False, True), (85.0, False, False), (85.1, False, True), (85.0, True, True)],
    ids=["not for long", "for long", "too near", "a stop is under way"],
)
def test_a_sign_missed_for_long_is_forgotten_unless_it_is_near_or_stopped_for(here_cm, stopping, kept):
    from_cm = here_cm - autopilot.UNSEEN_CM + (0.1 if here_cm < 85 else 0.0)
    missed = sign(position_cm=100.0, unseen_from_cm=from_cm)

    assert autopilot.worth_keeping(missed, here_cm, Memory(stopping=stopping)) is kept


def test_a_train_that_stops_for_a_danger_does_not_begin_to_miss_it(rig):
    for _ in range(4):
        rig.show(seen(DANGER, 14), speed=LOW_SPEED_CM_S)
    assert rig.memory is not None and rig.memory.stopping
    rig.show(at_cm=0.0, speed=5.0)

    assert rig.memory.signs[0].unseen_from_cm is None


def test_a_sign_is_placed_where_it_was_when_its_picture_was_taken(rig):
    rig.show(seen(LIMIT, 50), at_cm=10, speed=50)
    taken = rig.frame
    state = rig.state(20.0, 50.0).model_copy(update={"at": rig.now + 0.2})
    memory = autopilot.look(Memory(), taken, state)

    assert memory.signs[0].position_cm == pytest.approx(60.0)
