"""Writes a dataset of synthetic pictures: resumable, and independent of the number of workers."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from brakepoint.bars import progress_bar
from brakepoint.errors import UserError
from brakepoint.files import write_whole
from brakepoint.synthesis.materials import Materials
from brakepoint.synthesis.picture import Label, Picture
from brakepoint.texts import text
from brakepoint.workers import spread

MANIFEST = "synthesis.json"
Painter = Callable[[np.random.Generator, Materials], Picture]


class Steps(Protocol):
    """The functions of step 2's module, in `labs` or `solutions`, that the engine needs."""

    def paint_picture(self, rng: np.random.Generator, materials: Materials, /) -> Picture:
        """Paints one picture."""

    def yolo_line(self, label: Label, width: int, height: int, /) -> str:
        """Writes a label as a line of a file."""


@dataclass(frozen=True)
class _Job:
    """Everything that a worker needs to paint any of the pictures."""

    out_dir: Path
    seed: int
    materials: Materials
    paint: Painter
    write_label: Callable[[Label, int, int], str]


def synthesise(
    out_dir: Path,
    count: int,
    seed: int,
    materials: Materials,
    workers: int,
    step: Steps,
    quiet: bool = False,
) -> int:
    """Fills `out_dir` with pictures 0 to `count` − 1 and their labels; existing ones are kept.

    Args:
        out_dir: Receives `images/`, `labels/` and `synthesis.json`, which records the settings.
        count: Total number of pictures.
        seed: Picture `i` depends only on `(seed, i)`.
        materials: Materials for the pictures.
        workers: Number of processes, at least 1.
        step: The module of step 2.
        quiet: Whether to show no progress.

    Returns:
        The number of pictures created by this call.

    Raises:
        UserError: The settings are impossible, a background is invalid, or the folder was begun with other
            settings.
    """
    if count < 1 or workers < 1 or seed < 0:
        raise UserError("synthesis.settings", count=count, workers=workers, seed=seed)
    _begin(out_dir, seed, materials)
    missing = [number for number in range(count) if not _is_made(out_dir, number)]
    job = _Job(out_dir, seed, materials, step.paint_picture, step.yolo_line)
    with (
        spread(partial(_make, job), missing, workers) as done,
        progress_bar(disable=quiet or not missing) as bar,
    ):
        for _ in bar.track(done, len(missing), description=text("synthesis.progress")):
            pass
    return len(missing)


def _begin(out_dir: Path, seed: int, materials: Materials) -> None:
    """Creates the folders, and refuses to mix pictures from different settings in one folder."""
    settings = {"format": "brakepoint-synthesis/7", "seed": seed, **materials.describe()}
    manifest = out_dir / MANIFEST
    if manifest.exists() and _settings_in(manifest) != settings:
        raise UserError("synthesis.other_settings", path=out_dir)
    for folder in ("images", "labels"):
        (out_dir / folder).mkdir(parents=True, exist_ok=True)
    write_whole(manifest, (json.dumps(settings, indent=1) + "\n").encode())


def _settings_in(manifest: Path) -> object:
    try:
        return json.loads(manifest.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return None


def _is_made(out_dir: Path, number: int) -> bool:
    """Whether a picture and its label exist: a picture without a label would teach that it has no sign."""
    files = out_dir / "images" / _name(number, ".jpg"), out_dir / "labels" / _name(number, ".txt")
    return all(file.exists() for file in files)


def _make(job: _Job, number: int) -> int:
    """Creates one picture.

    The image is written last and atomically, so that existing pictures are complete.
    """
    picture = job.paint(np.random.default_rng([job.seed, number]), job.materials)
    height, width = picture.image.shape[:2]
    lines = "".join(f"{job.write_label(label, width, height)}\n" for label in picture.labels)
    _, jpeg = cv2.imencode(".jpg", picture.image, [cv2.IMWRITE_JPEG_QUALITY, picture.jpeg_quality])
    write_whole(job.out_dir / "labels" / _name(number, ".txt"), lines.encode())
    write_whole(job.out_dir / "images" / _name(number, ".jpg"), jpeg.tobytes())
    return number


def _name(number: int, suffix: str) -> str:
    return f"{number:06d}{suffix}"
