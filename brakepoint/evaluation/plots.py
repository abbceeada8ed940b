"""Curves and matrices of two models side by side, as PNG; needs matplotlib."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from brakepoint.evaluation.mean_average_precision import (
    RECALL_POINTS,
    Match,
    average_precision,
    precision_at_recalls,
    sorted_by_confidence,
)
from brakepoint.evaluation.sheet import save_png
from brakepoint.look import sign_text
from brakepoint.messages import SignClass
from brakepoint.texts import number, text

BASE_STYLE = {"color": "#7a8794", "linestyle": "--", "linewidth": 2.0}
NEW_STYLE = {"color": "#0b7a5c", "linestyle": "-", "linewidth": 2.4}
DPI = 110


def plot_precision_recall(base: Sequence[Match], new: Sequence[Match], title: str, path: Path) -> None:
    """Draws precision–recall curves at IoU 0.5, one panel per class.

    Args:
        base: Results of the base model, one per picture.
        new: Results of the new model on the same pictures.
        title: Title, in the reader's language.
        path: The PNG file.

    Raises:
        UserError: The PNG file cannot be written.
    """
    count = len(SignClass)
    figure = Figure(figsize=(5.5 * count, 4.8), layout="constrained")
    figure.suptitle(text("evaluation.plot.curves", world=title))
    for axes, sign_class in zip(figure.subplots(1, count, sharey=True), SignClass, strict=True):
        for matches, key, style in (
            (base, "evaluation.plot.base", BASE_STYLE),
            (new, "evaluation.plot.new", NEW_STYLE),
        ):
            _draw_curve(axes, matches, sign_class, text(key), style)
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=text("evaluation.plot.recall"))
        axes.set_title(sign_text(sign_class))
        axes.grid(alpha=0.3)
        axes.legend(loc="lower left")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: number(value, 1)))
    figure.axes[0].set_ylabel(text("evaluation.plot.precision"))
    _save(figure, path)


def _draw_curve(
    axes: Axes, matches: Sequence[Match], sign_class: SignClass, name: str, style: dict[str, Any]
) -> None:
    truths = sum(int((match.truth_classes == sign_class).sum()) for match in matches)
    if not truths:
        axes.plot([], [], label=text("evaluation.plot.no_sign", model=name), **style)
        return
    correct = sorted_by_confidence(matches, sign_class)[0][:, 0]
    area = number(average_precision(correct, truths), 3)
    label = text("evaluation.plot.curve", model=name, area=area)
    axes.plot(RECALL_POINTS, precision_at_recalls(correct, truths), label=label, **style)


def plot_confusion(base: np.ndarray, new: np.ndarray, title: str, confidence: float, path: Path) -> None:
    """Draws the confusion matrices of two models side by side.

    Args:
        base: `(3, 3)` counts of the base model; see `confusion_matrix`.
        new: `(3, 3)` counts of the new model.
        title: Title, in the reader's language.
        confidence: Threshold of both models.
        path: The PNG file.

    Raises:
        UserError: The PNG file cannot be written.
    """
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    percent = round(100 * confidence)
    figure.suptitle(text("evaluation.plot.confusion", world=title, percent=percent))
    panels = zip(
        figure.subplots(1, 2), (base, new), ("evaluation.plot.base", "evaluation.plot.new"), strict=True
    )
    for axes, counts, key in panels:
        _draw_matrix(axes, counts)
        axes.set_title(text(key))
    _save(figure, path)


def _draw_matrix(axes: Axes, counts: np.ndarray) -> None:
    """Shades a cell by its share of the signs in its row, and false alarms by their number per sign."""
    signs_of_row = counts.sum(axis=1)
    signs_of_row[-1] = signs_of_row[:-1].sum()
    shares = counts / np.maximum(signs_of_row, 1)[:, None]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    signs = [sign_text(sign_class) for sign_class in SignClass]
    axes.set_yticks(range(len(counts)), [*signs, text("evaluation.plot.background")])
    axes.set_xticks(range(len(counts)), [*signs, text("evaluation.plot.nothing")])
    axes.set(xlabel=text("evaluation.plot.said"), ylabel=text("evaluation.plot.there"))
    for row, column in np.ndindex(*counts.shape):
        empty = row == column == len(counts) - 1
        colour = "white" if shares[row, column] > 0.5 else "black"
        words = "–" if empty else str(counts[row, column])
        axes.text(column, row, words, ha="center", va="center", color=colour, fontsize=15)


def _save(figure: Figure, path: Path) -> None:
    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    save_png(cv2.cvtColor(np.asarray(canvas.buffer_rgba()), cv2.COLOR_RGBA2BGR), path)
