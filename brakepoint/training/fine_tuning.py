"""A complete training run from pictures: cut, train, export."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brakepoint.training.crops import cut_crops
from brakepoint.training.session import unfinished

CROPS_A_PICTURE = 3


@dataclass(frozen=True)
class Trained:
    """The outcome of training: a checkpoint to continue from, and the ONNX file for the train."""

    checkpoint: Path
    model: Path


def learn(
    step: Any, data: list[Path], val: list[Path], out_dir: Path, start: Path | None, recipe: Any
) -> Trained:
    """Cuts datasets into crops, trains on them and exports the model.

    An interrupted run resumes after its last complete epoch. A new run cuts the crops again, because pictures
    may have been repainted under the same names, or datasets removed.

    Args:
        step: The module of step 3.
        data: Datasets to train on; of one that is split, only the training part is used.
        val: Datasets for validation; of one that is split, only the validation part, else the test part.
        out_dir: Receives `crops/`, `run/` and `model.onnx`.
        start: Checkpoint to start from; None starts from scratch.
        recipe: A `Recipe` of step 3.

    Raises:
        UserError: A dataset or the checkpoint is missing, empty or invalid.
    """
    if unfinished(out_dir / "run") is None:
        shutil.rmtree(out_dir / "crops", ignore_errors=True)
    crops = [out_dir / "crops" / f"{n}-{folder.name}" for n, folder in enumerate([*data, *val])]
    learnt, held_out = crops[: len(data)], crops[len(data) :]
    for folder, cut in zip(data, learnt, strict=True):
        cut_crops(folder, cut, CROPS_A_PICTURE, recipe.seed, ("train",))
    for folder, cut in zip(val, held_out, strict=True):
        cut_crops(folder, cut, 1, recipe.seed, ("val", "test"))
    checkpoint = step.train(learnt, held_out, out_dir / "run", start, recipe)
    return Trained(checkpoint, step.export(checkpoint, out_dir / "model.onnx"))
