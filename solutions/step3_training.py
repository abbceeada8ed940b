"""Step 3: teach a detector with the pictures of step 2, and export it for the train.

The network learns from crops at native scale: in a crop a sign is as many pixels wide as it will be in a
frame. The pictures already differ in light, blur, noise and pose, so ultralytics' own augmentation is nearly
switched off.
"""

from dataclasses import dataclass
from pathlib import Path

from brakepoint.training import (
    CROP_PX,
    export_onnx,
    fall_every_step,
    open_model,
    strip_checkpoint,
    unfinished,
    use_all_cores,
    watched,
    write_data_file,
)

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
    """How a model is trained.

    Attributes:
        epochs: How often every crop is seen.
        batch: Crops a step.
        learning_rate: Of the first steps; it falls to a fiftieth along a cosine.
        seed: For the order of the crops and the first weights.
        patience: So many epochs without a better mAP on the validation pictures end the training early.
    """

    epochs: int = 3
    batch: int = 16
    learning_rate: float = 2e-3
    seed: int = 0
    patience: int = 3


def train(
    datasets: list[Path],
    validation: list[Path],
    out_dir: Path,
    start: Path | None = None,
    recipe: Recipe | None = None,
) -> Path:
    """Trains a detector on crops. A run that was interrupted goes on after its last whole epoch.

    Args:
        datasets: Folders of crops, each with `images/` and `labels/`.
        validation: The same; never part of `datasets`.
        out_dir: Gets the run: `weights/last.pt` and `curves.png` after every epoch, `model.pt`.
        start: Checkpoint to go on from; None starts from nothing.
        recipe: How to train; the default if None.

    Returns:
        The stripped checkpoint of the best epoch, `out_dir/model.pt`.

    Raises:
        UserError: A dataset is empty, or the checkpoint is missing, broken or made for other classes.
    """
    recipe = recipe or Recipe()
    data = write_data_file(datasets, validation, out_dir / "data.yaml")
    interrupted = unfinished(out_dir)
    model = open_model(interrupted or start)
    use_all_cores(model)
    fall_every_step(model)
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
            patience=recipe.patience,
            amp=False,
            project=str(out_dir.parent.resolve()),
            name=out_dir.name,
            exist_ok=True,
            plots=False,
            **AUGMENTATION,
        )
    strip_checkpoint(out_dir / "weights" / "best.pt", out_dir / "model.pt")
    return out_dir / "model.pt"


def export(checkpoint: Path, target: Path) -> Path:
    """Exports a checkpoint to the ONNX file that the train runs."""
    return export_onnx(checkpoint, target)
