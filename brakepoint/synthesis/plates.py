"""The printed plates of signs, as rasters ready for warping."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources

import cv2
import numpy as np

from brakepoint.messages import SignClass
from brakepoint.scenery.artwork import ALL_PLATES
from brakepoint.scenery.plate_parts import Shape

Outline = np.ndarray
"""`(n, 2)` float: a silhouette in cm about the plate's centre, x right, y up."""

TRIANGLE_CM = (2.2, 1.95)
SIDE_CM = 1.9
ARC_POINTS = 48
VARIANTS = ((0.12, -7), (0.06, -5), (0.1, 0), (0.0, 0), (0.0, 3))
"""Variations in print: margin as a share of the plate, and pixels added to dark lines."""

MIDDLES: dict[Shape, float] = {"triangle": 0.62, "triangle-down": 0.38}
"""How far down a plate its middle is, as a share of its height, for shapes where that isn't one half."""


@dataclass(frozen=True)
class PrintedPlate:
    """One kind of plate.

    Attributes:
        kind: Kind of the plate, for instance `danger-train` or `stop`.
        sign_class: Class of the front for a detector; None for a distractor.
        shape: Shape of the silhouette.
        png: The print as a PNG file.
        outline: The silhouette.
        edge: Colour of the plastic under the print, blue-green-red 0 to 255.
    """

    kind: str
    sign_class: SignClass | None
    shape: Shape
    png: bytes
    outline: Outline
    edge: tuple[float, float, float]

    @cached_property
    def prints(self) -> tuple[tuple[np.ndarray, ...], ...]:
        """Variants of the print, from thin lines and a wide margin to thick lines.

        Each is a pyramid of `(h, w, 4)` float32 images, 0 to 255, blue-green-red-alpha, every level half the
        size of the previous one. Made when the plate is first drawn: a world has only some of the plates.
        """
        image = np.asarray(cv2.imdecode(np.frombuffer(self.png, np.uint8), cv2.IMREAD_UNCHANGED))
        middle = MIDDLES.get(self.shape, 0.5)
        return tuple(
            _pyramid(_with_lines(_with_margin(image, inset, middle), growth)) for inset, growth in VARIANTS
        )

    @property
    def size_cm(self) -> tuple[float, float]:
        """Width and height."""
        width, height = np.ptp(self.outline, axis=0)
        return float(width), float(height)


@cache
def plates() -> dict[str, PrintedPlate]:
    """Every plate, by kind; the kinds that are found only on real roads are called `road-…`."""
    folder = resources.files(__package__) / "plates"
    files = [file for file in folder.iterdir() if file.name.endswith(".png")]
    kinds = {file.name.removesuffix(".png"): file.read_bytes() for file in files}
    return {kind: _plate(kind, kinds[kind]) for kind in sorted(kinds)}


def _plate(kind: str, png: bytes) -> PrintedPlate:
    artwork = ALL_PLATES[kind]
    edge = (20, 175, 225) if kind.startswith("danger-") else (228, 232, 232)
    return PrintedPlate(kind, artwork.sign_class, artwork.shape, png, OUTLINES[artwork.shape](), edge)


def _with_margin(image: np.ndarray, inset: float, middle_down: float) -> np.ndarray:
    """Shrinks a print towards the centre of its plate; the freed margin gets the colour of the rim."""
    if inset == 0:
        return image
    height, width = image.shape[:2]
    middle = np.array([width / 2, height * middle_down])
    matrix = np.column_stack([np.eye(2) * (1 - inset), middle * inset])
    small = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_AREA).astype(np.float32)
    rim = image[height - 4, width // 2, :3]
    cover = small[..., 3:] / 255
    colours = small[..., :3] * cover + rim * (1 - cover)
    return np.dstack([colours.clip(0, 255).astype(np.uint8), image[..., 3]])


def _with_lines(image: np.ndarray, growth: int) -> np.ndarray:
    """Thickens or thins the dark lines of a print by some pixels; the silhouette is unchanged."""
    if growth == 0:
        return image
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(growth) // 2 | 1,) * 2)
    filled = np.where(image[..., 3:] > 0, image[..., :3], 255 if growth > 0 else 0).astype(np.uint8)
    change = cv2.erode if growth > 0 else cv2.dilate
    return np.dstack([change(filled, kernel), image[..., 3]])


def _pyramid(image: np.ndarray) -> tuple[np.ndarray, ...]:
    """Halves an image repeatedly until it is tiny, with colours weighted by alpha to avoid fringes."""
    alpha = image[..., 3:].astype(np.float32) / 255
    levels: list[np.ndarray] = [np.dstack([image[..., :3] * alpha, image[..., 3:]]).astype(np.float32)]
    while min(levels[-1].shape[:2]) > 16:
        height, width = levels[-1].shape[:2]
        levels.append(cv2.resize(levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA))
    return tuple(levels)


def _disc() -> Outline:
    angles = np.linspace(0, 2 * np.pi, ARC_POINTS, endpoint=False)
    return np.column_stack([np.cos(angles), np.sin(angles)]) * SIDE_CM / 2


def _square() -> Outline:
    half = SIDE_CM / 2
    return np.array([(half, half), (-half, half), (-half, -half), (half, -half)])


def _triangle() -> Outline:
    """An equilateral triangle with corners rounded so that its bounding box is `TRIANGLE_CM`."""
    width, height = TRIANGLE_CM
    side = (width - height) / (1 - np.sqrt(3) / 2)
    radius = (width - side) / 2
    foot = radius - height / 2
    tip = foot + side * np.sqrt(3) / 2
    corners = [(side / 2, foot, -90.0), (0.0, tip, 30.0), (-side / 2, foot, 150.0)]
    points = [
        (x + radius * np.cos(np.radians(start + turn)), y + radius * np.sin(np.radians(start + turn)))
        for x, y, start in corners
        for turn in np.linspace(0, 120, ARC_POINTS // 3)
    ]
    return np.array(points)


def _triangle_down() -> Outline:
    return -_triangle()


def _diamond() -> Outline:
    half = SIDE_CM / 2
    return np.array([(half, 0), (0, half), (-half, 0), (0, -half)])


OUTLINES: dict[Shape, Callable[[], Outline]] = {
    "triangle": _triangle,
    "triangle-down": _triangle_down,
    "disc": _disc,
    "square": _square,
    "diamond": _diamond,
}
