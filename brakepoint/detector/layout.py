"""Recognises the layout of a model's output: one of the two that ultralytics exports for a detector.

- *raw*, `1 × (4 + classes) × N`: centre, width and height of N boxes, and a score for each class;
- *end to end*, `1 × N × 6`: left, top, right, bottom, score and class id, best first, padded with zeros.

With two classes, a transposed raw output and the output of an RT-DETR have the shape of an end-to-end one.
Therefore the metadata and the numbers themselves are checked, too.
"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import numpy as np

from brakepoint.detector.metadata import end_to_end_said, is_detection_head
from brakepoint.errors import UserError

ROUNDING = 0.001
"""How far outside 0 to 1 a score may be, due to rounding in half precision or eight bits."""
ORDERED_LEAST = 0.5
"""Minimum share of end-to-end boxes with ordered corners, which some networks' worst boxes do not have."""
FRACTIONS_MOST = 2.0
"""If no coordinate is larger, boxes are fractions of the picture where pixels are expected."""


class Layout(StrEnum):
    """The layout of a model's output."""

    RAW = "raw"
    END_TO_END = "end_to_end"


def find_layout(
    output: np.ndarray, class_count: int, metadata: Mapping[str, str], path: Path | str
) -> Layout:
    """Determines the layout from shape, metadata and numbers.

    Args:
        output: The model's output for any picture.
        class_count: Number of classes.
        metadata: The model's metadata.
        path: The model, for the error message.

    Raises:
        UserError: The output has neither layout, or its numbers contradict the layout.
    """
    layout = _layout_by_shape(output.shape, class_count, metadata)
    if layout is None or not is_detection_head(metadata):
        written = " × ".join(map(str, output.shape))
        raise UserError("error.model_output", path=path, shape=written, rows=4 + class_count)
    check_numbers(output, layout, path)
    if not (_is_raw(output[0]) if layout is Layout.RAW else _is_end_to_end(output[0])):
        raise UserError("error.model_columns", path=path)
    return layout


def check_numbers(output: np.ndarray, layout: Layout, path: Path | str) -> None:
    """Checks whether boxes and scores are plausible.

    Args:
        output: The model's output, in `layout`.
        layout: From `find_layout`.
        path: The model, for the error message.

    Raises:
        UserError: A number is infinite or NaN, or a score is not between 0 and 1.
    """
    scores = output[0, 4:] if layout is Layout.RAW else output[0, :, 4]
    most, least = scores.max(initial=0), scores.min(initial=0)
    if not np.isfinite(output).all() or most > 1 + ROUNDING or least < -ROUNDING:
        raise UserError("error.model_numbers", path=path)


def _layout_by_shape(shape: tuple[int, ...], class_count: int, metadata: Mapping[str, str]) -> Layout | None:
    rows, columns = shape[1:] if len(shape) == 3 and shape[0] == 1 else (0, 0)
    said = end_to_end_said(metadata)
    fits_raw, fits_end_to_end = rows == 4 + class_count, columns == 6
    if fits_raw and not (fits_end_to_end and said):
        return Layout.RAW
    return Layout.END_TO_END if fits_end_to_end and said is not False else None


def _is_raw(rows: np.ndarray) -> bool:
    """Whether boxes have a size, and are in pixels."""
    has_size = (rows[2:4] >= 0).mean() >= ORDERED_LEAST if rows.size else True
    return bool(has_size and (not rows[:4].any() or rows[:4].max() > FRACTIONS_MOST))


def _is_end_to_end(rows: np.ndarray) -> bool:
    """Whether class ids are integers, and boxes have ordered corners in pixels."""
    if (rows[:, 5] != np.rint(rows[:, 5])).any():
        return False
    found = rows[rows[:, 4] > 0]
    ordered = (found[:, 2] > found[:, 0]) & (found[:, 3] > found[:, 1])
    return not len(found) or bool(ordered.mean() >= ORDERED_LEAST and found[:, 2:4].max() > FRACTIONS_MOST)
