"""How good a detector is on labelled pictures."""

from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import numpy as np
from pydantic import BaseModel, ConfigDict

from brakepoint.detector import Detector
from brakepoint.errors import UserError
from brakepoint.evaluation.labels import LabelledPicture, load_labels
from brakepoint.evaluation.mean_average_precision import (
    CONFIDENCE_MIN,
    ClassMetrics,
    Match,
    class_metrics,
    match_picture,
)
from brakepoint.messages import SignClass

__all__ = ["ClassMetrics", "Evaluation", "evaluate", "load_labels", "read_picture"]

JPEG_START, JPEG_SCAN, JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"
"""Markers: of the file's start, of each scan of pixels, and of the end."""


class Evaluation(BaseModel):
    """What `evaluate` measured.

    Attributes:
        map50: Mean average precision at IoU 0.5, 0 to 1.
        map50_95: Mean of it over IoU 0.5 to 0.95.
        per_class: The same and more for each class.
        images: Number of pictures that were evaluated.
        confidence: The detector's threshold, which precision and recall are for.
    """

    model_config = ConfigDict(frozen=True)

    map50: float
    map50_95: float
    per_class: dict[SignClass, ClassMetrics]
    images: int
    confidence: float


def evaluate(
    images_dir: Path, detector: Detector, on_progress: Callable[[int, int], None] | None = None
) -> Evaluation:
    """Evaluates a detector on labelled pictures.

    Args:
        images_dir: Holds `images/` and `labels/`; see `load_labels`.
        detector: Its confidence is the threshold for precision and recall; mAP counts from 0.001 on.
        on_progress: Called after each picture with how many are done and how many there are.

    Raises:
        UserError: Pictures or labels are missing or invalid, or a picture does not decode.

    Example:
        >>> evaluate(Path("dataset/test"), Detector(SHIPPED_MODEL)).map50
    """
    pictures = load_labels(images_dir)
    matches = []
    for done, picture in enumerate(pictures, 1):
        matches.append(_match(picture, detector))
        if on_progress:
            on_progress(done, len(pictures))
    per_class = {
        sign_class: class_metrics(matches, sign_class, detector.confidence) for sign_class in SignClass
    }
    return Evaluation(
        map50=fmean(metrics.ap50 for metrics in per_class.values() if metrics.ap50 is not None),
        map50_95=fmean(metrics.ap50_95 for metrics in per_class.values() if metrics.ap50_95 is not None),
        per_class=per_class,
        images=len(pictures),
        confidence=detector.confidence,
    )


def read_picture(path: Path) -> np.ndarray:
    """Reads a picture, upright as its EXIF orientation says.

    Returns:
        `(height, width, 3)` uint8, blue-green-red.

    Raises:
        UserError: It does not decode to its end.
    """
    import cv2

    content = path.read_bytes()
    # OpenCV fills what is missing of a truncated JPEG with grey and goes on.
    truncated = content.startswith(JPEG_START) and content.rfind(JPEG_END) < content.rfind(JPEG_SCAN)
    image = None
    if content and not truncated:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise UserError("error.picture_unreadable", path=path)
    return image


def _match(picture: LabelledPicture, detector: Detector) -> Match:
    image = read_picture(picture.path)
    height, width = image.shape[:2]
    return match_picture(detector.detect_image(image, CONFIDENCE_MIN), picture.truths(width, height))
