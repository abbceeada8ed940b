"""What a detector takes for what."""

from collections.abc import Sequence

import numpy as np

from brakepoint.detector.boxes import intersection_over_union
from brakepoint.evaluation.examine import Examined
from brakepoint.messages import Detection, SignClass

BACKGROUND = len(SignClass)
"""The last row and column: what is no sign, and what was not found."""
SAME_IOU = 0.5


def confusion_matrix(examined: Sequence[Examined], confidence: float) -> np.ndarray:
    """Counts which class each sign was taken for.

    Each detection, the surest first, belongs to the free sign that it overlaps most, of whatever class.

    Args:
        examined: What was examined.
        confidence: The threshold from which detections count, 0 to 1.

    Returns:
        `(3, 3)` int: rows are what is there, columns what the detector said, both DangerAhead, SpeedLimit and
        background. The last row holds false alarms, the last column misses.
    """
    counts = np.zeros((BACKGROUND + 1, BACKGROUND + 1), int)
    for one in examined:
        for truth, said in _pairs(one.truths, one.sure(confidence)):
            counts[truth, said] += 1
    return counts


def _pairs(truths: Sequence[Detection], detections: Sequence[Detection]) -> list[tuple[int, int]]:
    """Class ids of what is there and what was said."""
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
