"""The artwork of the sign plates: one definition for their SVG files, rasters and outlines.

Everything is drawn here as SVG paths in tenths of a millimetre, with the origin at the plate's centre and y
down as in SVG. Pictograms are defined once and composed onto the plates that show them. No text element and
no font is used: letters and digits are drawn as strokes.

``python -m brakepoint.scenery.artwork`` writes ``art/<kind>.svg`` beside this file for each of ``PLATES``.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np

from brakepoint.messages import SignClass

ART_DIR = Path(__file__).parent / "art"

Shape = Literal["triangle", "disc", "square"]
Pictogram = Callable[[str, str], str]
"""A drawing in two colours, ink and paper."""

YELLOW, RED, BLUE, BLACK, WHITE = "#f5c518", "#d3142b", "#0a6fc2", "#151515", "#f8f7f3"

UNITS_PER_CM = 100
SIZES: dict[Shape, tuple[int, int]] = {"triangle": (220, 195), "disc": (190, 190), "square": (190, 190)}
SQUARE_CORNER = 12.0

# The one rounded equilateral triangle whose bounding box is exactly SIZES["triangle"]: a sharp triangle of
# side TRIANGLE_SIDE, widened by TRIANGLE_CORNER all round.
TRIANGLE_SIDE = (220 - 195) / (1 - math.sqrt(3) / 2)
TRIANGLE_CORNER = (220 - TRIANGLE_SIDE) / 2
TRIANGLE_INRADIUS = TRIANGLE_SIDE / math.sqrt(12) + TRIANGLE_CORNER
TRIANGLE_INCENTRE_Y = SIZES["triangle"][1] / 2 - TRIANGLE_INRADIUS


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


# --- Elements -----------------------------------------------------------------------------------------------


def _fill(d: str, colour: str) -> str:
    """Returns a filled path."""
    return f'<path d="{d}" fill="{colour}"/>'


def _stroke(d: str, width: float, colour: str) -> str:
    """Returns a path drawn with a round pen."""
    pen = f'stroke="{colour}" stroke-width="{width:g}" stroke-linecap="round" stroke-linejoin="round"'
    return f'<path d="{d}" fill="none" {pen}/>'


def _dot(x: float, y: float, radius: float, colour: str) -> str:
    """Returns a filled circle."""
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{colour}"/>'


def _box(x: float, y: float, width: float, height: float, corner: float, colour: str) -> str:
    """Returns a filled rectangle with rounded corners, given its top left."""
    place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
    return f'<rect {place} rx="{corner:g}" fill="{colour}"/>'


def _moved(content: str, x: float, y: float, scale: float = 1.0) -> str:
    """Returns content scaled about its origin and moved to (x, y)."""
    return f'<g transform="translate({x:g} {y:g}) scale({scale:g})">{content}</g>'


# --- Letters and digits -------------------------------------------------------------------------------------

GLYPHS = {  # Centre lines in a cell 50 wide and 100 high.
    "0": "M0 25A25 25 0 0 1 50 25V75A25 25 0 0 1 0 75Z",
    "3": "M1 20C5 6 14 0 25 0A24 24 0 0 1 25 48H18M25 48A26 26 0 0 1 25 100C12 100 3 94 0 80",
    "5": "M45 0H8L4 47C10 40 17 37 24 37A26 31.5 0 0 1 24 100C12 100 3 94 0 82",
    "S": "M48 19C45 6 36 0 25 0 10 0 1 10 1 24 1 55 50 42 50 76 50 91 40 100 25 100 12 100 3 93 0 80",
    "T": "M-2 0H52M25 0V100",
    "O": "M0 25A25 25 0 0 1 50 25V75A25 25 0 0 1 0 75Z",
    "P": "M3 100V0H22A30 30 0 0 1 22 60H3",
}


def _lettering(text: str, height: float, pitch: float, weight: float, colour: str) -> str:
    """Returns glyphs centred on the origin.

    Args:
        text: What to write, in glyphs of ``GLYPHS``.
        height: Height of the centre lines; the pen adds half its weight above and below.
        pitch: Distance from one glyph to the next.
        weight: Width of the pen.
        colour: Colour of the pen.
    """
    scale = height / 100
    left = -(pitch * (len(text) - 1) + 50 * scale) / 2
    glyphs = (
        _moved(_stroke(GLYPHS[glyph], weight / scale, colour), left + i * pitch, -height / 2, scale)
        for i, glyph in enumerate(text)
    )
    return "".join(glyphs)


# --- Pictograms ---------------------------------------------------------------------------------------------


def _exclamation(ink: str, paper: str) -> str:
    """A tapered exclamation mark."""
    bar = _fill("M-13 -29A13 13 0 0 1 13 -29L7.5 26A7.5 7.5 0 0 1 -7.5 26Z", ink)
    return bar + _dot(0, 54, 12.5, ink)


def _children(ink: str, paper: str) -> str:
    """A bigger child running with a smaller one ahead, hand in hand."""
    big = [
        _dot(-7, -22, 11, ink),
        _fill("M-27 -3Q-17 -9 -7 -3L-5 31H-29Z", ink),
        _stroke("M-11 27L-2 44L-10 66H-3", 11, ink),
        _stroke("M-23 27L-29 46L-51 51L-54 57", 11, ink),
        _stroke("M-9 0L2 17L13 24", 8.5, ink),
        _stroke("M-23 0L-38 12L-44 26", 8.5, ink),
    ]
    small = [
        _dot(28, 12, 9.5, ink),
        _fill("M18 26Q25 21 31 26L36 48H13Z", ink),
        _stroke("M30 46L40 53L36 66H43", 8.5, ink),
        _stroke("M20 46L17 57L10 63", 8.5, ink),
        _stroke("M29 27L39 37L48 33", 7, ink),
        _stroke("M21 27L13 24", 7, ink),
    ]
    return "".join(big + small)


def _train(ink: str, paper: str) -> str:
    """A steam locomotive seen from the side, its smoke drifting back."""
    body = [
        _box(-42, 11, 36, 7, 3, ink),
        _fill("M-38 14H-10V52H-38Z", ink),
        _box(-31, 22, 14, 12, 2, paper),
        _box(-16, 26, 62, 26, 6, ink),
        _fill("M-2 28V24A7 7 0 0 1 12 24V28Z", ink),
        _fill("M25 28L22 10H39L36 28Z", ink),
        _box(-56, 46, 108, 9, 2, ink),
        _fill("M46 46H53L67 69H46Z", ink),
    ]
    smoke = [_dot(25, -3, 7, ink), _dot(12, -11, 10, ink), _dot(-5, -18, 9.5, ink), _dot(-5, -33, 7, ink)]
    wheels = [_dot(x, 57, 14, paper) + _dot(x, 57, 12, ink) + _dot(x, 57, 3.5, paper) for x in (-40, -12, 16)]
    pilot = _dot(37, 61, 10.5, paper) + _dot(37, 61, 8, ink)
    return "".join(body + smoke + wheels) + pilot


def _worker(ink: str, paper: str) -> str:
    """A worker bent over a shovel that digs into a heap."""
    parts = [
        _dot(2, -27, 12, ink),
        _stroke("M-9 -4L-21 22", 20, ink),
        _stroke("M-18 26L-2 44L-8 66H-1", 12, ink),
        _stroke("M-24 26L-33 48L-49 66H-44", 12, ink),
        _stroke("M-19 11L40 52", 6, ink),
        _stroke("M-6 -5L14 10L17 32", 9, ink),
        _fill("M14 71Q25 64 31 51Q37 37 46 37Q55 37 60 50Q65 63 74 71Z", ink),
    ]
    return "".join(parts)


def _pedestrian(ink: str, paper: str) -> str:
    """A walking pedestrian on a zebra crossing."""
    stripes = "M-55 62L-45 43H-31L-39 62ZM-6 62L-5 48H5L6 62ZM55 62L45 43H31L39 62Z"
    walker = [
        _dot(2, -31, 10, ink),
        _stroke("M0 -11L-1 12", 16, ink),
        _stroke("M1 14L10 32L18 53", 9, ink),
        _stroke("M-3 14L-7 34L-20 53", 9, ink),
        _stroke("M4 -13L14 2L23 8", 7, ink),
        _stroke("M-4 -13L-14 -1L-17 13", 7, ink),
    ]
    return _fill(stripes, ink) + "".join(walker)


def _bus(ink: str, paper: str) -> str:
    """A bus seen from the side."""
    windows = [_box(x, -22, 24, 22, 3, paper) for x in (-54, -25, 4)]
    wheels = [_dot(x, 32, 17, paper) + _dot(x, 32, 12.5, ink) for x in (-34, 36)]
    body = _fill("M-64 -26Q-64 -36 -54 -36H50Q59 -36 61 -27L66 2V26Q66 32 60 32H-58Q-64 32 -64 26Z", ink)
    windscreen = _fill("M36 -22H50L55 0H36Z", paper)
    return body + "".join(windows) + windscreen + "".join(wheels)


def _horn(ink: str, paper: str) -> str:
    """A bulb horn."""
    tube = _stroke("M-26 0H10", 12, ink)
    bell = _fill("M-4 -6Q28 -7 43 -28Q47 -32 51 -26V26Q47 32 43 28Q28 7 -4 6Z", ink)
    bulb = _fill("M-56 0A19 16 0 0 1 -18 0A19 16 0 0 1 -56 0Z", ink)
    return tube + bell + bulb


# --- Plates -------------------------------------------------------------------------------------------------


def _triangle_path(inset: float, corner: float) -> str:
    """Returns the triangle whose sides are `inset` inside the silhouette's, with rounded corners."""
    reach = 2 * (TRIANGLE_INRADIUS - inset - corner)
    tip, foot = TRIANGLE_INCENTRE_Y - reach, TRIANGLE_INCENTRE_Y + reach / 2
    half, dx, dy = reach * math.sqrt(3) / 2, corner * math.sqrt(3) / 2, corner / 2
    arc = f"A{corner:.3f} {corner:.3f} 0 0 1"
    return (
        f"M{-dx:.3f} {tip - dy:.3f}{arc} {dx:.3f} {tip - dy:.3f}"
        f"L{half + dx:.3f} {foot - dy:.3f}{arc} {half:.3f} {foot + corner:.3f}"
        f"H{-half:.3f}{arc} {-half - dx:.3f} {foot - dy:.3f}Z"
    )


def _danger(rim: str, rim_width: float, band: str, field: str, pictogram: Pictogram) -> str:
    """Returns a warning triangle: rim, band and field around a black pictogram."""
    layers = [
        _fill(_triangle_path(0, TRIANGLE_CORNER), rim),
        _fill(_triangle_path(rim_width, TRIANGLE_CORNER - rim_width), band),
        _fill(_triangle_path(21, 5), field),
    ]
    return "".join(layers) + pictogram(BLACK, field)


def _toy_danger(pictogram: Pictogram) -> str:
    """Returns the toy's yellow warning triangle."""
    return _danger(YELLOW, 8, BLACK, YELLOW, pictogram)


def _road_danger(pictogram: Pictogram) -> str:
    """Returns the warning triangle of European roads."""
    return _danger(WHITE, 4, RED, WHITE, pictogram)


def _limit(number: str) -> str:
    """Returns a speed limit disc."""
    ring = _dot(0, 0, 95, WHITE) + _dot(0, 0, 89, RED) + _dot(0, 0, 73, WHITE)
    return ring + _lettering(number, height=62, pitch=52, weight=16, colour=BLACK)


def _stop() -> str:
    """Returns the red stop disc."""
    ring = _dot(0, 0, 95, RED) + _dot(0, 0, 90, WHITE) + _dot(0, 0, 84, RED)
    return ring + _lettering("STOP", height=47, pitch=37, weight=11, colour=WHITE)


def _no_entry() -> str:
    """Returns the no entry disc."""
    return _dot(0, 0, 95, WHITE) + _dot(0, 0, 88, RED) + _box(-64, -17, 128, 34, 3, WHITE)


def _blue_square(content: str) -> str:
    """Returns an information square with a thin white border."""
    border = _box(-95, -95, 190, 190, SQUARE_CORNER, WHITE)
    return border + _box(-88, -88, 176, 176, SQUARE_CORNER - 6, BLUE) + content


def _crossing() -> str:
    """Returns the pedestrian crossing square."""
    triangle = _fill("M0 -74L72 66H-72Z", WHITE) + _stroke("M0 -74L72 66H-72Z", 6, WHITE)
    return _blue_square(triangle + _pedestrian(BLACK, WHITE))


def _no_horn() -> str:
    """Returns the no horn square."""
    ring = _dot(0, 0, 82, RED) + _dot(0, 0, 69, WHITE)
    slash = _stroke("M-51 -51L51 51", 12, RED)
    return _box(-95, -95, 190, 190, SQUARE_CORNER, WHITE) + ring + _horn(BLACK, WHITE) + slash


_DANGERS = {"exclamation": _exclamation, "children": _children, "train": _train, "worker": _worker}
_TOY = {f"danger-{name}": _toy_danger(pictogram) for name, pictogram in _DANGERS.items()}
_ROAD = {f"road-danger-{name}": _road_danger(pictogram) for name, pictogram in _DANGERS.items()}

DRAWINGS: dict[str, tuple[SignClass | None, Shape, str]] = {  # What each kind means, and what it looks like.
    **{kind: (SignClass.DANGER_AHEAD, "triangle", content) for kind, content in _TOY.items()},
    "limit-30": (SignClass.SPEED_LIMIT, "disc", _limit("30")),
    "limit-50": (SignClass.SPEED_LIMIT, "disc", _limit("50")),
    "stop": (None, "disc", _stop()),
    "no-entry": (None, "disc", _no_entry()),
    "parking": (None, "square", _blue_square(_lettering("P", height=94, pitch=0, weight=24, colour=WHITE))),
    "bus-stop": (None, "square", _blue_square(_bus(WHITE, BLUE))),
    "crossing": (None, "square", _crossing()),
    "no-horn": (None, "square", _no_horn()),
    **{kind: (SignClass.DANGER_AHEAD, "triangle", content) for kind, content in _ROAD.items()},
}


def _outline(shape: Shape) -> list[tuple[float, float]]:
    """Returns the silhouette in cm, counter-clockwise, y up: about 100 points on its rounded corners."""
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
    sign_class, shape, _ = DRAWINGS[kind]
    width, height = SIZES[shape]
    return PlateArtwork(kind, sign_class, shape, width / UNITS_PER_CM, height / UNITS_PER_CM, _outline(shape))


PLATES: dict[str, PlateArtwork] = {kind: _plate(kind) for kind in DRAWINGS}


# --- Output -------------------------------------------------------------------------------------------------


def _document(kind: str, width: int, height: int) -> str:
    """Returns the SVG document of a kind, for display at `width` by `height`."""
    _, shape, content = DRAWINGS[kind]
    x, y = SIZES[shape]
    view = f'viewBox="{-x / 2:g} {-y / 2:g} {x} {y}" preserveAspectRatio="none"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" {view}>'
    lines = content.replace("><", ">\n<")
    return f"{head}\n<title>{kind}</title>\n{lines}\n</svg>\n"


def svg(kind: str) -> str:
    """Returns the SVG document of a kind; its viewBox is the tight bounding box of the plate."""
    return _document(kind, *SIZES[PLATES[kind].shape])


def rasterise(kind: str, size_px: int) -> np.ndarray:
    """Renders a plate so that it fills its raster exactly.

    Args:
        kind: A key of ``PLATES``.
        size_px: Width of the raster; its height follows the plate's proportions, to the nearest pixel.

    Returns:
        uint8 array of shape (height, size_px, 4): RGBA, alpha not premultiplied, transparent off the plate.
    """
    import resvg_py
    from PIL import Image

    plate = PLATES[kind]
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
