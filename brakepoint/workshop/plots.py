"""Plots for the notebooks: pictures with their boxes, a threshold, and a run as speed along the line."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from brakepoint.detector import Detector
from brakepoint.evaluation import load_labels, read_picture
from brakepoint.look import SIGN_LOOKS
from brakepoint.messages import Detection
from brakepoint.mission.records import Run
from brakepoint.rules import FULL_SPEED_CM_S, LOW_SPEED_CM_S
from brakepoint.synthesis import Box, Picture, Sprite
from brakepoint.texts import number, text
from brakepoint.truth import GroundTruth

TOP_CM_S = 1.3 * FULL_SPEED_CM_S


def show_picture(image: np.ndarray) -> None:
    """Shows a picture in blue-green-red order, as in OpenCV."""
    _, axes = plt.subplots(figsize=(14, 7))
    axes.imshow(image[:, :, ::-1])
    axes.axis("off")
    plt.show()


def show_labelled(picture: Picture) -> None:
    """Shows a synthetic picture with its labels."""
    _, axes = plt.subplots(figsize=(12, 9))
    axes.imshow(picture.image[:, :, ::-1])
    for label in picture.labels:
        left, top, _, _ = label.box
        colour = SIGN_LOOKS[label.sign_class].colour
        _draw_box(axes, label.box, colour, 1)
        axes.text(left, top - 4, text(f"sign.class.{label.sign_class}"), color=colour, fontsize=9)
    axes.axis("off")
    plt.show()


def show_detections(model: Path, folder: Path) -> None:
    """Shows a model's detections on the labelled pictures with the most signs; thin boxes are the truth.

    Args:
        model: An ONNX file.
        folder: Contains `images/` and `labels/`.
    """
    detector = Detector(model)
    fullest = sorted(load_labels(folder), key=lambda picture: (-len(picture.signs), picture.path.name))
    _, grid = plt.subplots(2, 2, figsize=(14, 11), squeeze=False, layout="tight")
    for axes, picture in zip(grid.flat, fullest, strict=False):
        image = read_picture(picture.path)
        axes.imshow(image[:, :, ::-1])
        for sign in picture.truths(image.shape[1], image.shape[0]):
            _draw_box(axes, sign.box, SIGN_LOOKS[sign.sign_class].colour, 0.8)
        _draw_detections(axes, detector.detect_image(image))
    for axes in grid.flat:
        axes.axis("off")
    plt.show()


def show_answers(image: np.ndarray, answers: Mapping[str, Sequence[Detection]]) -> None:
    """Shows several models' answers for the same picture, side by side.

    Args:
        image: Picture in blue-green-red order, as in OpenCV.
        answers: Each model's detections, by the title above the picture.
    """
    _, row = plt.subplots(1, len(answers), figsize=(14, 6), squeeze=False, layout="tight")
    for axes, (title, detections) in zip(row[0], answers.items(), strict=True):
        axes.imshow(image[:, :, ::-1])
        axes.set_title(title)
        axes.axis("off")
        _draw_detections(axes, detections)
    plt.show()


def _draw_detections(axes: Axes, detections: Sequence[Detection]) -> None:
    for found in detections:
        colour = SIGN_LOOKS[found.sign_class].colour
        _draw_box(axes, found.box, colour, 3)
        words = f"{text(f'sign.class.{found.sign_class}')} {number(found.confidence, 2)}"
        label = {"facecolor": colour, "edgecolor": "none", "pad": 1.5}
        axes.text(found.box[0], found.box[1] - 8, words, color="white", fontsize=9, bbox=label)


def _draw_box(axes: Axes, box: Box, colour: str, width: float) -> None:
    left, top, right, bottom = box
    corner = left - 0.5, top - 0.5
    axes.add_patch(
        Rectangle(corner, right - left, bottom - top, fill=False, edgecolor=colour, linewidth=width)
    )


def plot_threshold(confidences: np.ndarray, correct: np.ndarray, truths: int, chosen: float) -> None:
    """Draws precision and recall by confidence, and the chosen threshold.

    Args:
        confidences: Confidences of all detections, highest first.
        correct: Whether each detection is right.
        truths: Number of signs.
        chosen: The chosen confidence.
    """
    right = np.cumsum(correct)
    _, axes = plt.subplots(figsize=(11, 3.5), layout="constrained")
    axes.plot(confidences, right / np.arange(1, len(right) + 1), label=text("notebook.precision"))
    axes.plot(confidences, right / truths, label=text("notebook.recall"))
    axes.axvline(
        chosen, color="#555555", linestyle="--", label=text("notebook.chosen", confidence=number(chosen, 2))
    )
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=text("notebook.confidence"))
    axes.grid(alpha=0.3)
    axes.legend()
    plt.show()


def show_sprites(rows: list[list[Sprite]]) -> None:
    """Shows rows of drawn signs, with the same number of signs in each row."""
    _, grid = plt.subplots(len(rows), len(rows[0]), figsize=(14, 5), facecolor="#b8b8b8", squeeze=False)
    for axes, sprite in zip(grid.flat, (sprite for row in rows for sprite in row), strict=True):
        alpha = sprite.alpha[..., None]
        colour = sprite.colour[:, :, ::-1] / np.maximum(alpha, 1e-3) / 255
        axes.imshow(np.dstack([colour, alpha]).clip(0, 1))
        axes.axis("off")
    plt.show()


def plot_run(run: Run, truth: GroundTruth) -> None:
    """Draws the speed along the line, with the signs that count, and shows how the run ended."""
    _, axes = plt.subplots(figsize=(11, 3.5))
    axes.plot([tick.position_cm for tick in run.ticks], [tick.speed_cm_s for tick in run.ticks])
    axes.axhline(LOW_SPEED_CM_S, color="#999999", linewidth=0.7)
    for sign in truth.signs:
        if sign.counts and sign.sign_class is not None:
            axes.axvline(sign.at_cm, color=SIGN_LOOKS[sign.sign_class].colour, linestyle="--")
            axes.text(sign.at_cm + 3, 0.92 * TOP_CM_S, text(f"sign.class.{sign.sign_class}"), fontsize=8)
    axes.set(xlim=(0, truth.length_cm), ylim=(0, TOP_CM_S))
    axes.set(xlabel=text("notebook.position"), ylabel=text("notebook.speed"))
    axes.set_title(text(f"notebook.ending.{run.ending}", at=round(run.ticks[-1].position_cm)), loc="left")
    plt.show()
