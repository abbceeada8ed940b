"""The parts from which sign plates are drawn: SVG elements, letters and digits, triangles and rings.

Lengths are tenths of a millimetre, with the origin at the plate's centre and y down as in SVG.
"""

import math
from collections.abc import Callable
from typing import Literal

Shape = Literal["triangle", "triangle-down", "disc", "square", "diamond"]
Pictogram = Callable[[str, str], str]
"""A drawing in two colours, ink and paper."""

YELLOW, RED, BLUE, BLACK, WHITE = "#f5c518", "#d3142b", "#0a6fc2", "#151515", "#f8f7f3"

UNITS_PER_CM = 100
SIZES: dict[Shape, tuple[int, int]] = {
    "triangle": (220, 195),
    "triangle-down": (220, 195),
    "disc": (190, 190),
    "square": (190, 190),
    "diamond": (190, 190),
}
SQUARE_CORNER = 12.0

# The one rounded equilateral triangle whose bounding box is exactly SIZES["triangle"]: a sharp triangle of
# side TRIANGLE_SIDE, widened by TRIANGLE_CORNER all round.
TRIANGLE_SIDE = (220 - 195) / (1 - math.sqrt(3) / 2)
TRIANGLE_CORNER = (220 - TRIANGLE_SIDE) / 2
TRIANGLE_INRADIUS = TRIANGLE_SIDE / math.sqrt(12) + TRIANGLE_CORNER
TRIANGLE_INCENTRE_Y = SIZES["triangle"][1] / 2 - TRIANGLE_INRADIUS


# --- Elements -----------------------------------------------------------------------------------------------


def fill(d: str, colour: str) -> str:
    """Returns a filled path."""
    return f'<path d="{d}" fill="{colour}"/>'


def stroke(d: str, width: float, colour: str) -> str:
    """Returns a path drawn with a round pen."""
    pen = f'stroke="{colour}" stroke-width="{width:g}" stroke-linecap="round" stroke-linejoin="round"'
    return f'<path d="{d}" fill="none" {pen}/>'


def dot(x: float, y: float, radius: float, colour: str) -> str:
    """Returns a filled circle."""
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{colour}"/>'


def box(x: float, y: float, width: float, height: float, corner: float, colour: str) -> str:
    """Returns a filled rectangle with rounded corners, given its top left corner."""
    place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
    return f'<rect {place} rx="{corner:g}" fill="{colour}"/>'


def moved(content: str, x: float, y: float, scale: float = 1.0) -> str:
    """Returns content scaled about its origin and moved to (x, y)."""
    return f'<g transform="translate({x:g} {y:g}) scale({scale:g})">{content}</g>'


def square(side: float, corner: float, colour: str) -> str:
    """Returns a filled square about the origin."""
    return box(-side / 2, -side / 2, side, side, corner, colour)


def turned(content: str, angle_deg: float, x: float, y: float) -> str:
    """Returns content turned clockwise about its origin and moved to (x, y)."""
    return f'<g transform="translate({x:g} {y:g}) rotate({angle_deg:g})">{content}</g>'


def mirrored(content: str) -> str:
    """Returns content with left and right exchanged."""
    return f'<g transform="scale(-1 1)">{content}</g>'


# --- Letters and digits -------------------------------------------------------------------------------------

GLYPHS = {  # Centre lines in a cell 50 wide and 100 high.
    "0": "M0 25A25 25 0 0 1 50 25V75A25 25 0 0 1 0 75Z",
    "1": "M8 18L30 0V100",
    "2": "M1 24C3 8 12 0 25 0A25 25 0 0 1 50 26C50 50 8 70 0 100H50",
    "3": "M1 20C5 6 14 0 25 0A24 24 0 0 1 25 48H18M25 48A26 26 0 0 1 25 100C12 100 3 94 0 80",
    "4": "M36 100V0L-2 68H54",
    "5": "M45 0H8L4 47C10 40 17 37 24 37A26 31.5 0 0 1 24 100C12 100 3 94 0 82",
    "6": "M45 4C18 8 0 36 0 68A25 32 0 0 0 50 68A25 29 0 0 0 2 60",
    "7": "M0 0H50L16 100",
    "8": "M25 47A22 23.5 0 1 1 25.1 47A25 26.5 0 1 1 24.9 47Z",
    "S": "M48 19C45 6 36 0 25 0 10 0 1 10 1 24 1 55 50 42 50 76 50 91 40 100 25 100 12 100 3 93 0 80",
    "T": "M-2 0H52M25 0V100",
    "O": "M0 25A25 25 0 0 1 50 25V75A25 25 0 0 1 0 75Z",
    "P": "M3 100V0H22A30 30 0 0 1 22 60H3",
}


def lettering(text: str, height: float, pitch: float, weight: float, colour: str) -> str:
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
        moved(stroke(GLYPHS[glyph], weight / scale, colour), left + i * pitch, -height / 2, scale)
        for i, glyph in enumerate(text)
    )
    return "".join(glyphs)


# --- Frames -------------------------------------------------------------------------------------------------


def triangle_path(inset: float, corner: float) -> str:
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


def danger(rim: str, rim_width: float, band: str, field: str, pictogram: Pictogram) -> str:
    """Returns a warning triangle: rim, band and field around a black pictogram."""
    layers = [
        fill(triangle_path(0, TRIANGLE_CORNER), rim),
        fill(triangle_path(rim_width, TRIANGLE_CORNER - rim_width), band),
        fill(triangle_path(21, 5), field),
    ]
    return "".join(layers) + pictogram(BLACK, field)


def road_danger(pictogram: Pictogram) -> str:
    """Returns the warning triangle of European roads."""
    return danger(WHITE, 4, RED, WHITE, pictogram)


def ring() -> str:
    """Returns a white disc in a red ring."""
    return dot(0, 0, 95, WHITE) + dot(0, 0, 89, RED) + dot(0, 0, 73, WHITE)


def limit(number: str) -> str:
    """Returns a speed limit disc for a number of two or three digits."""
    height, pitch, weight = (62, 52, 16) if len(number) == 2 else (54, 39, 12)
    return ring() + lettering(number, height, pitch, weight, colour=BLACK)
