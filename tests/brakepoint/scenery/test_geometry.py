import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brakepoint.scenery.geometry import (
    _box,
    _crooked_deg,
    camera_pose,
    plate_points,
    plate_pose,
    project,
    synthetic_truth,
    truth_signs,
    visible_signs,
)
from brakepoint.scenery.scenario import Scenario, ScenarioSign
from brakepoint.track import Straight
from brakepoint.truth import CameraModel

AT_CM = 120.0


def scenario(seed: int = 1, **sign) -> Scenario:
    given = {"kind": "danger-train", "at_cm": AT_CM, "tilt_deg": 0, **sign}
    return Scenario(name="x", seed=seed, track=(Straight(straight_cm=200),), signs=(ScenarioSign(**given),))


def seen(frame: int, visibility=None, **sign):
    return visible_signs(scenario(**sign), frame, visibility)


def test_a_sign_on_the_right_is_seen_on_the_right():
    (right,), (left,) = seen(30, side="right"), seen(30, side="left")

    assert left.box[2] < CameraModel().width_px / 2 < right.box[0]


@given(st.integers(0, 50))
def test_a_box_is_as_high_as_the_distance_makes_it(frame):
    (sign,) = seen(frame)
    depth_cm = AT_CM - 2 * frame
    height_px = CameraModel().focal_px * truth_signs(scenario())[0].height_cm / depth_cm

    assert sign.box[3] - sign.box[1] == pytest.approx(height_px, rel=0.04)
    assert sign.distance_cm == pytest.approx(np.hypot(depth_cm, 7), rel=0.02)


def test_ground_truth_is_written_with_as_many_decimals_as_can_be_known():
    signs = [sign for frame in range(60) for sign in seen(frame)]

    for decimals, values in (
        (2, [sign.distance_cm for sign in signs]),
        (3, [sign.visible for sign in signs]),
    ):
        assert all(value == round(value, decimals) for value in values)
        assert any(value != round(value, decimals - 1) for value in values)


def test_a_sign_leaves_the_frame_by_its_side():
    visible = [sign.visible for frame in range(50, 60) for sign in seen(frame)]

    assert visible[0] == 1
    assert 0 < visible[-1] < 1
    assert seen(59) == ()
    boxes = [sign.box for frame in range(60) for sign in seen(frame)]
    assert all(0 <= box[0] < box[2] <= 640 and 0 <= box[1] < box[3] <= 480 for box in boxes)
    assert max(box[2] for box in boxes) == 640


def test_a_back_has_no_class_and_does_not_count():
    (back,) = seen(30, facing=False)

    assert back.sign_class is None
    assert not truth_signs(scenario(facing=False))[0].counts


def test_a_plate_that_is_seen_within_12_degrees_of_edge_on_shows_no_front():
    turned = scenario(turn_deg=-60, offset_cm=20)
    plate, from_front = plate_pose(turned, turned.line, 0), []
    for frame in range(20, 45):
        towards = camera_pose(turned, turned.line, 2 * frame).place - plate.centre
        from_front.append(np.degrees(np.arccos(plate.normal @ towards / np.linalg.norm(towards))))
        (sign,) = visible_signs(turned, frame)
        assert (sign.sign_class is None) == (from_front[-1] >= 90 - 12)

    assert min(abs(angle - 78) for angle in from_front if angle < 78) < 0.7
    assert min(abs(angle - 78) for angle in from_front if angle > 78) < 0.7


def test_a_sign_of_the_next_track_is_seen_but_does_not_count():
    (other,) = seen(20, offset_cm=30)

    assert other.sign_class is not None
    assert not truth_signs(scenario(offset_cm=30))[0].counts


def test_a_hidden_sign_is_not_listed():
    assert seen(30, lambda camera, points: np.zeros(len(points), bool)) == ()


@pytest.mark.parametrize(
    ("width_px", "height_px", "has_box"), [(0, 40, False), (1, 40, True), (40, 0, False), (1, 1, False)]
)
def test_a_sign_that_is_only_a_line_or_a_dot_has_no_box(width_px, height_px, has_box):
    corners = np.array([(200.0, 100.0), (200.0 + width_px, 100.0 + height_px)])

    assert (_box(corners, CameraModel()) is not None) is has_box


def test_a_half_hidden_sign_has_half_a_box():
    (whole,) = seen(30)
    (half,) = seen(30, lambda camera, points: points[:, 2] > 4.6)

    assert 0.2 < half.visible < 0.6
    assert half.box[3] < (whole.box[1] + whole.box[3]) / 2 + 1
    assert half.box[1] == whole.box[1]


def test_the_same_seed_shakes_the_same_way():
    one, same, other = (scenario(seed) for seed in (1, 1, 2))

    assert camera_pose(one, one.line, 60) == camera_pose(same, same.line, 60)
    assert camera_pose(one, one.line, 60) != camera_pose(other, other.line, 60)


@given(st.integers(0, 2**32 - 1), st.floats(0, 200))
def test_the_camera_shakes_little_and_its_axes_stay_square(seed, position):
    shaken = scenario(seed)
    pose = camera_pose(shaken, shaken.line, position)

    assert np.allclose(pose.axes @ pose.axes.T, np.eye(3))
    assert abs(pose.yaw) < np.radians(0.5)
    assert pose.z_cm == pytest.approx(CameraModel().height_cm, abs=0.06)


def test_what_lies_straight_ahead_is_in_the_middle():
    still = scenario()
    pose = camera_pose(still, still.line, 50)
    pixels, depth = project(pose, CameraModel(), pose.place + 100 * pose.axes[2:3])

    assert pixels[0] == pytest.approx((320, 240))
    assert depth[0] == pytest.approx(100)


def test_the_points_of_a_plate_cover_its_silhouette():
    outline, area = plate_points("limit-30")

    assert np.linalg.norm(outline, axis=1) == pytest.approx(0.95, abs=0.01)
    assert np.linalg.norm(area, axis=1).max() <= 0.95
    assert len(area) == pytest.approx(np.pi / 4 * 24**2, rel=0.05)


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_ground_truth_is_the_same_every_time(seed):
    assert synthetic_truth(scenario(seed)) == synthetic_truth(scenario(seed))


def test_a_ground_truth_has_a_frame_for_every_two_centimetres():
    truth = synthetic_truth(scenario())

    assert [frame.position_cm for frame in truth.frames] == [2.0 * i for i in range(101)]


def test_signs_are_put_up_slightly_crooked_within_limits():
    drawn = np.array([_crooked_deg(scenario(seed, tilt_deg=None, turn_deg=None), 0) for seed in range(400)])

    assert abs(drawn).max(axis=0) == pytest.approx((5.0, 14.0))
    assert drawn.std(axis=0) == pytest.approx((2.5, 7.0), rel=0.15)
    assert abs(drawn.mean(axis=0)).max() < 1
    assert _crooked_deg(scenario(tilt_deg=3, turn_deg=-30), 0) == (3, -30)
