"""The artwork of the sign plates: one definition for their SVG files, rasters and outlines.

Everything is drawn here as SVG paths in tenths of a millimetre, with the origin at the plate's centre and y
down as in SVG. Pictograms are defined once and composed onto the plates that show them. No text element and
no font is used: letters and digits are drawn as strokes.

``python -m brakepoint.scenery.artwork`` writes ``art/<kind>.svg`` beside this file for each of ``PLATES``.
"""

import math
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from brakepoint.messages import SignClass
from brakepoint.scenery.plate_parts import (
    BLACK,
    BLUE,
    RED,
    SIZES,
    SQUARE_CORNER,
    TRIANGLE_CORNER,
    TRIANGLE_SIDE,
    UNITS_PER_CM,
    WHITE,
    YELLOW,
    Pictogram,
    Shape,
    box,
    danger,
    dot,
    fill,
    lettering,
    limit,
    road_danger,
    square,
    stroke,
)
from brakepoint.scenery.road_signs import ROAD_DRAWINGS

ART_DIR = Path(__file__).parent / "art"


@dataclass(frozen=True)
class PlateArtwork:
    """One kind of sign plate.

    Attributes:
        kind: Name of the kind, and of its SVG file.
        sign_class: Class of the sign, or None for a distractor.
        shape: Silhouette of the plate.
        width_cm: Width of the printed plate.
        height_cm: Height of the printed plate.
        outline: Silhouette in cm, counter-clockwise, origin at the plate's centre, x right, y up.
    """

    kind: str
    sign_class: SignClass | None
    shape: Shape
    width_cm: float
    height_cm: float
    outline: list[tuple[float, float]]


# --- Pictograms ---------------------------------------------------------------------------------------------


def _exclamation(ink: str, paper: str) -> str:
    """A tapered exclamation mark."""
    bar = fill("M-13 -29A13 13 0 0 1 13 -29L7.5 26A7.5 7.5 0 0 1 -7.5 26Z", ink)
    return bar + dot(0, 54, 12.5, ink)


def _children(ink: str, paper: str) -> str:
    """A bigger child running with a smaller one ahead, hand in hand."""
    big = [
        dot(-7, -22, 11, ink),
        fill("M-27 -3Q-17 -9 -7 -3L-5 31H-29Z", ink),
        stroke("M-11 27L-2 44L-10 66H-3", 11, ink),
        stroke("M-23 27L-29 46L-51 51L-54 57", 11, ink),
        stroke("M-9 0L2 17L13 24", 8.5, ink),
        stroke("M-23 0L-38 12L-44 26", 8.5, ink),
    ]
    small = [
        dot(28, 12, 9.5, ink),
        fill("M18 26Q25 21 31 26L36 48H13Z", ink),
        stroke("M30 46L40 53L36 66H43", 8.5, ink),
        stroke("M20 46L17 57L10 63", 8.5, ink),
        stroke("M29 27L39 37L48 33", 7, ink),
        stroke("M21 27L13 24", 7, ink),
    ]
    return "".join(big + small)


def _train(ink: str, paper: str) -> str:
    """A steam locomotive seen from the side, its smoke drifting back."""
    body = [
        box(-42, 11, 36, 7, 3, ink),
        fill("M-38 14H-10V52H-38Z", ink),
        box(-31, 22, 14, 12, 2, paper),
        box(-16, 26, 62, 26, 6, ink),
        fill("M-2 28V24A7 7 0 0 1 12 24V28Z", ink),
        fill("M25 28L22 10H39L36 28Z", ink),
        box(-56, 46, 108, 9, 2, ink),
        fill("M46 46H53L67 69H46Z", ink),
    ]
    smoke = [dot(25, -3, 7, ink), dot(12, -11, 10, ink), dot(-5, -18, 9.5, ink), dot(-5, -33, 7, ink)]
    wheels = [dot(x, 57, 14, paper) + dot(x, 57, 12, ink) + dot(x, 57, 3.5, paper) for x in (-40, -12, 16)]
    pilot = dot(37, 61, 10.5, paper) + dot(37, 61, 8, ink)
    return "".join(body + smoke + wheels) + pilot


def _worker(ink: str, paper: str) -> str:
    """A worker bent over a shovel that digs into a heap."""
    parts = [
        dot(2, -27, 12, ink),
        stroke("M-9 -4L-21 22", 20, ink),
        stroke("M-18 26L-2 44L-8 66H-1", 12, ink),
        stroke("M-24 26L-33 48L-49 66H-44", 12, ink),
        stroke("M-19 11L40 52", 6, ink),
        stroke("M-6 -5L14 10L17 32", 9, ink),
        fill("M14 71Q25 64 31 51Q37 37 46 37Q55 37 60 50Q65 63 74 71Z", ink),
    ]
    return "".join(parts)


def _pedestrian(ink: str, paper: str) -> str:
    """A walking pedestrian on a zebra crossing."""
    stripes = "M-55 62L-45 43H-31L-39 62ZM-6 62L-5 48H5L6 62ZM55 62L45 43H31L39 62Z"
    walker = [
        dot(2, -31, 10, ink),
        stroke("M0 -11L-1 12", 16, ink),
        stroke("M1 14L10 32L18 53", 9, ink),
        stroke("M-3 14L-7 34L-20 53", 9, ink),
        stroke("M4 -13L14 2L23 8", 7, ink),
        stroke("M-4 -13L-14 -1L-17 13", 7, ink),
    ]
    return fill(stripes, ink) + "".join(walker)


def _bus(ink: str, paper: str) -> str:
    """A bus seen from the side."""
    windows = [box(x, -22, 24, 22, 3, paper) for x in (-54, -25, 4)]
    wheels = [dot(x, 32, 17, paper) + dot(x, 32, 12.5, ink) for x in (-34, 36)]
    body = fill("M-64 -26Q-64 -36 -54 -36H50Q59 -36 61 -27L66 2V26Q66 32 60 32H-58Q-64 32 -64 26Z", ink)
    windscreen = fill("M36 -22H50L55 0H36Z", paper)
    return body + "".join(windows) + windscreen + "".join(wheels)


def _horn(ink: str, paper: str) -> str:
    """A bulb horn."""
    tube = stroke("M-26 0H10", 12, ink)
    bell = fill("M-4 -6Q28 -7 43 -28Q47 -32 51 -26V26Q47 32 43 28Q28 7 -4 6Z", ink)
    bulb = fill("M-56 0A19 16 0 0 1 -18 0A19 16 0 0 1 -56 0Z", ink)
    return tube + bell + bulb


# --- Plates -------------------------------------------------------------------------------------------------


def _toy_danger(pictogram: Pictogram) -> str:
    """Returns the toy's yellow warning triangle."""
    return danger(YELLOW, 8, BLACK, YELLOW, pictogram)


def _stop() -> str:
    """Returns the red stop disc."""
    ring = dot(0, 0, 95, RED) + dot(0, 0, 90, WHITE) + dot(0, 0, 84, RED)
    return ring + lettering("STOP", height=47, pitch=37, weight=11, colour=WHITE)


def _no_entry() -> str:
    """Returns the no-entry disc."""
    return dot(0, 0, 95, WHITE) + dot(0, 0, 88, RED) + box(-64, -17, 128, 34, 3, WHITE)


def _blue_square(content: str) -> str:
    """Returns an information square with a thin white border."""
    border = square(190, SQUARE_CORNER, WHITE)
    return border + square(176, SQUARE_CORNER - 6, BLUE) + content


def _crossing() -> str:
    """Returns the pedestrian crossing square."""
    triangle = fill("M0 -74L72 66H-72Z", WHITE) + stroke("M0 -74L72 66H-72Z", 6, WHITE)
    return _blue_square(triangle + _pedestrian(BLACK, WHITE))


def _no_horn() -> str:
    """Returns the no-horn square."""
    ring = dot(0, 0, 82, RED) + dot(0, 0, 69, WHITE)
    slash = stroke("M-51 -51L51 51", 12, RED)
    return square(190, SQUARE_CORNER, WHITE) + ring + _horn(BLACK, WHITE) + slash


_DANGERS = {"exclamation": _exclamation, "children": _children, "train": _train, "worker": _worker}
_TOY = {f"danger-{name}": _toy_danger(pictogram) for name, pictogram in _DANGERS.items()}
_ROAD = {f"road-danger-{name}": road_danger(pictogram) for name, pictogram in _DANGERS.items()}

DRAWINGS: dict[str, tuple[SignClass | None, Shape, str]] = {  # What each kind means, and what it looks like.
    **{kind: (SignClass.DANGER_AHEAD, "triangle", content) for kind, content in _TOY.items()},
    "limit-30": (SignClass.SPEED_LIMIT, "disc", limit("30")),
    "limit-50": (SignClass.SPEED_LIMIT, "disc", limit("50")),
    "stop": (None, "disc", _stop()),
    "no-entry": (None, "disc", _no_entry()),
    "parking": (None, "square", _blue_square(lettering("P", height=94, pitch=0, weight=24, colour=WHITE))),
    "bus-stop": (None, "square", _blue_square(_bus(WHITE, BLUE))),
    "crossing": (None, "square", _crossing()),
    "no-horn": (None, "square", _no_horn()),
    **{kind: (SignClass.DANGER_AHEAD, "triangle", content) for kind, content in _ROAD.items()},
}

_DRAWN = DRAWINGS | ROAD_DRAWINGS


def _outline(shape: Shape) -> list[tuple[float, float]]:
    """Returns the silhouette in cm, counter-clockwise, y up: about 100 points on its rounded corners."""
    if shape == "triangle-down":
        return [(-x, -y) for x, y in _outline("triangle")]
    if shape == "diamond":
        tip = max(x + y for x, y in _outline("square"))
        half_cm = SIZES[shape][0] / 2 / UNITS_PER_CM
        return [((x - y) * half_cm / tip, (x + y) * half_cm / tip) for x, y in _outline("square")]
    width, height = SIZES[shape]
    if shape == "disc":
        centres, corner = [(0.0, 0.0)], width / 2
    elif shape == "square":
        reach, corner = width / 2 - SQUARE_CORNER, SQUARE_CORNER
        centres = [(reach, reach), (-reach, reach), (-reach, -reach), (reach, -reach)]
    else:
        half, corner = TRIANGLE_SIDE / 2, TRIANGLE_CORNER
        foot = corner - height / 2
        centres = [(half, foot), (0.0, height / 2 - corner), (-half, foot)]
    turn, steps = math.tau / len(centres), 96 // len(centres) + 1
    start = {"disc": 0.0, "square": 0.0, "triangle": -math.pi / 2}[shape]
    points = []
    for i, (x, y) in enumerate(centres):
        for angle in start + turn * (i + np.linspace(0, 1, steps)):
            points.append((float(x + corner * np.cos(angle)), float(y + corner * np.sin(angle))))
    if shape == "disc":
        points.pop()  # A full turn ends where it began.
    return [(x / UNITS_PER_CM, y / UNITS_PER_CM) for x, y in points]


def _plate(kind: str) -> PlateArtwork:
    """Returns the plate of a kind."""
    sign_class, shape, _ = _DRAWN[kind]
    width, height = SIZES[shape]
    return PlateArtwork(kind, sign_class, shape, width / UNITS_PER_CM, height / UNITS_PER_CM, _outline(shape))


PLATES: dict[str, PlateArtwork] = {kind: _plate(kind) for kind in DRAWINGS}
"""The plates of tracks, and the four warnings of roads that are rendered, too."""
ROAD_PLATES: dict[str, PlateArtwork] = {kind: _plate(kind) for kind in ROAD_DRAWINGS}
"""The plates that only the base model's roads have."""
ALL_PLATES = PLATES | ROAD_PLATES


# --- Output -------------------------------------------------------------------------------------------------


def _document(kind: str, width: int, height: int) -> str:
    """Returns the SVG document of a kind, for display at `width` by `height`."""
    _, shape, content = _DRAWN[kind]
    x, y = SIZES[shape]
    view = f'viewBox="{-x / 2:g} {-y / 2:g} {x} {y}" preserveAspectRatio="none"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" {view}>'
    lines = content.replace("><", ">\n<")
    return f"{head}\n<title>{kind}</title>\n{lines}\n</svg>\n"


def svg(kind: str) -> str:
    """Returns the SVG document of a kind; its viewBox is the tight bounding box of the plate."""
    return _document(kind, *SIZES[_DRAWN[kind][1]])


def rasterise(kind: str, size_px: int) -> np.ndarray:
    """Renders a plate so that it fills its raster exactly.

    Args:
        kind: A key of ``ALL_PLATES``.
        size_px: Width of the raster; its height follows the plate's proportions, to the nearest pixel.

    Returns:
        uint8 array of shape (height, size_px, 4): RGBA, alpha not premultiplied, transparent off the plate.
    """
    import resvg_py
    from PIL import Image

    plate = ALL_PLATES[kind]
    height_px = round(size_px * plate.height_cm / plate.width_cm)
    png = resvg_py.svg_to_bytes(svg_string=_document(kind, size_px, height_px), skip_system_fonts=True)
    return np.array(Image.open(BytesIO(png)).convert("RGBA"))


def main() -> None:
    """Writes the SVG file of every kind."""
    ART_DIR.mkdir(exist_ok=True)
    for kind in PLATES:
        (ART_DIR / f"{kind}.svg").write_text(svg(kind), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
