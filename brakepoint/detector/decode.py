"""From a model's output tensor to candidate boxes, in both layouts that ultralytics exports.

- *raw*, `1 × (4 + classes) × N`: centre, width and height of N boxes, and a score for each class;
- *end to end*, `1 × N × 6`: left, top, right, bottom, score and class id, best first, padded with zeros.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from brakepoint.detector.boxes import intersection_over_union
from brakepoint.detector.metadata import says_end_to_end
from brakepoint.errors import UserError

DETECTIONS_MAX = 300
"""At most so many detections a picture, the best ones."""


class Layout(StrEnum):
    """How a model's output is laid out."""

    RAW = "raw"
    END_TO_END = "end_to_end"


@dataclass(frozen=True)
class Candidates:
    """Boxes that may be detections.

    Attributes:
        boxes: `(n, 4)`: left, top, right, bottom.
        scores: `(n,)`, 0 to 1.
        class_ids: `(n,)` whole numbers.
    """

    boxes: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray

    def select(self, index: np.ndarray) -> "Candidates":
        """Those that an index or a mask picks."""
        return Candidates(self.boxes[index], self.scores[index], self.class_ids[index])


def find_layout(shape: tuple[int, ...], class_count: int, metadata: Mapping[str, str], path: Path) -> Layout:
    """Tells the layout by the output's shape, and by the metadata where the shape fits both.

    Args:
        shape: Of the model's output.
        class_count: Number of classes.
        metadata: The model's metadata.
        path: The model, for the error.

    Raises:
        UserError: The shape is neither layout's.
    """
    rows, columns = shape[1:] if len(shape) == 3 and shape[0] == 1 else (0, 0)
    fits_raw, fits_end_to_end = rows == 4 + class_count, columns == 6
    if not (fits_raw or fits_end_to_end):
        written = " × ".join(map(str, shape))
        raise UserError("error.model_output", path=path, shape=written, rows=4 + class_count)
    if fits_raw and fits_end_to_end:
        return Layout.END_TO_END if says_end_to_end(metadata) else Layout.RAW
    return Layout.RAW if fits_raw else Layout.END_TO_END


def decode(output: np.ndarray, layout: Layout, class_count: int, confidence: float) -> Candidates:
    """Keeps what is at least as sure as `confidence`, each box with its best class.

    Args:
        output: The model's output, in `layout`.
        layout: From `find_layout`.
        class_count: Number of classes.
        confidence: 0 to 1.

    Returns:
        Candidates in pixels of the model's input.
    """
    if layout is Layout.RAW:
        every_score = output[0, 4:]
        class_ids = every_score.argmax(axis=0)
        scores = every_score.max(axis=0)
        kept = np.flatnonzero(scores >= confidence)
        centres, halves = output[0, 0:2, kept], output[0, 2:4, kept] / 2
        boxes = np.concatenate([centres - halves, centres + halves], axis=1)
        return Candidates(boxes, scores[kept], class_ids[kept])
    rows = output[0]
    class_ids = np.rint(rows[:, 5])
    rows = rows[(rows[:, 4] >= confidence) & (class_ids >= 0) & (class_ids < class_count)]
    return Candidates(rows[:, :4], rows[:, 4], np.rint(rows[:, 5]).astype(int))


def non_maximum_suppression(
    candidates: Candidates, iou_max: float, limit: int = DETECTIONS_MAX
) -> Candidates:
    """Of boxes of one class that overlap keeps the surest; classes do not touch each other.

    Args:
        candidates: In any order.
        iou_max: Two boxes of a class that are kept overlap at most so much, as IoU.
        limit: How many are kept at most.

    Returns:
        The kept ones, surest first; of equal ones the one that came first.
    """
    remaining = np.argsort(-candidates.scores, kind="stable")
    kept: list[int] = []
    while remaining.size and len(kept) < limit:
        best, others = remaining[0], remaining[1:]
        kept.append(best)
        same_class = candidates.class_ids[others] == candidates.class_ids[best]
        overlap = intersection_over_union(candidates.boxes[[best]], candidates.boxes[others])[0]
        remaining = others[~(same_class & (overlap > iou_max))]
    return candidates.select(np.array(kept, dtype=int))
