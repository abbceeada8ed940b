"""Supplies the outcome of a step from the kit's own files, so that a failed step does not end a workshop."""

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from brakepoint.cores import available_cores
from brakepoint.course import Step, find_step
from brakepoint.files import put_in_place
from brakepoint.models import SHIPPED_CHECKPOINT, SHIPPED_MODEL
from brakepoint.steps import load_step
from brakepoint.workshop.quick import size

DATASET_DIR, SYNTHETIC_DIR, TRAINING_DIR = Path("runs/dataset"), Path("runs/synthetic"), Path("runs/train")
SYNTHETIC_PICTURES, QUICK_PICTURES = 2500, 12


def install(step: Step) -> Path | None:
    """Installs a good outcome of a step where the next one expects it; existing files are moved aside.

    Returns:
        The outcome's folder; None if the step has no outcome besides its code.
    """
    if step.name not in INSTALLERS:
        return None
    folder, put = INSTALLERS[step.name]
    beginning = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(beginning, ignore_errors=True)
    try:
        put(beginning)
        put_in_place(beginning, folder, folder.with_name(f"{folder.name}-{datetime.now():%Y%m%d-%H%M%S-%f}"))
    finally:
        shutil.rmtree(beginning, ignore_errors=True)
    return folder


def outcome_of(number: str) -> Path:
    """The outcome folder of a step, created from the kit's files if the learner skipped the step."""
    step = find_step(number)
    folder, _ = INSTALLERS[step.name]
    if not folder.exists():
        install(step)
    return folder


def _put_dataset(folder: Path) -> None:
    from brakepoint.store import STILLS_PREFIX
    from brakepoint.store.building import build_dataset
    from brakepoint.store.content import content

    for key, path in content().items():
        target = folder / "downloads" / key
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    build_dataset(folder / "downloads" / STILLS_PREFIX, load_step("step1_dataset", "solutions"), folder)


def _put_synthetic(folder: Path) -> None:
    from brakepoint.synthesis import Materials
    from brakepoint.synthesis.cutouts import SHIPPED_CUTOUTS, load_cutouts
    from brakepoint.synthesis.engine import synthesise

    painter = load_step("step2_synthetic", "solutions")
    materials = Materials(cutouts=load_cutouts(SHIPPED_CUTOUTS))
    count = size(SYNTHETIC_PICTURES, QUICK_PICTURES)
    synthesise(folder, count, 0, materials, available_cores(), painter)


def _put_model(folder: Path) -> None:
    (folder / "run").mkdir(parents=True)
    shutil.copy2(SHIPPED_CHECKPOINT, folder / "run" / "model.pt")
    shutil.copy2(SHIPPED_MODEL, folder / "model.onnx")


INSTALLERS: dict[str, tuple[Path, Callable[[Path], None]]] = {
    "step1_dataset": (DATASET_DIR, _put_dataset),
    "step2_synthetic": (SYNTHETIC_DIR, _put_synthetic),
    "step3_training": (TRAINING_DIR, _put_model),
}
"""For each step with an outcome: the outcome's folder, and the function that fills this folder."""
