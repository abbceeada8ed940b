"""Compares a base model and a new one in the worlds that both should know: the track, and real roads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brakepoint.detector import Detector
from brakepoint.evaluation import Evaluation, Examined, examine, measure
from brakepoint.evaluation.confusion import confusion_matrix
from brakepoint.evaluation.plots import plot_confusion, plot_precision_recall
from brakepoint.evaluation.sheet import save_pairs
from brakepoint.texts import text
from brakepoint.worlds import World

TITLES = {World.TRACK: "evaluation.world.track", World.ROAD: "evaluation.world.road"}
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class WorldComparison:
    """The results of two models on the pictures of one world.

    Attributes:
        base: Results of the base model.
        new: Results of the new model.
        base_confusion: `(3, 3)` counts; see `confusion_matrix`.
        new_confusion: The counts of the new model.
        pictures: PNG files: precision–recall curves, confusion matrices, worst pictures.
    """

    base: Evaluation
    new: Evaluation
    base_confusion: np.ndarray
    new_confusion: np.ndarray
    pictures: tuple[Path, ...]


@dataclass(frozen=True)
class Comparison:
    """The results of two models on every world.

    Attributes:
        worlds: Results by world.
        confidence: The threshold for precision, recall, confusion and pictures.
    """

    worlds: dict[World, WorldComparison]
    confidence: float

    @property
    def pictures(self) -> tuple[Path, ...]:
        """Every PNG file."""
        return tuple(path for world in self.worlds.values() for path in world.pictures)


def compare(
    base: Detector,
    new: Detector,
    worlds: Mapping[World, Path],
    out: Path,
    confidence: float,
    on_progress: OnProgress | None = None,
) -> Comparison:
    """Runs two models on the same pictures, and draws the differences.

    Args:
        base: The original model.
        new: The model trained from the original one.
        worlds: Folder of labelled pictures by world; see `load_labels`.
        out: Receives `WORLD-precision-recall.png`, `WORLD-confusion.png` and `WORLD-worst.png`.
        confidence: The autopilot's threshold, 0 to 1.
        on_progress: Called after each picture with the number done and the total of this folder.

    Raises:
        UserError: Pictures or labels are missing or invalid, or the PNG files cannot be written.

    Example:
        >>> compare(base, new, {World.TRACK: Path("dataset/val")}, Path("runs/compare"), 0.6).worlds
    """
    compared: dict[World, WorldComparison] = {}
    for world, folder in worlds.items():
        by_base, by_new = (examine(folder, detector, on_progress) for detector in (base, new))
        compared[world] = compare_examined(world, by_base, by_new, out, confidence)
    return Comparison(compared, confidence)


def compare_examined(
    world: World, base: Sequence[Examined], new: Sequence[Examined], out: Path, confidence: float
) -> WorldComparison:
    """Compares the results of two models on the same pictures; see `compare`."""
    files = tuple(out / f"{world}-{name}.png" for name in ("precision-recall", "confusion", "worst"))
    curves_file, confusion_file, worst_file = files
    title = text(TITLES[world])
    evaluations = measure(base, confidence), measure(new, confidence)
    confusions = confusion_matrix(base, confidence), confusion_matrix(new, confidence)
    plot_precision_recall([one.match for one in base], [one.match for one in new], title, curves_file)
    plot_confusion(*confusions, title, confidence, confusion_file)
    save_pairs(base, new, confidence, title, worst_file)
    return WorldComparison(*evaluations, *confusions, files)
