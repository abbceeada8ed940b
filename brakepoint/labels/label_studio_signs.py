"""Converts Label Studio's answers to signs: from rotated rectangles in percent to boxes as fractions."""

import math
from pathlib import Path

import numpy as np

from brakepoint.labels.label_studio_export import Annotation, Rectangle, RectangleValue, Task
from brakepoint.labels.signs import Box, LabelledSign, Note, PassedOver, inside


def answer_that_counts(task: Task, notes: list[Note]) -> Annotation | None:
    """The relevant annotation: the last updated one that was not cancelled.

    Args:
        task: The task of one picture.
        notes: Receives a note for each ignored answer.
    """
    answers = [annotation for annotation in task.annotations if not annotation.was_cancelled]
    if not answers:
        why = PassedOver.SKIPPED if task.annotations else PassedOver.UNLABELLED
        notes.append(Note(why, task.picture))
        return None
    notes += [Note(PassedOver.REPLACED, task.picture)] * (len(answers) - 1)
    return max(answers, key=lambda annotation: annotation.updated_at)


def read_signs(annotation: Annotation, file: Path) -> list[LabelledSign]:
    """Turns an annotation's rectangles into signs.

    Args:
        annotation: The relevant annotation.
        file: The annotation's file, for error messages.

    Returns:
        The signs, clipped at the picture's edges; for a rotated rectangle, the box is the upright one around
        it.

    Raises:
        UserError: A rectangle is outside the picture.
    """
    return [LabelledSign(each.sign_class, _box(each, file)) for each in annotation.result]


def _box(rectangle: Rectangle, file: Path) -> Box:
    corners = _corners(rectangle.value, rectangle.original_width / rectangle.original_height)
    left, top = corners.min(axis=0).tolist()
    right, bottom = corners.max(axis=0).tolist()
    return inside((left, top, right, bottom), str(file))


def _corners(value: RectangleValue, aspect_ratio: float) -> np.ndarray:
    """The rectangle's corners, `(4, 2)` fractions, after clockwise rotation about its top left corner."""
    angle = math.radians(value.rotation)
    # A percent of the width isn't as long as a percent of the height: the rotation needs square units.
    along = np.array([math.cos(angle), math.sin(angle) * aspect_ratio]) * value.width
    down = np.array([-math.sin(angle) / aspect_ratio, math.cos(angle)]) * value.height
    origin = np.array([value.x, value.y])
    return np.array([origin, origin + along, origin + along + down, origin + down]) / 100
