"""Turns a model's output tensor into candidate boxes, for both layouts (`brakepoint.detector.layout`)."""

from dataclasses import dataclass

import numpy as np

from brakepoint.detector.boxes import intersection_over_union
from brakepoint.detector.layout import Layout

DETECTIONS_MAX = 300
"""Maximum number of detections per picture; the best ones are kept."""


@dataclass(frozen=True)
class Candidates:
    """Candidates for detections.

    Attributes:
        boxes: `(n, 4)`: left, top, right, bottom.
        scores: `(n,)`, 0 to 1.
        class_ids: `(n,)` integers.
    """

    boxes: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray

    def select(self, index: np.ndarray) -> "Candidates":
        """The candidates selected by an index or a mask."""
        return Candidates(self.boxes[index], self.scores[index], self.class_ids[index])


def decode(output: np.ndarray, layout: Layout, class_count: int, confidence: float) -> Candidates:
    """Keeps boxes with at least `confidence`, each with its best class.

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
    """Keeps the most confident of overlapping boxes of one class; classes do not affect each other.

    Args:
        candidates: In any order.
        iou_max: Largest overlap (IoU) of two kept boxes of a class.
        limit: Maximum number of kept boxes.

    Returns:
        The kept candidates, most confident first; equally confident ones in their original order.
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
