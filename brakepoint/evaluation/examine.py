"""Runs a detector on labelled pictures, and keeps its detections with the ground truth."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brakepoint.detector import Detector
from brakepoint.evaluation.mean_average_precision import CONFIDENCE_MIN, Match, match_picture
from brakepoint.labels.folder import LabelledPicture, held_out
from brakepoint.labels.pictures import read_picture
from brakepoint.labels.signs import Note
from brakepoint.messages import Detection

__all__ = ["Examined", "examine", "read_picture"]


@dataclass(frozen=True)
class Examined:
    """One picture, its true signs, and a detector's output.

    Attributes:
        path: The picture.
        truths: The true signs.
        detections: The detections with a confidence of at least 0.001, highest first.
        match: Which of the detections are correct.
    """

    path: Path
    truths: tuple[Detection, ...]
    detections: tuple[Detection, ...]
    match: Match

    def from_height(self, least_px: float) -> "Examined":
        """A copy without the signs below this height, which need not be found.

        As in COCO's metrics by size, a detection that matches one of these signs is neither right nor wrong;
        the same applies to a smaller detection that matches nothing.
        """
        low = tuple(truth for truth in self.truths if height_px(truth) < least_px)
        truths = tuple(truth for truth in self.truths if truth not in low)
        hits, on_low = (match_picture(self.detections, some).correct[:, 0] for some in (truths, low))
        detections = tuple(
            item
            for item, is_hit, is_on_low in zip(self.detections, hits, on_low, strict=True)
            if is_hit or not (is_on_low or height_px(item) < least_px)
        )
        return Examined(self.path, truths, detections, match_picture(detections, truths))

    def sure(self, confidence: float) -> tuple[Detection, ...]:
        """The detections with at least this confidence."""
        return tuple(item for item in self.detections if item.confidence >= confidence)

    def hits(self, confidence: float) -> tuple[Detection, ...]:
        """The detections with at least this confidence that are correct at IoU 0.5."""
        sure = self.sure(confidence)
        return tuple(item for item, right in zip(sure, self.match.correct[:, 0], strict=False) if right)

    def false_alarms(self, confidence: float) -> tuple[Detection, ...]:
        """The wrong detections with at least this confidence, including signs found as the other class."""
        sure = self.sure(confidence)
        return tuple(item for item, right in zip(sure, self.match.correct[:, 0], strict=False) if not right)

    def misses(self, confidence: float) -> tuple[Detection, ...]:
        """The truths without a matching detection of at least this confidence."""
        pairs = zip(self.truths, self.match.found_at, strict=True)
        return tuple(item for item, found_at in pairs if found_at < confidence)

    def errors(self, confidence: float) -> int:
        """The number of misses and false alarms."""
        return len(self.misses(confidence)) + len(self.false_alarms(confidence))


def examine(
    images_dir: Path,
    detector: Detector,
    on_progress: Callable[[int, int], None] | None = None,
    notes: list[Note] | None = None,
    change: Callable[[np.ndarray], np.ndarray] | None = None,
) -> list[Examined]:
    """Runs a detector on a folder of labelled pictures; if the folder is split, on its evaluation part.

    Args:
        images_dir: Contains pictures and labels; see `read_labels`.
        detector: The detector.
        on_progress: Called after each picture with the number done and the total.
        notes: Receives notes about what was skipped.
        change: Applied to each picture, `(h, w, 3)` uint8, before the detector sees it; it moves nothing.

    Raises:
        UserError: Pictures or labels are missing or invalid, or a picture does not decode.
    """
    labels = held_out(images_dir)
    pictures = labels.pictures
    if notes is not None:
        notes += labels.notes
    examined = []
    for done, picture in enumerate(pictures, 1):
        examined.append(_examine(picture, detector, change))
        if on_progress:
            on_progress(done, len(pictures))
    return examined


def _examine(
    picture: LabelledPicture, detector: Detector, change: Callable[[np.ndarray], np.ndarray] | None
) -> Examined:
    image = read_picture(picture.path)
    if change:
        image = change(image)
    height, width = image.shape[:2]
    detections, truths = detector.detect_image(image, CONFIDENCE_MIN), picture.truths(width, height)
    return Examined(picture.path, truths, detections, match_picture(detections, truths))


def height_px(item: Detection) -> float:
    """Height of a detection or a sign in the picture."""
    return item.box[3] - item.box[1]
