"""Confusion matrices of detectors."""

from collections.abc import Sequence

import numpy as np

from brakepoint.detector.boxes import intersection_over_union
from brakepoint.evaluation.examine import Examined
from brakepoint.messages import Detection, SignClass

BACKGROUND = len(SignClass)
"""The last row and column: false alarms and misses."""
SAME_IOU = 0.5


def confusion_matrix(examined: Sequence[Examined], confidence: float) -> np.ndarray:
    """Counts the class predicted for each sign.

    Each detection, most confident first, is matched to the free sign of any class that it overlaps most.

    Args:
        examined: The examined pictures.
        confidence: The threshold for detections, 0 to 1.

    Returns:
        `(3, 3)` int: rows are true classes, columns predicted ones, each in the order DangerAhead,
        SpeedLimit, background. The last row contains false alarms, the last column misses.
    """
    counts = np.zeros((BACKGROUND + 1, BACKGROUND + 1), int)
    for one in examined:
        for truth, said in _pairs(one.truths, one.sure(confidence)):
            counts[truth, said] += 1
    return counts


def _pairs(truths: Sequence[Detection], detections: Sequence[Detection]) -> list[tuple[int, int]]:
    """Pairs of true and predicted class ids."""
    classes = list(SignClass)
    free = dict(enumerate(truths))
    pairs = []
    for detection in detections:
        overlaps = {number: _overlap(detection, truth) for number, truth in free.items()}
        best = max(overlaps, key=overlaps.__getitem__, default=None)
        found = best is not None and overlaps[best] >= SAME_IOU
        truth_id = classes.index(free.pop(best).sign_class) if best is not None and found else BACKGROUND
        pairs.append((truth_id, classes.index(detection.sign_class)))
    return pairs + [(classes.index(truth.sign_class), BACKGROUND) for truth in free.values()]


def _overlap(one: Detection, other: Detection) -> float:
    return float(intersection_over_union(np.array([one.box]), np.array([other.box]))[0, 0])
