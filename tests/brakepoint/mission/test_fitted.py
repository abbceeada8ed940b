"""An autopilot written for the recorded camera drives with any other calibrated camera."""

from typing import Any

import pytest
from driving import feed
from hypothesis import given
from hypothesis import strategies as st

from brakepoint.errors import UserError
from brakepoint.messages import Detection, Detections, Light, Order, OrderKind, Reason, SignClass, TrainState
from brakepoint.mission.fitted import as_recorded_one_sees, fitted
from brakepoint.mission.loop import decide
from brakepoint.scenery.geometry import visible_signs
from brakepoint.scenery.scenario import SCENARIOS_DIR, load_scenario
from brakepoint.train_file import Eye
from brakepoint.truth import CameraModel

FEED = load_scenario(SCENARIOS_DIR / "track-stop.yaml")


def detections(*boxes: tuple[float, float, float, float], at: float = 10.0) -> Detections:
    items = tuple(Detection(sign_class=SignClass.DANGER_AHEAD, confidence=0.9, box=box) for box in boxes)
    return Detections(frame_id=1, captured_at=at, picture_hash="a", items=items)


def test_with_the_recorded_camera_a_box_stays_where_it_is():
    seen = detections((300, 200, 330, 230))

    assert as_recorded_one_sees(seen, Eye()) == seen


@given(st.floats(-4, 4), st.floats(-5, 5), st.integers(80, 160))
def test_a_box_is_moved_to_where_the_recorded_camera_would_have_it(height_cm, pitch_deg, frame):
    model = CameraModel(height_cm=7.5 + height_cm, pitch_deg=2 + pitch_deg)
    eye = Eye(height_cm=model.height_cm, pitch_deg=model.pitch_deg)
    expected = {sign.id: sign for sign in visible_signs(FEED, frame)}
    for sign in visible_signs(FEED, frame, model=model):
        if sign.sign_class is None or sign.visible < 1 or eye.cuts_off(sign.box) or sign.id not in expected:
            continue
        there = expected[sign.id].box
        if abs(sign.box[0] + sign.box[2] - 640) > 25 * (sign.box[3] - sign.box[1]):
            continue  # So far aside it is another track's.
        (moved,) = as_recorded_one_sees(detections(sign.box), eye).items
        assert moved.box[1] + moved.box[3] == pytest.approx(there[1] + there[3], abs=4 + 0.06 * there[3])


def test_a_camera_to_the_right_that_looks_to_the_right_sees_signs_further_left():
    seen = detections((300, 200, 320, 219.5))  # Ten pixels to the centimetre.
    (by_side,) = as_recorded_one_sees(seen, Eye(side_cm=2)).items
    (by_yaw,) = as_recorded_one_sees(seen, Eye(yaw_deg=5)).items

    assert by_side.box == pytest.approx((320, 200, 340, 219.5))
    assert by_yaw.box == pytest.approx((340.245, 200, 360.245, 219.5), abs=0.01)


def test_what_the_edge_cuts_off_is_not_seen():
    assert as_recorded_one_sees(detections((0, 200, 20, 230)), Eye()).items == ()


@pytest.mark.parametrize(("focal_px", "is_seen"), [(460, True), (690, False), (920, False)])
def test_a_sign_that_leaves_a_narrow_picture_far_off_is_left_to_the_next_track(focal_px, is_seen):
    aside = detections((480 - 6, 200, 480 + 6, 213))  # 70 cm ahead and 24 cm to the right.

    assert bool(as_recorded_one_sees(aside, Eye(focal_px=focal_px)).items) is is_seen


class Noted:
    """An autopilot that records its inputs."""

    def __init__(self) -> None:
        self.asked: list[tuple] = []

    def step(self, memory, seen, state, now):
        self.asked.append((memory, seen, state, now))
        return (memory or 0) + 1, Order(kind=OrderKind.FULL_SPEED, reason=Reason.CLEAR, at=now)


def test_the_autopilot_lives_in_the_time_of_its_picture_and_its_order_in_ours():
    noted = Noted()
    step = fitted(noted.step, Eye(latency_s=0.25))
    state = TrainState(at=10, position_cm=50, speed_cm_s=40, power=60, braking=False, light=Light.ON)
    memory, order = step(None, detections((300, 200, 330, 230)), state, 10.0)
    _, later = step(memory, None, None, 11.0)

    assert [asked[0] for asked in noted.asked] == [None, 1]
    assert noted.asked[0][1].captured_at == 9.75
    assert noted.asked[0][2] == state
    assert (noted.asked[0][3], noted.asked[1][3]) == (9.75, 10.75)
    assert noted.asked[1][1:3] == (None, None)
    assert (order.at, later.at) == (10.0, 11.0)


def test_a_picture_corrects_the_position_once():
    noted = Noted()
    step = fitted(noted.step, Eye())
    memory: Any = None
    boxes = [(300, 200, 320, 222), (300, 200, 322, 226), (300, 200, 322, 226)]
    for index, box in enumerate(boxes):
        seen = detections(box).model_copy(update={"frame_id": min(index, 1)})
        state = TrainState(
            at=10, position_cm=4.0 * index, speed_cm_s=40, power=60, braking=False, light=Light.ON
        )
        memory, _ = step(memory, seen, state, 10.0)
        if index == 1:
            after_two = memory.odometry.scale

    assert memory.odometry.scale == pytest.approx(after_two)
    assert after_two != 1.0


def test_the_same_asked_twice_is_answered_twice_the_same():
    truth = feed("track-stop")
    step = fitted(Noted().step, Eye(height_cm=9))
    state = TrainState(at=1, position_cm=5, speed_cm_s=40, power=60, braking=False, light=Light.ON)
    seen = detections(*[sign.box for sign in truth.frames[150].signs])

    once, again = step(None, seen, state, 1.0), step(None, seen, state, 1.0)
    assert once[1] == again[1]
    assert once[0].odometry.mean.tolist() == again[0].odometry.mean.tolist()


@pytest.mark.parametrize("answer", [None, (1,), (1, "brake"), "stop"])
def test_what_is_not_an_answer_is_left_to_the_caller(answer):
    step = fitted(lambda *_: answer, Eye())

    with pytest.raises(UserError) as caught:
        decide(step, None, None, None, 1.0)
    assert caught.value.key == "loop.not_an_order"
