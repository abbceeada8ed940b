"""Determines a camera and its mounting from a printed chessboard."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from brakepoint.calibration.camera import EyeFit, measured_eye
from brakepoint.errors import UserError

CORNERS_MIN = 3
"""OpenCV finds no chessboard with fewer inner corners in a row or a column."""
CORNERS_MAX = 50
"""In a camera's picture, more corners would be closer together than OpenCV can tell apart."""
VIEWS_MIN = 6
"""With fewer views, the focal length cannot be separated from the board's distance."""
CORNER_CM = 0.1
"""Accuracy with which a person measures the height of the board."""
FLAGS = (
    cv2.CALIB_FIX_PRINCIPAL_POINT
    | cv2.CALIB_FIX_ASPECT_RATIO
    | cv2.CALIB_ZERO_TANGENT_DIST
    | cv2.CALIB_FIX_K3
)


def find_board(image: np.ndarray, columns: int, rows: int) -> np.ndarray | None:
    """The inner corners of a chessboard, from the top left, `(rows * columns, 2)`; None if none is found.

    Args:
        image: `(height, width, 3)` uint8.
        columns: Inner corners per row, `CORNERS_MIN` to `CORNERS_MAX`.
        rows: Number of rows of inner corners, within the same limits.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    found, corners = cv2.findChessboardCornersSB(grey, (columns, rows))
    if not found:
        return None
    corners = corners.reshape(-1, 2)
    return corners if corners[0, 1] < corners[-1, 1] else corners[::-1]


def fit_board(
    boards: Sequence[np.ndarray],
    columns: int,
    square_cm: float,
    lowest_cm: float,
    frame_px: tuple[int, int],
    own_px: tuple[int, int],
) -> EyeFit:
    """Determines a camera and its mounting.

    Args:
        boards: Corners from `find_board`, in at least `VIEWS_MIN` views at various distances and angles; in
            the last view the board is upright on the table in front of the camera.
        columns: Inner corners per row.
        square_cm: Side of a square.
        lowest_cm: Height of the lowest inner corners above the table in the last view.
        frame_px: Width and height of the pictures.
        own_px: Width and height of the camera's own pictures, which were scaled to the height in `frame_px`.

    Raises:
        UserError: There are too few views, or they give an impossible camera.
    """
    if len(boards) < VIEWS_MIN:
        raise UserError("calibrate.few_views", views=len(boards), needed=VIEWS_MIN)
    places = np.arange(len(boards[0]))
    board = np.stack([places % columns, places // columns, np.zeros(len(places))], axis=1).astype(np.float32)
    board *= square_cm
    matrix = np.array(
        [[frame_px[0], 0, frame_px[0] / 2], [0, frame_px[0], frame_px[1] / 2], [0, 0, 1]], float
    )
    views = [view.astype(np.float32) for view in boards]
    found = cv2.calibrateCameraExtended(
        [board] * len(views),
        views,
        frame_px,
        matrix,
        np.zeros(5),
        flags=FLAGS | cv2.CALIB_USE_INTRINSIC_GUESS,
    )
    _, matrix, _, turns, shifts, spread = found[:6]
    focal, focal_error = float(matrix[0, 0]), float(spread[1, 0])
    turn, _ = cv2.Rodrigues(turns[-1])
    up = -turn[:, 1]
    pitch = math.degrees(math.asin(float(np.clip(up[2], -1, 1))))
    lowest = turn @ board[-1] + shifts[-1].ravel()
    scale = own_px[1] / frame_px[1]
    eye = measured_eye(
        width_px=own_px[0],
        height_px=own_px[1],
        focal_px=focal * scale,
        height_cm=lowest_cm - float(lowest @ up),
        pitch_deg=pitch,
    )
    away_cm = float(np.linalg.norm(lowest))
    tilt = math.hypot(1 / focal, focal_error / focal * math.tan(math.radians(abs(pitch) + 1)))
    errors = {
        "focal_px": focal_error * scale,
        "height_cm": math.hypot(CORNER_CM, away_cm * tilt),
        "pitch_deg": math.degrees(tilt),
    }
    return EyeFit(eye, errors)
