"""Shows labelled pictures to a detector, and keeps what it said beside what is there."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from brakepoint.detector import Detector
from brakepoint.evaluation.mean_average_precision import CONFIDENCE_MIN, Match, match_picture
from brakepoint.labels.folder import LabelledPicture, held_out
from brakepoint.labels.pictures import read_picture
from brakepoint.labels.signs import Note
from brakepoint.messages import Detection

__all__ = ["Examined", "examine", "read_picture"]


@dataclass(frozen=True)
class Examined:
    """One picture, what is in it, and what a detector said.

    Attributes:
        path: The picture.
        truths: The signs that are really there.
        detections: What the detector said from a confidence of 0.001 on, the surest first.
        match: Which of them are correct.
    """

    path: Path
    truths: tuple[Detection, ...]
    detections: tuple[Detection, ...]
    match: Match

    def from_height(self, least_px: float) -> "Examined":
        """The same without the signs that are lower than this, which nobody need find.

        As in COCO's figures by size, a detection that finds one of them is neither right nor wrong; nor is
        one that is itself lower and finds nothing.
        """
        low = tuple(truth for truth in self.truths if _height_px(truth) < least_px)
        truths = tuple(truth for truth in self.truths if truth not in low)
        hits, on_low = (match_picture(self.detections, some).correct[:, 0] for some in (truths, low))
        detections = tuple(
            item
            for item, is_hit, is_on_low in zip(self.detections, hits, on_low, strict=True)
            if is_hit or not (is_on_low or _height_px(item) < least_px)
        )
        return Examined(self.path, truths, detections, match_picture(detections, truths))

    def sure(self, confidence: float) -> tuple[Detection, ...]:
        """The detections that are at least so sure."""
        return tuple(item for item in self.detections if item.confidence >= confidence)

    def hits(self, confidence: float) -> tuple[Detection, ...]:
        """The detections at least so sure that are correct at IoU 0.5."""
        sure = self.sure(confidence)
        return tuple(item for item, right in zip(sure, self.match.correct[:, 0], strict=False) if right)

    def false_alarms(self, confidence: float) -> tuple[Detection, ...]:
        """The detections at least so sure that are not; a sign named as another class is one of them."""
        sure = self.sure(confidence)
        return tuple(item for item, right in zip(sure, self.match.correct[:, 0], strict=False) if not right)

    def misses(self, confidence: float) -> tuple[Detection, ...]:
        """The truths that no detection at least so sure finds."""
        pairs = zip(self.truths, self.match.found_at, strict=True)
        return tuple(item for item, found_at in pairs if found_at < confidence)

    def errors(self, confidence: float) -> int:
        """Misses and false alarms."""
        return len(self.misses(confidence)) + len(self.false_alarms(confidence))


def examine(
    images_dir: Path,
    detector: Detector,
    on_progress: Callable[[int, int], None] | None = None,
    notes: list[Note] | None = None,
) -> list[Examined]:
    """Shows a folder of labelled pictures to a detector; of a folder that is split, those to be examined on.

    Args:
        images_dir: Holds pictures and labels; see `read_labels`.
        detector: The detector.
        on_progress: Called after each picture with how many are done and how many there are.
        notes: Gets what was passed over.

    Raises:
        UserError: Pictures or labels are missing or invalid, or a picture does not decode.
    """
    labels = held_out(images_dir)
    pictures = labels.pictures
    if notes is not None:
        notes += labels.notes
    examined = []
    for done, picture in enumerate(pictures, 1):
        examined.append(_examine(picture, detector))
        if on_progress:
            on_progress(done, len(pictures))
    return examined


def _examine(picture: LabelledPicture, detector: Detector) -> Examined:
    image = read_picture(picture.path)
    height, width = image.shape[:2]
    detections, truths = detector.detect_image(image, CONFIDENCE_MIN), picture.truths(width, height)
    return Examined(picture.path, truths, detections, match_picture(detections, truths))


def _height_px(item: Detection) -> float:
    return item.box[3] - item.box[1]
