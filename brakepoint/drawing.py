"""Text and colours on pictures, with only OpenCV."""

from functools import cache

import cv2
import numpy as np

from brakepoint.errors import UserError

Colour = tuple[int, int, int]
"""Blue, green, red."""
REGULAR, BOLD = 400, 650
"""Weights of the font."""


def bgr(colour: str) -> Colour:
    """A colour such as `#f4f7fa` in OpenCV's format."""
    red, green, blue = bytes.fromhex(colour.lstrip("#"))
    return blue, green, red


WHITE = bgr("#f4f7fa")


@cache
def _font() -> "cv2.FontFace":
    if not hasattr(cv2, "FontFace"):
        raise UserError("film.old_opencv", version=cv2.__version__)
    return cv2.FontFace("sans")


def write(
    canvas: np.ndarray,
    words: str,
    at: tuple[int, int],
    size: int,
    colour: Colour = WHITE,
    weight: int = REGULAR,
    align: str = "left",
) -> None:
    """Writes text with its baseline at `at`; OpenCV's own font has all French accents."""
    x, y = at
    if align != "left":
        width = text_width(words, size, weight)
        x -= width if align == "right" else width // 2
    cv2.putText(canvas, words, (x, y), colour, _font(), size, weight)


def text_width(words: str, size: int, weight: int = REGULAR) -> int:
    """Width of a string in pixels."""
    return cv2.getTextSize((1, 1), words, (0, 0), _font(), size, weight)[2]
