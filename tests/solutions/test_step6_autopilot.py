"""The autopilot alone, fed by hand: a train that runs past signs at known places."""

import math

import pytest

from brakepoint.messages import Detection, Detections, Light, OrderKind, Reason, SignClass, TrainState
from brakepoint.rules import CONTROL_RATE_HZ, PLATE_CENTRE_CM, PLATE_HEIGHT_CM
from solutions.step6_autopilot import CAMERA, FROZEN_S, Memory, locate, step

DANGER, LIMIT = SignClass.DANGER_AHEAD, SignClass.SPEED_LIMIT


def seen(
    sign_class: SignClass,
    distance_cm: float,
    lateral_cm: float = 7.0,
    confidence: float = 0.9,
    higher_cm: float = 0,
) -> Detection:
    """The detection of a sign at a place."""
    height = CAMERA.focal_px * PLATE_HEIGHT_CM[sign_class] / distance_cm
    x = CAMERA.width_px / 2 + CAMERA.focal_px * lateral_cm / distance_cm
    below_cm = CAMERA.height_cm - PLATE_CENTRE_CM - higher_cm
    pitch = math.radians(CAMERA.pitch_deg)
    y = CAMERA.height_px / 2 + CAMERA.focal_px * (below_cm / distance_cm + math.tan(pitch))
    box = (x - height / 2, y - height / 2, x + height / 2, y + height / 2)
    return Detection(sign_class=sign_class, confidence=confidence, box=box)


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
        """The same frame once more."""
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


def test_sightings_in_different_places_are_no_sign(rig):
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


def test_one_lost_frame_is_no_reason_to_brake(rig):
    rig.show(speed=50)
    rig.frame = None
    rig.now += 0.1

    assert rig.again(speed=50).kind is OrderKind.FULL_SPEED


def test_identical_pictures_brake_a_train_that_moves(rig):
    orders = [rig.show(picture="frozen", speed=50) for _ in range(5)]

    assert orders[-1].reason is Reason.FROZEN_FRAMES


@pytest.mark.parametrize("rate_hz", [5, 15, 60])
def test_a_frozen_camera_is_told_by_time_and_not_by_the_number_of_its_pictures(rig, rate_hz):
    for _ in range(10):
        rig.show(speed=50, rate_hz=rate_hz)
    froze_at = rig.now
    while rig.show(picture="frozen", speed=50, rate_hz=rate_hz).reason is not Reason.FROZEN_FRAMES:
        assert rig.now - froze_at < 1

    assert FROZEN_S <= rig.now - froze_at <= FROZEN_S + 2 / rate_hz


def test_identical_pictures_at_rest_are_no_fault(rig):
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
def test_what_hangs_on_the_wall_is_no_sign(rig, higher_cm):
    kinds = [rig.show(seen(DANGER, 40, higher_cm=higher_cm)).kind for _ in range(9)]

    assert kinds == [OrderKind.FULL_SPEED] * 9
