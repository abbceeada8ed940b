"""What camera and track rule out isn't a plate, however confident the detector is."""

import pytest

from brakepoint.messages import Detection, Detections, SignClass
from brakepoint.plates import RAILS_CM, RAILS_SEEN_CM, can_be_a_plate, must_show, plates_only
from brakepoint.rules import PLATE_HEIGHT_CM
from brakepoint.truth import CameraModel

CAMERA = CameraModel()
TOP = CAMERA.signs_from_px


def box(*edges: float, sign_class: SignClass = SignClass.SPEED_LIMIT) -> Detection:
    return Detection(sign_class=sign_class, confidence=1.0, box=edges)


@pytest.mark.parametrize(
    ("edges", "possible"),
    [
        ((2, 260, 22, 290), False),
        ((3, 260, 22, 290), True),
        ((100, TOP + 2, 125, TOP + 30), False),
        ((100, TOP + 3, 125, TOP + 30), True),
        ((100, TOP - 2, 125, TOP + 30), False),
        ((100, TOP - 3, 125, TOP + 30), True),
        ((100, 2, 125, 30), False),
        ((100, 3, 125, 30), True),
        ((610, 260, 638, 290), False),
        ((610, 260, 637, 290), True),
        ((100, 440, 130, 478), False),
        ((100, 440, 130, 477), True),
    ],
)
def test_a_box_at_an_edge_of_what_is_looked_at_is_none(edges, possible):
    assert can_be_a_plate(box(*edges), CAMERA) is possible


def test_a_camera_that_does_not_know_where_signs_begin_is_cut_by_the_frame_alone():
    low = CAMERA.model_copy(update={"height_cm": 4.0})

    assert low.signs_from_px == 0
    assert can_be_a_plate(box(100, TOP, 125, TOP + 30), low)
    assert not can_be_a_plate(box(100, 2, 125, 30), low)


@pytest.mark.parametrize(("width_px", "possible"), [(30.0, True), (30.1, False), (8.0, True)])
def test_a_plate_is_at_most_half_as_wide_again_as_it_is_high(width_px, possible):
    assert can_be_a_plate(box(100, 260, 100 + width_px, 280), CAMERA) is possible


@pytest.mark.parametrize("sign_class", SignClass)
@pytest.mark.parametrize(
    ("ahead_cm", "lateral_cm", "possible"),
    [
        (RAILS_SEEN_CM - 0.01, RAILS_CM - 0.01, False),
        (RAILS_SEEN_CM - 0.01, 0.01 - RAILS_CM, False),
        (RAILS_SEEN_CM + 0.1, 0.0, True),
        (RAILS_SEEN_CM - 0.01, RAILS_CM + 0.01, True),
        (RAILS_SEEN_CM - 0.01, -RAILS_CM - 0.01, True),
    ],
)
def test_between_the_rails_just_ahead_stands_no_sign(sign_class, ahead_cm, lateral_cm, possible):
    height = CAMERA.focal_px * PLATE_HEIGHT_CM[sign_class] / ahead_cm
    x = CAMERA.width_px / 2 + CAMERA.focal_px * lateral_cm / ahead_cm
    item = box(x - height / 2, 300, x + height / 2, 300 + height, sign_class=sign_class)

    assert can_be_a_plate(item, CAMERA) is possible


def test_of_a_frame_the_plates_are_left_and_a_frame_of_plates_is_left_alone():
    plate, cut = box(100, 260, 125, 290), box(0, 260, 25, 290)
    frame = Detections(frame_id=1, captured_at=1.0, picture_hash="1", items=(plate, cut))
    kept = plates_only(frame, CAMERA)

    assert kept == frame.model_copy(update={"items": (plate,)})
    assert plates_only(kept, CAMERA) is kept


@pytest.mark.parametrize(
    ("ahead_cm", "lateral_cm", "must"),
    [
        (40.0, 7.0, True),
        (40.1, 7.0, False),
        (15.0, 3.8, True),
        (14.9, 3.8, False),
        (0.0, 0.0, False),
        (20.0, 5.2, True),
        (20.0, -5.2, True),
        (20.0, 5.3, False),
        (20.0, -5.3, False),
    ],
)
def test_a_plate_must_show_where_it_is_large_and_well_inside_the_picture(ahead_cm, lateral_cm, must):
    camera = CAMERA.model_copy(update={"focal_px": 500.0})

    assert must_show(ahead_cm, lateral_cm, camera) is must
