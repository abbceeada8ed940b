"""Focal lengths in pixels from manufacturers' data, for comparison with measured ones."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class SensorMode:
    """A sensor behind a lens, in one of its modes.

    Attributes:
        name: Name of the camera.
        mode: Number of the sensor mode.
        width_px: Width of the picture.
        height_px: Height of the picture.
        focal_mm: Focal length of the lens.
        pixel_um: Width of a pixel of the sensor.
        binning: Number of the sensor's pixels, horizontally, per pixel of the picture; cropping has no
            effect.
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
"""The common camera for the Jetson's connector, from its data sheet."""


def focal_of_view_px(diagonal_deg: float, width_px: int, height_px: int) -> float:
    """The focal length in pixels of a camera whose manufacturer states the diagonal angle of view."""
    return math.hypot(width_px, height_px) / 2 / math.tan(math.radians(diagonal_deg) / 2)


def pinhole_error(off_axis_deg: float) -> float:
    """Relative radial error of the pinhole model for an equidistant lens at this angle off its axis."""
    angle = math.radians(off_axis_deg)
    return math.tan(angle) / angle - 1
