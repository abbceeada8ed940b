"""Determines a camera and its mounting from a plate at two known distances.

The plate is on its post beside a straight track. Its height in the picture gives the focal length; how much
lower its centre is at close range gives the height of the lens; the row that the centre approaches far away
gives the pitch. Likewise, the horizontal positions give the sideways position of the mounting and the yaw.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from pydantic import ValidationError

from brakepoint.errors import UserError
from brakepoint.messages import Detection
from brakepoint.rules import PLATE_CENTRE_CM, PLATE_HEIGHT_CM
from brakepoint.train_file import Eye
from brakepoint.validation import first_fault

RULER_CM = 0.3
"""Accuracy with which a person measures the place of a plate: one standard deviation."""
PLATE_CM = 0.1
"""Accuracy of a plate's height on its post, compared with the rules."""
BOX_PX = 0.4
"""Accuracy of the median of many boxes."""
FURTHER_BY = 1.3
"""Minimum ratio of the far distance to the near one."""
DISAGREEMENT_MAX = 0.15
"""Largest relative difference between the focal lengths from different places; a larger one is an error."""


@dataclass(frozen=True)
class Placement:
    """A plate at a measured position, and its box in the picture.

    Attributes:
        ahead_cm: Distance from the lens to the plate along the track.
        right_cm: Distance to the right of the track's centre line.
        plate_cm: Height of the plate.
        height_px: Height of the plate's box in the picture.
        x_px: The box's centre, from the left edge of the picture.
        y_px: The box's centre, from the top edge of the picture.
    """

    ahead_cm: float
    right_cm: float
    plate_cm: float
    height_px: float
    x_px: float
    y_px: float


@dataclass(frozen=True)
class EyeFit:
    """The result, and one standard deviation of each figure by its name in `Eye`."""

    eye: Eye
    errors: dict[str, float]


def placed(seen: Sequence[Detection], ahead_cm: float, right_cm: float) -> Placement:
    """The place of a plate that was seen in several pictures: the median over all.

    Raises:
        UserError: The plate was not seen in any picture.
    """
    if not seen:
        raise UserError("calibrate.no_plate", distance=ahead_cm)
    sign_class = max({item.sign_class for item in seen}, key=[item.sign_class for item in seen].count)
    mine = [item for item in seen if item.sign_class is sign_class]
    return Placement(
        ahead_cm,
        right_cm,
        PLATE_HEIGHT_CM[sign_class],
        median(item.height_px for item in mine),
        median(item.centre_x_px for item in mine),
        median(item.centre_y_px for item in mine),
    )


def fit_eye(placements: Sequence[Placement], frame_px: tuple[int, int], own_px: tuple[int, int]) -> EyeFit:
    """Determines a camera and its mounting.

    Args:
        placements: At least two, the far one clearly further away than the near one.
        frame_px: Width and height of the pictures in which the plate was seen.
        own_px: Width and height of the camera's own pictures, which were scaled to the height in `frame_px`.

    Raises:
        UserError: The distances are too similar, or contradict what was seen, or give an impossible camera.
    """
    distances = [placement.ahead_cm for placement in placements]
    if max(distances) < FURTHER_BY * min(distances):
        raise UserError("calibrate.too_near", near=min(distances), far=max(distances))
    table = np.array([_figures(placement) for placement in placements])
    focals = table[:, 3] * table[:, 0] / table[:, 2]
    if max(focals) > (1 + DISAGREEMENT_MAX) * min(focals):
        raise UserError("calibrate.disagree", least=min(focals), most=max(focals))
    found = _solve(table, frame_px)
    sigma = np.array([RULER_CM, RULER_CM, PLATE_CM / 2, BOX_PX, BOX_PX, BOX_PX])
    spread = np.zeros(len(found))
    for row in range(len(table)):
        for column, error in enumerate(sigma):
            moved = table.copy()
            moved[row, column] += error
            spread += (_solve(moved, frame_px) - found) ** 2
    # The plate's height above the table is the same at every place, and so is its error.
    scale = own_px[1] / frame_px[1]
    focal, height, pitch, yaw, side = found
    errors = np.sqrt(spread) * (scale, 1, 1, 1, 1)
    errors[1] = math.hypot(errors[1], PLATE_CM)
    eye = measured_eye(
        width_px=own_px[0],
        height_px=own_px[1],
        focal_px=focal * scale,
        height_cm=height,
        pitch_deg=pitch,
        yaw_deg=yaw,
        side_cm=side,
    )
    names = ("focal_px", "height_cm", "pitch_deg", "yaw_deg", "side_cm")
    return EyeFit(eye, dict(zip(names, errors.tolist(), strict=True)))


def measured_eye(**figures: float) -> Eye:
    """A camera with measured figures.

    Raises:
        UserError: No camera of a train has such figures, so a measurement was wrong.
    """
    try:
        return Eye.model_validate(figures)
    except ValidationError as error:
        raise UserError("calibrate.impossible", why=first_fault(error)) from error


def _figures(placement: Placement) -> tuple[float, ...]:
    return (
        placement.ahead_cm,
        placement.right_cm,
        placement.plate_cm,
        placement.height_px,
        placement.x_px,
        placement.y_px,
    )


def _solve(table: np.ndarray, frame_px: tuple[int, int]) -> np.ndarray:
    """The best fit: focal length in pixels, height in cm, pitch and yaw in degrees, and offset in cm.

    Args:
        table: A row for each place: distance, distance to the right, height of the plate, height of its box,
            and middle of the box.
        frame_px: Width and height of the picture.
    """
    ahead, right, plate, box, x, y = table.T
    # `box = focal * plate / ahead`, with the same accuracy for every box.
    shown = plate / ahead
    focal = float(shown @ box / (shown @ shown))
    ones = np.ones(len(ahead))
    down = np.stack([ones, 1 / ahead], axis=1)
    low, drop = np.linalg.lstsq(down, (y - frame_px[1] / 2) / focal, rcond=None)[0]
    across = np.stack([ones, -1 / ahead], axis=1)
    aside, side = np.linalg.lstsq(across, (x - frame_px[0] / 2) / focal - right / ahead, rcond=None)[0]
    pitch, yaw = math.degrees(math.atan(low)), -math.degrees(math.atan(aside))
    return np.array([focal, PLATE_CENTRE_CM + drop, pitch, yaw, side])
