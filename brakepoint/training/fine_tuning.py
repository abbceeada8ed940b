"""A whole training from pictures: cut, learn, export."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brakepoint.training.crops import cut_crops
from brakepoint.training.session import unfinished

CROPS_A_PICTURE = 3


@dataclass(frozen=True)
class Trained:
    """What a training leaves: the checkpoint to go on from, and the ONNX file that the train runs."""

    checkpoint: Path
    model: Path


def learn(
    step: Any, data: list[Path], val: list[Path], out_dir: Path, start: Path | None, recipe: Any
) -> Trained:
    """Cuts datasets into crops, trains on them and exports the model.

    A training that was interrupted goes on after its last whole epoch. A new one cuts anew: pictures may have
    been painted anew under their old names, and datasets left out.

    Args:
        step: The module of step 3.
        data: Datasets to learn from.
        val: Datasets to judge by.
        out_dir: Gets `crops/`, `run/` and `model.onnx`.
        start: Checkpoint to go on from; None starts from nothing.
        recipe: A `Recipe` of step 3.

    Raises:
        UserError: A dataset or the checkpoint is missing, empty or invalid.
    """
    if unfinished(out_dir / "run") is None:
        shutil.rmtree(out_dir / "crops", ignore_errors=True)
    crops = {folder: out_dir / "crops" / f"{n}-{folder.name}" for n, folder in enumerate([*data, *val])}
    for folder, cut in crops.items():
        cut_crops(folder, cut, 1 if folder in val else CROPS_A_PICTURE, recipe.seed)
    checkpoint = step.train(
        [crops[folder] for folder in data], [crops[folder] for folder in val], out_dir / "run", start, recipe
    )
    return Trained(checkpoint, step.export(checkpoint, out_dir / "model.onnx"))
