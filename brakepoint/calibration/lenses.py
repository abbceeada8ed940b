"""Focal lengths in pixels that follow from a maker's data: to hold what was measured against."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class SensorMode:
    """A sensor behind a lens, in one of its modes.

    Attributes:
        name: Of the camera.
        mode: Number of the sensor mode.
        width_px: Of the picture.
        height_px: The same.
        focal_mm: Focal length of the lens.
        pixel_um: Width of a pixel of the sensor.
        binning: How many of its pixels, across, make one of the picture; a crop changes nothing.
    """

    name: str
    mode: int
    width_px: int
    height_px: int
    focal_mm: float
    pixel_um: float
    binning: int

    @property
    def focal_px(self) -> float:
        """Focal length in pixels of the picture."""
        return 1000 * self.focal_mm / (self.pixel_um * self.binning)


IMX219 = tuple(
    SensorMode("IMX219, 62°", mode, width_px, height_px, 3.04, 1.12, binning)
    for mode, width_px, height_px, binning in (
        (1, 3264, 1848, 1),
        (2, 1920, 1080, 1),
        (3, 1640, 1232, 2),
        (4, 1280, 720, 2),
    )
)
"""The common camera for the Jetson's connector, by its maker's data sheet."""


def focal_of_view_px(diagonal_deg: float, width_px: int, height_px: int) -> float:
    """The focal length of a camera whose maker says how wide its whole picture is from corner to corner."""
    return math.hypot(width_px, height_px) / 2 / math.tan(math.radians(diagonal_deg) / 2)


def pinhole_error(off_axis_deg: float) -> float:
    """By what share a pinhole has too far out what an equidistant lens shows so far off its axis."""
    angle = math.radians(off_axis_deg)
    return math.tan(angle) / angle - 1
