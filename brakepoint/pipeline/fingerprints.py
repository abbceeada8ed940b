"""Fingerprints of the code behind a stage, and of a folder of data.

The components of the pipeline are only a few lines that call the kit. Kubeflow's cache compares only those
lines and the inputs: without the code's fingerprint among the inputs, it would reuse results of old code.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from brakepoint.places import KIT, PACKAGES
from brakepoint.steps import load_step

COMMON = ("brakepoint/pipeline", "brakepoint/messages.py", "brakepoint/worlds.py")
PAINTING = ("brakepoint/synthesis", "dataset/cutouts/cutouts.json")
CODE = {
    "dataset": (
        *COMMON,
        "brakepoint/store",
        "brakepoint/labels",
        "brakepoint/evaluation",
        "dataset/stills/annotations.json",
    ),
    "synthetic": (*COMMON, *PAINTING),
    "training": (
        *COMMON,
        *PAINTING,
        "brakepoint/labels",
        "brakepoint/training",
        "brakepoint/models/base.pt",
    ),
}
"""The code that each cacheable stage runs, besides its step module."""
STEPS = {"dataset": "step1_dataset", "synthetic": "step2_synthetic", "training": "step3_training"}


def code_fingerprint(stage: str) -> str:
    """Fingerprint of everything that a stage runs.

    Args:
        stage: One of `CODE`.
    """
    module = load_step(STEPS[stage]).__file__
    assert module is not None
    files = [Path(module)]
    for name in CODE[stage]:
        path = (PACKAGES if name.startswith("brakepoint/") else KIT) / name
        files += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return _digest(files)


def folder_fingerprint(folder: Path) -> str:
    """Fingerprint of all files in a folder, names and contents."""
    return _digest(sorted(path for path in folder.rglob("*") if path.is_file()), folder)


def _digest(files: Iterable[Path], root: Path | None = None) -> str:
    """A hash of files; without a common root, files are identified by name, wherever they are installed."""
    digest = hashlib.sha256()
    for path in files:
        name = path.relative_to(root).as_posix() if root else path.name
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{name}\0{content}\n".encode())
    return digest.hexdigest()
