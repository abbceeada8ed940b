"""Measures how good a detector is on labelled pictures."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean

from pydantic import BaseModel, ConfigDict

from brakepoint.detector import Detector
from brakepoint.errors import UserError
from brakepoint.evaluation.examine import Examined, examine, height_px, read_picture
from brakepoint.evaluation.interval import map50_interval
from brakepoint.evaluation.mean_average_precision import ClassMetrics, class_metrics
from brakepoint.labels.folder import load_labels
from brakepoint.messages import SignClass

__all__ = [
    "ClassMetrics",
    "Evaluation",
    "Examined",
    "evaluate",
    "examine",
    "load_labels",
    "measure",
    "read_picture",
]


HEIGHTS_PX = (0, 16, 24, 40)
"""The lower ends of the ranges of height in which found signs are counted."""


class Found(BaseModel):
    """How many signs in a range of heights are found.

    Attributes:
        from_px: The least height.
        below_px: The height from which a sign belongs to the next range; None for the last range.
        signs: Number of signs.
        found: How many of these signs have a matching detection at or above the threshold.
    """

    model_config = ConfigDict(frozen=True)

    from_px: int
    below_px: int | None
    signs: int
    found: int


class Evaluation(BaseModel):
    """The results of `evaluate`.

    Attributes:
        map50: Mean average precision at IoU 0.5, 0 to 1.
        map50_interval: 95 % confidence interval of `map50`, from these pictures.
        map50_95: Mean average precision over IoU 0.5 to 0.95.
        per_class: Metrics of each class.
        images: Number of evaluated pictures.
        confidence: The detector's threshold, for precision, recall and false alarms.
        least_px: Smaller signs, and the detections that match them, are ignored.
        false_alarms: Number of wrong detections at or above the threshold, over all pictures, including signs
            found as the other class.
        by_height: How many signs of each range of height are found, from low to high, without empty ranges.
    """

    model_config = ConfigDict(frozen=True)

    map50: float
    map50_interval: tuple[float, float]
    map50_95: float
    per_class: dict[SignClass, ClassMetrics]
    images: int
    confidence: float
    least_px: float
    false_alarms: int
    by_height: tuple[Found, ...]


def evaluate(
    images_dir: Path, detector: Detector, on_progress: Callable[[int, int], None] | None = None
) -> Evaluation:
    """Evaluates a detector on labelled pictures.

    Args:
        images_dir: Contains `images/` and `labels/`; see `load_labels`.
        detector: The detector, whose confidence is the threshold for precision and recall; mAP counts all
            detections with a confidence of at least 0.001.
        on_progress: Called after each picture with the number done and the total.

    Raises:
        UserError: Pictures or labels are missing or invalid, or a picture does not decode.

    Example:
        >>> evaluate(Path("dataset/test"), Detector(SHIPPED_MODEL)).map50
    """
    return measure(examine(images_dir, detector, on_progress), detector.confidence)


def measure(examined: Sequence[Examined], confidence: float, least_px: float = 0.0) -> Evaluation:
    """Computes metrics from the results of `examine`.

    Args:
        examined: At least one picture with a sign.
        confidence: The threshold for precision, recall and false alarms, 0 to 1.
        least_px: Smaller signs are ignored; see `Examined.from_height`.

    Raises:
        UserError: All signs are smaller than `least_px`.
    """
    examined = [one.from_height(least_px) for one in examined]
    if not any(one.truths for one in examined):
        raise UserError("evaluation.none_so_high", least_px=least_px)
    matches = [one.match for one in examined]
    per_class = {sign_class: class_metrics(matches, sign_class, confidence) for sign_class in SignClass}
    return Evaluation(
        map50=fmean(metrics.ap50 for metrics in per_class.values() if metrics.ap50 is not None),
        map50_interval=map50_interval(matches),
        map50_95=fmean(metrics.ap50_95 for metrics in per_class.values() if metrics.ap50_95 is not None),
        per_class=per_class,
        images=len(examined),
        confidence=confidence,
        least_px=least_px,
        false_alarms=sum(len(one.false_alarms(confidence)) for one in examined),
        by_height=tuple(_found_by_height(examined, confidence)),
    )


def _found_by_height(examined: Sequence[Examined], confidence: float) -> Iterator[Found]:
    signs = [
        (height_px(truth), found_at >= confidence)
        for one in examined
        for truth, found_at in zip(one.truths, one.match.found_at, strict=True)
    ]
    for low, high in zip(HEIGHTS_PX, (*HEIGHTS_PX[1:], None), strict=True):
        within = [found for height, found in signs if low <= height and (high is None or height < high)]
        if within:
            yield Found(from_px=low, below_px=high, signs=len(within), found=sum(within))
