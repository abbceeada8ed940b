from hypothesis import given
from hypothesis import strategies as st

from brakepoint.rules import PLATE_CENTRE_CM
from brakepoint.truth import ABOVE_HORIZON_PX, CameraModel


def test_a_camera_above_the_signs_sees_none_above_its_horizon():
    assert CameraModel(pitch_deg=0).signs_from_px == 240 - ABOVE_HORIZON_PX
    assert CameraModel(pitch_deg=-10).signs_from_px < CameraModel(pitch_deg=2).signs_from_px


def test_a_camera_as_low_as_the_signs_may_see_them_anywhere():
    assert CameraModel(height_cm=PLATE_CENTRE_CM).signs_from_px == 0


@given(st.floats(-80, 80))
def test_half_of_a_picture_is_looked_at_wherever_the_camera_looks(pitch_deg):
    camera = CameraModel(pitch_deg=pitch_deg)
    assert 0 <= camera.signs_from_px <= camera.height_px / 2
