"""Measures how good models are, for the notebook of step 3."""

from pathlib import Path

import numpy as np

from brakepoint.detector import Detector
from brakepoint.evaluation import load_labels, read_picture
from brakepoint.evaluation.mean_average_precision import CONFIDENCE_MIN, match_picture


def judged_detections(model: Path, folder: Path) -> tuple[np.ndarray, np.ndarray, int]:
    """All detections of a model on labelled pictures, at any confidence.

    Args:
        model: An ONNX file.
        folder: Contains `images/` and `labels/`.

    Returns:
        Confidences, highest first; whether each detection is right at IoU 0.5; the number of signs.
    """
    detector, confidences, correct, truths = Detector(model), [], [], 0
    for picture in load_labels(folder):
        image = read_picture(picture.path)
        signs = picture.truths(image.shape[1], image.shape[0])
        match = match_picture(detector.detect_image(image, CONFIDENCE_MIN), signs)
        confidences.append(match.confidences)
        correct.append(match.correct[:, 0])
        truths += len(signs)
    every, right = np.concatenate(confidences), np.concatenate(correct)
    order = np.argsort(-every, kind="stable")
    return every[order], right[order], truths
