"""Everything around a training run that is not the lesson: threads, data file, checkpoints, export."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from brakepoint import __version__
from brakepoint.cores import available_cores
from brakepoint.detector.letterbox import whole_strides
from brakepoint.errors import UserError
from brakepoint.files import write_whole
from brakepoint.labels.pictures import pictures_in
from brakepoint.messages import SignClass
from brakepoint.training.crops import ZOOM
from brakepoint.training.ultralytics_setup import prepare_ultralytics
from brakepoint.workers import can_share

ARCHITECTURE = Path(__file__).parent / "track.yaml"
NAMES = [sign.value for sign in SignClass]
EXPORT_SIZE = whole_strides(480 * ZOOM), whole_strides(640 * ZOOM)
"""Height and width of the network's input: those of an enlarged frame, rounded up to whole strides."""
OPSET = 17
PROVENANCE = ("epochs", "batch", "imgsz", "optimizer", "lr0", "seed")
"""Settings of the last training run that an exported model keeps in its metadata."""


def open_model(weights: Path | None) -> Any:
    """Opens a checkpoint, or an untrained network for None.

    Raises:
        UserError: The checkpoint is missing, unreadable or made for other classes.
    """
    if weights is not None and not weights.is_file():
        raise UserError("training.checkpoint_missing", path=weights)
    prepare_ultralytics()
    from ultralytics import YOLO

    if weights is None:
        return _with_whole_checkpoints(YOLO(str(ARCHITECTURE), task="detect"))
    try:
        model = _with_whole_checkpoints(YOLO(str(weights), task="detect"))
        names = list(model.names.values())
    except Exception as error:  # torch raises nearly anything on a file that isn't a checkpoint
        raise UserError("training.checkpoint_broken", path=weights, why=str(error).splitlines()[0]) from error
    if names != NAMES:
        found, wanted = ", ".join(names), ", ".join(NAMES)
        raise UserError("training.checkpoint_classes", path=weights, found=found, wanted=wanted)
    return model


class WholePath(type(Path())):  # type: ignore[misc]  # Which class that is depends on the machine.
    """A path that makes writes by third-party code atomic."""

    def write_bytes(self, data: Any) -> int:
        """Replaces the file."""
        write_whole(Path(self), data)
        return len(data)


def _with_whole_checkpoints(model: Any) -> Any:
    """Makes ultralytics replace its checkpoints atomically, so that an interrupted run can resume."""

    def begin(trainer: Any) -> None:
        trainer.last, trainer.best = WholePath(trainer.last), WholePath(trainer.best)

    model.add_callback("on_pretrain_routine_start", begin)
    return model


def unfinished(run: Path) -> Path | None:
    """Returns the last checkpoint of a run that was interrupted after an epoch; None if there is none.

    Raises:
        UserError: The checkpoint is damaged.
    """
    last = run / "weights" / "last.pt"
    if not last.is_file():
        return None
    prepare_ultralytics()
    import torch

    try:
        content = torch.load(last, map_location="cpu", weights_only=False)
        return last if content["optimizer"] is not None else None
    except Exception as error:  # torch raises nearly anything on a file that isn't a checkpoint
        why = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError("training.run_broken", path=last, why=why, folder=run) from error


def use_all_cores(model: Any) -> None:
    """Makes ultralytics use all cores, and load data in parallel with training, even on a CPU.

    If processes cannot share memory, this process loads the data.
    """
    import torch

    def load_beside(trainer: Any) -> None:
        trainer.args.workers = available_cores() if can_share() else 0

    model.add_callback("on_pretrain_routine_start", load_beside)
    model.add_callback("on_train_start", lambda trainer: torch.set_num_threads(available_cores()))


def compute_in_bfloat16(model: Any) -> None:
    """Saves time on processors that can multiply in bfloat16 and add in float32; a GPU keeps float32."""
    import torch

    def choose(trainer: Any) -> None:
        # On a CPU, this selects torch's autocast; ultralytics' own setting requires a GPU. On a GPU, it would
        # select float16, in which small gradients are lost.
        trainer.amp = trainer.device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
        trainer.model.to(memory_format=torch.channels_last)

    model.add_callback("on_train_start", choose)


def fall_every_step(model: Any) -> None:
    """Lowers the learning rate at every step; ultralytics does so only once per epoch."""

    def begin_epoch(trainer: Any) -> None:
        trainer.steps_done = 0

    def end_step(trainer: Any) -> None:
        trainer.steps_done += 1
        progress = trainer.epoch + trainer.steps_done / len(trainer.train_loader)
        for group in trainer.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * trainer.lf(progress)

    model.add_callback("on_train_epoch_start", begin_epoch)
    model.add_callback("on_train_batch_end", end_step)


def stop_when(model: Any, rule: Callable[[list[float]], bool]) -> None:
    """Ends training after the epoch at which a rule returns True.

    Args:
        model: The model that is about to be trained.
        rule: Receives the mAP50-95 of every epoch so far, including those before an interruption.
    """

    def end_epoch(trainer: Any) -> None:
        with trainer.csv.open(encoding="utf-8", newline="") as file:
            scores = [float(row["metrics/mAP50-95(B)"]) for row in csv.DictReader(file)]
        trainer.stop = trainer.stop or rule(scores)

    model.add_callback("on_fit_epoch_end", end_epoch)


def write_data_file(train: list[Path], val: list[Path], path: Path) -> Path:
    """Writes the YAML file that tells ultralytics where the pictures are.

    Args:
        train: Dataset folders, each with `images/` and `labels/`.
        val: Dataset folders for validation.
        path: Path to write to.

    Raises:
        UserError: A dataset has no pictures.
    """
    for folder in [*train, *val]:
        if not pictures_in(folder / "images"):
            raise UserError("training.dataset_empty", path=folder)
    content = {
        "train": [str((folder / "images").resolve()) for folder in train],
        "val": [str((folder / "images").resolve()) for folder in val],
        "names": dict(enumerate(NAMES)),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, yaml.safe_dump(content, sort_keys=False).encode())
    return path


def strip_checkpoint(source: Path, target: Path) -> None:
    """Copies a checkpoint in half precision, without its optimizer or this machine's paths."""
    prepare_ultralytics()
    from ultralytics.utils.torch_utils import strip_optimizer

    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent) as folder:
        stripped = Path(folder, target.name)
        strip_optimizer(str(source), str(stripped))
        _forget_paths(stripped)
        stripped.replace(target)


def _forget_paths(checkpoint: Path) -> None:
    import torch

    content = torch.load(checkpoint, map_location="cpu", weights_only=False)
    for note in ("git", "train_results", "date"):
        content.pop(note, None)
    local = ("data", "model", "project", "name", "save_dir", "resume")
    settings = {key: value for key, value in content["train_args"].items() if key not in local}
    content["train_args"] = settings
    content["model"].args = settings
    content["model"].pt_path = checkpoint.name
    content["model"].yaml_file = content["model"].yaml["yaml_file"] = ARCHITECTURE.name
    torch.save(content, checkpoint)


def export_onnx(weights: Path, target: Path, size: tuple[int, int] = EXPORT_SIZE) -> Path:
    """Exports a checkpoint to ONNX for whole frames and smaller pictures, with class names in the metadata.

    Args:
        weights: The checkpoint.
        target: The new ONNX file.
        size: Height and width of the input.

    Returns:
        `target`, which is written atomically.
    """
    model = open_model(weights)
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent) as folder:
        model.model.pt_path = str(Path(folder) / weights.name)  # The export is created beside this path.
        made = Path(
            model.export(
                format="onnx", imgsz=list(size), opset=OPSET, simplify=True, dynamic=True, verbose=False
            )
        )
        _describe(made, model.ckpt["train_args"])
        made.replace(target)
    return target


def _describe(path: Path, trained: dict[str, Any]) -> None:
    """Adds metadata about export and training, without the date; height and width stay dynamic."""
    import onnx

    exported = onnx.load(path)
    for end in (*exported.graph.input, *exported.graph.output):
        for side in end.type.tensor_type.shape.dim:
            if side.dim_param == "batch":
                side.dim_value = 1
    del exported.graph.value_info[:]  # Inner sizes, which each runtime infers again.
    kept = {entry.key: entry.value for entry in exported.metadata_props if entry.key not in ("date", "args")}
    kept["description"] = "Brakepoint: traffic signs beside a LEGO-scale track"
    kept["provenance"] = json.dumps({"brakepoint": __version__, **{key: trained[key] for key in PROVENANCE}})
    onnx.helper.set_model_props(exported, kept)
    onnx.save(exported, path)
