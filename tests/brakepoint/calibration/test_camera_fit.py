"""A camera and its mounting are found from a plate at known places: exactly, and with errors."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brakepoint.calibration.camera import Placement, fit_eye, placed
from brakepoint.calibration.chessboard import VIEWS_MIN, find_board, fit_board
from brakepoint.errors import UserError
from brakepoint.messages import Detection, SignClass
from brakepoint.rules import PLATE_CENTRE_CM

FRAME = 640, 480


def placement(ahead_cm, focal=460.0, height_cm=7.5, pitch_deg=2.0, yaw_deg=0.0, side_cm=0.0, right_cm=7.0):
    """How a pinhole camera sees a plate at that place."""
    low = math.tan(math.radians(pitch_deg)) + (height_cm - PLATE_CENTRE_CM) / ahead_cm
    aside = (right_cm - side_cm) / ahead_cm - math.tan(math.radians(yaw_deg))
    x_px, y_px = 320 + focal * aside, 240 + focal * low
    return Placement(ahead_cm, right_cm, 1.95, focal * 1.95 / ahead_cm, x_px, y_px)


@given(
    focal=st.floats(276, 920),
    height=st.floats(3.5, 11.5),
    pitch=st.floats(-5, 7),
    yaw=st.floats(-5, 5),
    side=st.floats(-4, 4),
)
def test_two_places_tell_everything(focal, height, pitch, yaw, side):
    places = [placement(ahead, focal, height, pitch, yaw, side) for ahead in (30, 55)]
    eye = fit_eye(places, FRAME, FRAME).eye

    found = (eye.focal_px, eye.height_cm, eye.pitch_deg, eye.yaw_deg, eye.side_cm)
    assert found == pytest.approx((focal, height, pitch, yaw, side), abs=1e-6)


def test_the_errors_are_those_of_ruler_and_picture():
    random = np.random.default_rng(1)
    found = []
    for _ in range(300):
        places = []
        for ahead in (30, 60):
            true = placement(ahead + random.normal(0, 0.3), right_cm=7 + random.normal(0, 0.3))
            noise = random.normal(0, 0.4, 3)
            places.append(
                Placement(
                    ahead,
                    7.0,
                    1.95,
                    true.height_px + noise[0],
                    true.x_px + noise[1],
                    true.y_px + noise[2],
                )
            )
        eye = fit_eye(places, FRAME, FRAME).eye
        found.append((eye.focal_px, eye.pitch_deg, eye.side_cm))
    said = fit_eye([placement(30), placement(60)], FRAME, FRAME).errors

    spread = np.std(found, axis=0)
    # What is said allows for a plate that is a little higher or lower than the rules say, too.
    assert spread[0] <= said["focal_px"] <= 3 * spread[0]
    assert said["pitch_deg"] == pytest.approx(spread[1], rel=0.5)
    assert said["side_cm"] == pytest.approx(spread[2], rel=0.5)


def test_the_focal_length_is_in_pixels_of_the_cameras_own_picture():
    fit = fit_eye([placement(30), placement(60)], FRAME, (1280, 720))

    assert fit.eye.focal_px == pytest.approx(690)
    assert (fit.eye.width_px, fit.eye.height_px) == (1280, 720)
    small = fit_eye([placement(30), placement(60)], FRAME, FRAME)
    assert fit.errors["focal_px"] == pytest.approx(1.5 * small.errors["focal_px"])


def test_places_that_are_too_much_alike_or_contradict_each_other_are_refused():
    with pytest.raises(UserError, match="30 cm and 38 cm"):
        fit_eye([placement(30), placement(38)], FRAME, FRAME)
    wrong = placement(60)
    with pytest.raises(UserError, match="460 px, another 613"):
        fit_eye(
            [placement(30), Placement(80, 7, 1.95, wrong.height_px, wrong.x_px, wrong.y_px)], FRAME, FRAME
        )


@pytest.mark.parametrize(
    ("places", "why"),
    [
        ([placement(30.0, height_cm=31.0), placement(55.0, height_cm=31.0)], "height_cm.*at most 30"),
        ([placement(30.0, pitch_deg=40.0), placement(55.0, pitch_deg=40.0)], "pitch_deg.*at most 30"),
        ([placement(30.0, side_cm=-16.0), placement(55.0, side_cm=-16.0)], "side_cm.*at least -15"),
    ],
)
def test_measurements_that_give_a_camera_no_train_has_are_refused(monkeypatch, places, why):
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    with pytest.raises(UserError, match=why):
        fit_eye(places, FRAME, FRAME)


def test_a_board_whose_height_cannot_be_right_is_refused(monkeypatch):
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    flat = np.stack(np.meshgrid(20.0 * np.arange(9), 20.0 * np.arange(6)), axis=-1).reshape(-1, 2)
    boards = [flat + 100 + view for view in range(VIEWS_MIN)]
    with pytest.raises(UserError, match=r"height_cm.*above 0"):
        fit_board(boards, 9, 2.0, -3.0, FRAME, FRAME)


def test_a_place_is_the_median_of_what_most_pictures_show():
    def seen(sign, left):
        return Detection(sign_class=sign, confidence=0.9, box=(left, 10, left + 20, 40))

    danger, limit = SignClass.DANGER_AHEAD, SignClass.SPEED_LIMIT
    place = placed([seen(danger, 100), seen(danger, 102), seen(danger, 400), seen(limit, 0)], 40, 7)

    assert place == Placement(40, 7, 1.95, 30, 112, 25)
    with pytest.raises(UserError, match="40 cm"):
        placed([], 40, 7)


COLUMNS, ROWS, SQUARE_CM = 9, 6, 2.0


def board_view(focal, turn, shift):
    """A picture of a chessboard: `turn` and `shift` take it into the camera's coordinates, in cm."""
    matrix = np.array([[focal, 0, 320], [0, focal, 240], [0, 0, 1]])
    pixels_per_cm, margin = 40, 2
    across, down = COLUMNS + 1 + 2 * margin, ROWS + 1 + 2 * margin
    squares = np.add.outer(np.arange(down), np.arange(across)) % 2 * 255
    squares[:margin] = squares[-margin:] = 255
    squares[:, :margin] = squares[:, -margin:] = 255
    paper = np.kron(squares, np.ones((int(SQUARE_CM * pixels_per_cm),) * 2)).astype(np.uint8)
    origin = (margin + 1) * SQUARE_CM
    to_board = np.array([[1 / pixels_per_cm, 0, -origin], [0, 1 / pixels_per_cm, -origin], [0, 0, 1]])
    plane = matrix @ np.column_stack([turn[:, 0], turn[:, 1], shift])
    picture = cv2.warpPerspective(paper, plane @ to_board, FRAME, flags=cv2.INTER_AREA, borderValue=90)
    return cv2.cvtColor(cv2.GaussianBlur(picture, (3, 3), 0.6), cv2.COLOR_GRAY2BGR)


def turned(x_deg, y_deg, z_deg):
    return cv2.Rodrigues(np.radians([x_deg, y_deg, z_deg]))[0]


@pytest.mark.parametrize(("focal", "height_cm", "pitch_deg"), [(330, 11, -3), (800, 4, 5)])
def test_a_chessboard_tells_focal_length_height_and_pitch(focal, height_cm, pitch_deg):
    away = focal / 460 * 33
    views = []
    for x, y, z in ((25, 0, 0), (-25, 10, 0), (0, 30, 5), (0, -30, -5), (20, 20, 10), (-20, -25, 0)):
        turn = turned(x, y, z)
        middle = turn @ np.array([8.0, 5.0, 0.0])
        views.append(board_view(focal, turn, np.array([0.0, 0.0, away]) - middle))
    # Upright on the table, the lowest corners at 4 cm, right before the camera.
    upright = turned(-pitch_deg, 0, 0)
    lowest_cm = 4.0
    place = upright @ np.array([-8.0, height_cm - lowest_cm - 10.0, away])
    views.append(board_view(focal, upright, place))

    found = (find_board(view, COLUMNS, ROWS) for view in views)
    boards = [board for board in found if board is not None]
    assert len(boards) == len(views)
    fit = fit_board(boards, COLUMNS, SQUARE_CM, lowest_cm, FRAME, FRAME)

    assert fit.eye.focal_px == pytest.approx(focal, rel=0.02)
    assert fit.eye.pitch_deg == pytest.approx(pitch_deg, abs=0.5)
    assert fit.eye.height_cm == pytest.approx(height_cm, abs=0.4)
    assert set(fit.errors) == {"focal_px", "height_cm", "pitch_deg"}
    assert 0 < fit.errors["focal_px"] < 0.03 * focal


def test_a_picture_without_a_board_has_none_and_few_views_are_refused():
    assert find_board(np.full((480, 640, 3), 90, np.uint8), COLUMNS, ROWS) is None
    with pytest.raises(UserError, match=f"seen: 5; needed: {VIEWS_MIN}"):
        fit_board([np.zeros((54, 2))] * 5, COLUMNS, SQUARE_CM, 4.0, FRAME, FRAME)
