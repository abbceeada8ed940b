"""Step 3: train a detector on the pictures of step 2, evaluate it, and export it for the train.

The network learns from crops at the scale of the frames that it will process: a sign has the same width in
pixels in both. The pictures already differ in light, blur, noise and pose, so ultralytics' own augmentation
is nearly switched off.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brakepoint.training import (
    CROP_PX,
    compute_in_bfloat16,
    export_onnx,
    fall_every_step,
    open_model,
    stop_when,
    strip_checkpoint,
    unfinished,
    use_all_cores,
    watched,
    write_data_file,
)
from brakepoint.worlds import World

ROAD_SHARE = 0.25
"""Share of road pictures among all pictures: a model trained only on new things forgets the old ones."""
PRECISION_LEAST = 0.9
"""Minimum share of correct detections, or the train would stop for nothing."""
FORGETTING_MOST = 0.05
"""Largest acceptable loss of mAP50 on roads, 0 to 1, for a gain on the track."""

AUGMENTATION = {
    "mosaic": 0.0,
    "scale": 0.15,
    "translate": 0.05,
    "fliplr": 0.0,
    "hsv_h": 0.01,
    "hsv_s": 0.2,
    "hsv_v": 0.2,
    "erasing": 0.0,
}


@dataclass(frozen=True)
class Recipe:
    """The settings of a training run.

    Attributes:
        epochs: How many times each crop is used.
        batch: Crops per step.
        learning_rate: Learning rate of the first steps, which falls to a fiftieth along a cosine.
        seed: Seed for the order of the crops and the initial weights.
        patience: Training ends early after this many epochs without a better mAP on the validation pictures.
    """

    epochs: int = 3
    batch: int = 16
    learning_rate: float = 2e-3
    seed: int = 0
    patience: int = 3


def road_pictures(track_pictures: int) -> int:
    """How many pictures of roads to add to those of the track.

    Args:
        track_pictures: Number of pictures of the track.

    Returns:
        The number that makes them the share `ROAD_SHARE` of **all** pictures, rounded to an integer.
    """
    # lab: mix
    return round(track_pictures * ROAD_SHARE / (1 - ROAD_SHARE))
    # instead: raise NotImplementedError


def should_stop(scores: list[float], patience: int) -> bool:
    """Whether training should end early, because it has made no progress for a while.

    Args:
        scores: The model's score after each epoch so far (higher is better), in order.
        patience: Number of epochs without a new best score that ends training, at least 1.

    Returns:
        True once `patience` epochs have passed since the best one. An equal score is not a new best.
    """
    # lab: stop
    best = scores.index(max(scores))
    return len(scores) - 1 - best >= patience
    # instead: return False


def choose_confidence(confidences: np.ndarray, correct: np.ndarray) -> float:
    """Chooses the confidence threshold for detections.

    The lower the threshold, the more signs are found, and the more detections are wrong.

    Args:
        confidences: `(n,)` confidences of all detections, highest first.
        correct: `(n,)` whether each of them is right.

    Returns:
        The lowest of the confidences for which a share of at least `PRECISION_LEAST` of all detections
        with that confidence or more is right; 1.0 if there is none.
    """
    # lab: threshold
    for confidence in confidences[::-1]:
        if correct[confidences >= confidence].mean() >= PRECISION_LEAST:
            return float(confidence)
    return 1.0
    # instead: raise NotImplementedError


def is_better(new: dict[World, float], base: dict[World, float]) -> bool:
    """Whether a new model may replace the base model.

    Args:
        new: Its mAP50 by world, 0 to 1: `new[World.TRACK]` and `new[World.ROAD]`.
        base: The same for the base model.

    Returns:
        True if the new model is better on the track, and at most `FORGETTING_MOST` worse on roads.
    """
    # lab: gate
    gains = new[World.TRACK] > base[World.TRACK]
    return gains and new[World.ROAD] >= base[World.ROAD] - FORGETTING_MOST
    # instead: raise NotImplementedError


def train(
    datasets: list[Path],
    validation: list[Path],
    out_dir: Path,
    start: Path | None = None,
    recipe: Recipe | None = None,
) -> Path:
    """Trains a detector on crops. An interrupted run resumes after its last complete epoch.

    Args:
        datasets: Folders of crops, each with `images/` and `labels/`.
        validation: The same for validation; never part of `datasets`.
        out_dir: Receives the run: `weights/last.pt` and `curves.png` after every epoch, then `model.pt`.
        start: Checkpoint to start from; None starts from scratch.
        recipe: Settings of the run; the default if None.

    Returns:
        The stripped checkpoint of the last epoch, `out_dir/model.pt`.

    Raises:
        UserError: A dataset is empty, or the checkpoint is missing or broken, or knows other classes.
    """
    recipe = recipe or Recipe()
    data = write_data_file(datasets, validation, out_dir / "data.yaml")
    interrupted = unfinished(out_dir)
    model = open_model(interrupted or start)
    use_all_cores(model)
    compute_in_bfloat16(model)
    fall_every_step(model)
    stop_when(model, lambda scores: should_stop(scores, recipe.patience))
    with watched(model, out_dir):
        model.train(
            resume=interrupted is not None,
            data=str(data),
            imgsz=CROP_PX,
            epochs=recipe.epochs,
            batch=recipe.batch,
            nbs=recipe.batch,
            optimizer="AdamW",
            lr0=recipe.learning_rate,
            lrf=0.02,
            cos_lr=True,
            warmup_epochs=min(0.3, recipe.epochs / 10),
            weight_decay=0.01,
            seed=recipe.seed,
            patience=0,  # `should_stop` decides.
            amp=False,
            project=str(out_dir.parent.resolve()),
            name=out_dir.name,
            exist_ok=True,
            plots=False,
            **AUGMENTATION,
        )
    # The best epoch on a few stills is a matter of chance; the last one has the lowest learning rate.
    strip_checkpoint(out_dir / "weights" / "last.pt", out_dir / "model.pt")
    return out_dir / "model.pt"


def export(checkpoint: Path, target: Path) -> Path:
    """Exports a checkpoint to the ONNX file that the train runs."""
    return export_onnx(checkpoint, target)
