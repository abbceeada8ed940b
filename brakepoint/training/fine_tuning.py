"""A complete training run from pictures: cut, train, export."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brakepoint.errors import UserError
from brakepoint.files import write_whole
from brakepoint.training.crops import cut_crops
from brakepoint.training.session import unfinished

CROPS_A_PICTURE = 3
SETTINGS_NAME = "settings.json"
"""The file with the settings of a run, with which an interrupted run must be resumed."""


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
        val: Datasets for validation; if one is split, only its validation part, or else its test part.
        out_dir: Receives `crops/`, `run/` and `model.onnx`.
        start: Checkpoint to start from; None starts from scratch.
        recipe: A `Recipe` of step 3.

    Raises:
        UserError: A dataset or the checkpoint is missing, empty or invalid, or an interrupted run was begun
            with other settings.
    """
    settings = {
        "data": str([str(folder.resolve()) for folder in data]),
        "val": str([str(folder.resolve()) for folder in val]),
        "start": str(start and start.resolve()),
        **{name: str(value) for name, value in vars(recipe).items()},
    }
    if unfinished(out_dir / "run") is None:
        shutil.rmtree(out_dir / "crops", ignore_errors=True)
        out_dir.mkdir(parents=True, exist_ok=True)
        write_whole(out_dir / SETTINGS_NAME, json.dumps(settings, indent=1).encode())
    else:
        _check_resumed(settings, out_dir)
    crops = [out_dir / "crops" / f"{n}-{folder.name}" for n, folder in enumerate([*data, *val])]
    learnt, held_out = crops[: len(data)], crops[len(data) :]
    for folder, cut in zip(data, learnt, strict=True):
        cut_crops(folder, cut, CROPS_A_PICTURE, recipe.seed, ("train",))
    for folder, cut in zip(val, held_out, strict=True):
        cut_crops(folder, cut, 1, recipe.seed, ("val", "test"))
    checkpoint = step.train(learnt, held_out, out_dir / "run", start, recipe)
    return Trained(checkpoint, step.export(checkpoint, out_dir / "model.onnx"))


def _check_resumed(settings: dict[str, str], out_dir: Path) -> None:
    """Refuses to resume a run with settings other than its own, of which some would be ignored.

    A run of an earlier version has no file of settings, and is resumed.
    """
    path = out_dir / SETTINGS_NAME
    if not path.exists():
        return
    try:
        begun = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        begun = None
    known = begun if isinstance(begun, dict) else {}
    if others := [name for name, value in settings.items() if known.get(name) != value]:
        raise UserError(
            "training.other_settings", folder=out_dir / "run", settings=", ".join(others).replace("_", "-")
        )
