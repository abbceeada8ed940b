"""One sheet of pictures with a detector's hits, misses and false alarms; the worst come first.

The kinds of boxes differ in colour, line and mark, so that no one has to distinguish colours.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from brakepoint.drawing import BOLD, REGULAR, WHITE, Colour, bgr, text_width, write
from brakepoint.errors import UserError, system_says
from brakepoint.evaluation.examine import Examined, read_picture
from brakepoint.files import write_whole
from brakepoint.look import sign_text
from brakepoint.messages import Detection
from brakepoint.texts import number, text

COLUMNS, PICTURES_MAX = 4, 24
PAIRS_MAX = 6
TILE_PX = (480, 360)
CAPTION_PX, HEADER_PX, GAP_PX = 30, 84, 8
NEAR_PX, MISS_NEAR_PX = 4, 8
"""Distance of a box from its sign, so that the sign stays visible.

The distance is larger for a missed sign, so that a false alarm at the same place does not hide the box.
"""
DASH_PX = 7

NIGHT, GREY = bgr("#10151c"), bgr("#98a5b3")
TRUTH, HIT, MISS, FALSE_ALARM = map(bgr, ("#f4f7fa", "#2fbf9b", "#ffb000", "#ff5fa2"))
"""Colours that are distinguishable with any kind of colour vision, as far as possible."""

Corners = tuple[int, int, int, int]


def worst_first(examined: Sequence[Examined], confidence: float) -> list[Examined]:
    """Sorts pictures by their misses and false alarms at a threshold, then by name."""
    return sorted(examined, key=lambda one: (-one.errors(confidence), one.path.name))


def save_sheet(examined: Sequence[Examined], confidence: float, title: str, path: Path) -> None:
    """Draws the sheet and writes it as PNG.

    Args:
        examined: Examined pictures; at most `PICTURES_MAX` are drawn.
        confidence: The threshold for detections, 0 to 1.
        title: Title, in the reader's language.
        path: Path to write to; folders are created.

    Raises:
        UserError: The file cannot be written, or a picture can no longer be decoded.
    """
    chosen = worst_first(examined, confidence)[:PICTURES_MAX]
    tiles = [captioned(draw_examined(one, confidence), one, confidence) for one in chosen]
    shown = text("evaluation.sheet.shown", shown=len(chosen), images=len(examined))
    save_png(np.vstack([_header(title, shown, _row_width(COLUMNS)), in_rows(tiles, COLUMNS)]), path)


def save_pairs(
    base: Sequence[Examined], new: Sequence[Examined], confidence: float, title: str, path: Path
) -> None:
    """Draws the pictures on which two models do worst, each twice: base left, new right.

    Args:
        base: Pictures examined with the base model.
        new: The same pictures in the same order, examined with the new model.
        confidence: The threshold for detections, 0 to 1.
        title: Title, in the reader's language.
        path: Path of the PNG; folders are created.

    Raises:
        UserError: The file cannot be written, or a picture can no longer be decoded.
    """
    pairs = sorted(
        zip(base, new, strict=True),
        key=lambda pair: (-sum(one.errors(confidence) for one in pair), pair[0].path.name),
    )[:PAIRS_MAX]
    tiles = [captioned(draw_examined(one, confidence), one, confidence) for pair in pairs for one in pair]
    shown = text("evaluation.sheet.shown", shown=len(pairs), images=len(base))
    header = _header(text("evaluation.sheet.pairs", world=title), shown, _row_width(2))
    save_png(np.vstack([header, in_rows(tiles, 2)]), path)


def save_png(picture: np.ndarray, path: Path) -> None:
    """Writes a picture under a temporary name, then renames it.

    Raises:
        UserError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, cv2.imencode(".png", picture)[1].tobytes())
    except OSError as error:
        raise UserError("evaluation.unwritable", path=path, why=system_says(error)) from None


def draw_examined(one: Examined, confidence: float) -> np.ndarray:
    """Draws a picture with its truths, hits, misses and false alarms, `(360, 480, 3)`, blue-green-red."""
    image = read_picture(one.path)
    scale = min(TILE_PX[0] / image.shape[1], TILE_PX[1] / image.shape[0])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    size = [max(1, round(side * scale)) for side in (image.shape[1], image.shape[0])]
    small = cv2.resize(image, size, interpolation=method)
    tile = np.full((TILE_PX[1], TILE_PX[0], 3), NIGHT, np.uint8)
    left, top = (TILE_PX[0] - small.shape[1]) // 2, (TILE_PX[1] - small.shape[0]) // 2
    inside = tile[top : top + small.shape[0], left : left + small.shape[1]]
    inside[:] = small
    missed = one.misses(confidence)
    for truth in one.truths:
        if truth not in missed:
            _draw_truth(inside, _corners(truth, scale, 1))
    for hit in one.hits(confidence):
        _draw_hit(inside, _corners(hit, scale), _label(hit))
    for miss in missed:
        _draw_miss(inside, _corners(miss, scale, MISS_NEAR_PX), sign_text(miss.sign_class))
    for alarm in one.false_alarms(confidence):
        _draw_false_alarm(inside, _corners(alarm, scale), _label(alarm))
    return tile


def captioned(tile: np.ndarray, one: Examined, confidence: float) -> np.ndarray:
    """Writes a picture's name and its counts below its tile."""
    caption = np.full((CAPTION_PX, TILE_PX[0], 3), NIGHT, np.uint8)
    write(caption, _shortened(one.path.name), (4, 20), 14, WHITE, BOLD)
    counts = len(one.hits(confidence)), len(one.misses(confidence)), len(one.false_alarms(confidence))
    names = "evaluation.sheet.hits", "evaluation.sheet.misses", "evaluation.sheet.false_alarms"
    parts = [f"{text(name)} {count}" for name, count in zip(names, counts, strict=True)]
    write(caption, "  ".join(parts), (TILE_PX[0] - 4, 20), 13, GREY, REGULAR, "right")
    return np.vstack([tile, caption])


def in_rows(tiles: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Arranges tiles of one size in rows, with a gap around each."""
    height, width = tiles[0].shape[:2]
    rows = -(-len(tiles) // columns)
    canvas = np.full((rows * (height + GAP_PX), columns * (width + GAP_PX) + GAP_PX, 3), NIGHT, np.uint8)
    for index, tile in enumerate(tiles):
        y, x = index // columns * (height + GAP_PX), index % columns * (width + GAP_PX) + GAP_PX
        canvas[y : y + height, x : x + width] = tile
    return canvas


def _row_width(columns: int) -> int:
    return columns * (TILE_PX[0] + GAP_PX) + GAP_PX


def _header(title: str, shown: str, width: int) -> np.ndarray:
    """The title, and an example of each kind of box."""
    header = np.full((HEADER_PX, width, 3), NIGHT, np.uint8)
    write(header, title, (GAP_PX + 4, 32), 22, WHITE, BOLD)
    write(header, shown, (width - GAP_PX - 4, 32), 15, GREY, REGULAR, "right")
    x = GAP_PX + 10
    kinds = {
        "evaluation.sheet.truth": _draw_truth,
        "evaluation.sheet.hit": _draw_hit,
        "evaluation.sheet.miss": _draw_miss,
        "evaluation.sheet.false_alarm": _draw_false_alarm,
    }
    for name, draw in kinds.items():
        draw(header, (x, 50, x + 20, 70))
        words = text(name)
        write(header, words, (x + 34, 67), 16)
        x += 34 + text_width(words, 16) + 40
    return header


def _draw_truth(canvas: np.ndarray, corners: Corners) -> None:
    """Draws a thin line."""
    left, top, right, bottom = corners
    cv2.rectangle(canvas, (left, top), (right, bottom), TRUTH, 1)


def _draw_hit(canvas: np.ndarray, corners: Corners, label: str = "") -> None:
    """Draws a solid line."""
    left, top, right, bottom = corners
    cv2.rectangle(canvas, (left, top), (right, bottom), NIGHT, 4)
    cv2.rectangle(canvas, (left, top), (right, bottom), HIT, 2)
    _tag(canvas, corners, label, HIT)


def _draw_miss(canvas: np.ndarray, corners: Corners, label: str = "") -> None:
    """Draws a dashed line, with a question mark."""
    left, top, right, bottom = corners
    for colour, thickness in ((NIGHT, 4), (MISS, 2)):
        for x in range(left, right, 2 * DASH_PX):
            for y in (top, bottom):
                cv2.line(canvas, (x, y), (min(x + DASH_PX, right), y), colour, thickness)
        for y in range(top, bottom, 2 * DASH_PX):
            for x in (left, right):
                cv2.line(canvas, (x, y), (x, min(y + DASH_PX, bottom)), colour, thickness)
    _tag(canvas, corners, f"? {label}" if label else "", MISS, below=True)


def _draw_false_alarm(canvas: np.ndarray, corners: Corners, label: str = "") -> None:
    """Draws a solid line, crossed out."""
    left, top, right, bottom = corners
    for colour, thickness in ((NIGHT, 4), (FALSE_ALARM, 2)):
        cv2.rectangle(canvas, (left, top), (right, bottom), colour, thickness)
    for start, end in (((left, top), (right, bottom)), ((left, bottom), (right, top))):
        cv2.line(canvas, start, end, FALSE_ALARM, 1, cv2.LINE_AA)
    _tag(canvas, corners, f"× {label}" if label else "", FALSE_ALARM)


def _tag(canvas: np.ndarray, corners: Corners, label: str, colour: Colour, below: bool = False) -> None:
    """Writes a label above a box, or below it if `below`; on the other side if there is no room."""
    if not label:
        return
    left, top, _, bottom = corners
    width = text_width(label, 12, BOLD) + 8
    x = min(max(left - 1, 0), canvas.shape[1] - width)
    room_above, room_below = top >= 20, bottom + 19 <= canvas.shape[0]
    y = bottom + 19 if room_below and (below or not room_above) else max(top - 3, 16)
    cv2.rectangle(canvas, (x, y - 16), (x + width, y), colour, -1)
    write(canvas, label, (x + 4, y - 4), 12, NIGHT, BOLD)


def _label(detection: Detection) -> str:
    return f"{sign_text(detection.sign_class)} {number(detection.confidence, 2)}"


def _corners(detection: Detection, scale: float, near_px: int = NEAR_PX) -> Corners:
    left, top, right, bottom = (round(edge * scale) for edge in detection.box)
    return left - near_px, top - near_px, right + near_px, bottom + near_px


def _shortened(name: str, most: int = 30) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
