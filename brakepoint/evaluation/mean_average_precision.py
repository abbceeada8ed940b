"""Mean average precision as ultralytics and COCO compute it, without torch.

A detection is correct if it overlaps a sign of the same class that no more confident detection has taken.
Average precision is the area under the precision–recall curve, at 101 points. mAP50 requires an IoU of 0.5,
mAP50-95 averages over ten values from 0.5 to 0.95; both are means over the classes that have truths.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict

from brakepoint.detector.boxes import intersection_over_union
from brakepoint.messages import Detection, SignClass

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALL_POINTS = np.linspace(0, 1, 101)
CONFIDENCE_MIN = 0.001
"""Detections count if they are at least this sure: the metric needs the whole curve, not one point of it."""


class ClassMetrics(BaseModel):
    """How well one class is detected.

    Attributes:
        ap50: Average precision at IoU 0.5; None if there is no truth.
        ap50_95: Mean of the average precision over IoU 0.5 to 0.95; None if there is no truth.
        precision: Fraction of correct detections at IoU 0.5, among those at or above the detector's
            threshold; None if there are none.
        recall: Fraction of the truths that these detections match; None if there is no truth.
        truths: Number of true signs.
        detections: Number of detections at or above the threshold.
    """

    model_config = ConfigDict(frozen=True)

    ap50: float | None
    ap50_95: float | None
    precision: float | None
    recall: float | None
    truths: int
    detections: int


@dataclass(frozen=True)
class Match:
    """The detections of one picture against its truths.

    Attributes:
        correct: `(detections, 10)`, whether each is correct at each of `IOU_THRESHOLDS`.
        confidences: `(detections,)`.
        classes: `(detections,)` names of classes.
        truth_classes: `(truths,)` names of classes.
        found_at: `(truths,)` confidence of the detection that matches each truth at IoU 0.5; -1 if there is
            none, which is below every threshold.
    """

    correct: np.ndarray
    confidences: np.ndarray
    classes: np.ndarray
    truth_classes: np.ndarray
    found_at: np.ndarray


def match_picture(detections: Sequence[Detection], truths: Sequence[Detection]) -> Match:
    """Decides which detections of a picture are correct; the most confident one is matched first.

    Args:
        detections: In any order.
        truths: The true signs, whose confidence is ignored.
    """
    detections = sorted(detections, key=lambda item: -item.confidence)
    classes, truth_classes = _classes(detections), _classes(truths)
    overlap = intersection_over_union(_boxes(detections), _boxes(truths))
    overlap *= classes[:, None] == truth_classes
    correct = np.zeros((len(detections), len(IOU_THRESHOLDS)), bool)
    taken = np.zeros((len(truths), len(IOU_THRESHOLDS)), bool)
    found_at = np.full(len(truths), -1.0)
    thresholds = np.arange(len(IOU_THRESHOLDS))
    for number in range(len(detections) if truths else 0):
        free = np.where(taken, 0, overlap[number][:, None])
        best = free.argmax(axis=0)
        correct[number] = free[best, thresholds] >= IOU_THRESHOLDS
        taken[best, thresholds] |= correct[number]
        if correct[number, 0]:
            found_at[best[0]] = detections[number].confidence
    confidences = np.array([item.confidence for item in detections])
    return Match(correct, confidences, classes, truth_classes, found_at)


def precision_at_recalls(correct: np.ndarray, truths: int) -> np.ndarray:
    """The precision–recall curve: for each recall, the best precision that reaches it.

    Args:
        correct: `(n,)` whether each detection of a class is correct, most confident first.
        truths: Number of true signs, at least one.

    Returns:
        `(101,)` precisions at `RECALL_POINTS`; a duplicate of an already matched sign counts as wrong.
    """
    if not len(correct):
        return np.zeros(len(RECALL_POINTS))
    found = correct.cumsum()
    recall = found / truths
    precision = found / np.arange(1, len(correct) + 1)
    recall = np.concatenate([[0.0], recall, [recall[-1], 1.0]])
    precision = np.concatenate([[1.0], precision, [0.0, 0.0]])
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return np.interp(RECALL_POINTS, recall, envelope)


def average_precision(correct: np.ndarray, truths: int) -> float:
    """Area under `precision_at_recalls`, 0 to 1."""
    heights = precision_at_recalls(correct, truths)
    return float((heights[1:] + heights[:-1]).mean() / 2)


def sorted_by_confidence(
    matches: Sequence[Match], sign_class: SignClass
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All detections of one class, most confident first.

    Returns:
        `(n, 10)` whether each is correct at each of `IOU_THRESHOLDS`, `(n,)` its confidence, and `(n,)` the
        number of its picture.
    """
    chosen = [match.classes == sign_class for match in matches]
    correct = np.concatenate([match.correct[mask] for match, mask in zip(matches, chosen, strict=True)])
    sure = np.concatenate([match.confidences[mask] for match, mask in zip(matches, chosen, strict=True)])
    picture = np.repeat(np.arange(len(matches)), [int(mask.sum()) for mask in chosen])
    order = np.argsort(-sure, kind="stable")
    return correct[order], sure[order], picture[order]


def class_metrics(matches: Sequence[Match], sign_class: SignClass, confidence: float) -> ClassMetrics:
    """Measures one class over all pictures.

    Args:
        matches: One per picture.
        sign_class: The class.
        confidence: The detector's threshold, for precision and recall.
    """
    truths = sum(int((match.truth_classes == sign_class).sum()) for match in matches)
    correct, confidences, _ = sorted_by_confidence(matches, sign_class)
    precisions = [average_precision(column, truths) for column in correct.T] if truths else []
    sure = int((confidences >= confidence).sum())
    hits = int(correct[:sure, 0].sum())
    found_at = np.concatenate([match.found_at[match.truth_classes == sign_class] for match in matches])
    return ClassMetrics(
        ap50=precisions[0] if truths else None,
        ap50_95=float(np.mean(precisions)) if truths else None,
        precision=hits / sure if sure else None,
        recall=float((found_at >= confidence).mean()) if len(found_at) else None,
        truths=truths,
        detections=sure,
    )


def _classes(items: Sequence[Detection]) -> np.ndarray:
    return np.array([item.sign_class.value for item in items], dtype=str)


def _boxes(items: Sequence[Detection]) -> np.ndarray:
    return np.array([item.box for item in items], dtype=float).reshape(-1, 4)
