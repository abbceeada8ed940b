"""Builds the dataset of step 1 from what was fetched, by the attendee's own functions, and draws a sample."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np

from brakepoint.drawing import bgr
from brakepoint.errors import UserError
from brakepoint.labels.folder import LabelledPicture, load_labels
from brakepoint.labels.label_studio_export import read_export
from brakepoint.look import SIGN_COLOURS

EXPORT_NAME = "annotations.json"
VALIDATION_SHARE = 0.2
SEED = 1
SHEET_ROWS, SHEET_COLUMNS = 2, 3


@dataclass(frozen=True)
class Dataset:
    """What was built.

    Attributes:
        training: How many pictures to learn from.
        validation: How many to be examined on.
        unlabelled: How many were left out because nobody has labelled them.
        folder: Holds `train/` and `val/`, each with `images/` and `labels/`.
    """

    training: int
    validation: int
    unlabelled: int
    folder: Path


def build_dataset(fetched: Path, step: ModuleType, out: Path) -> Dataset:
    """Writes YOLO labels and splits the pictures; what an earlier run built there is replaced.

    Args:
        fetched: Holds `images/` and `annotations.json`.
        step: The module `step1_dataset`.
        out: Gets `train/` and `val/`.

    Raises:
        UserError: The annotations are those of another project, or of pictures that are not there.
    """
    tasks = read_export(fetched / EXPORT_NAME)
    for task in tasks:
        if not (fetched / "images" / task.picture).is_file():
            raise UserError("error.label_without_picture", file=fetched / EXPORT_NAME, picture=task.picture)
    labels = {task.picture: step.yolo_labels(task) for task in tasks}
    labelled = sorted(picture for picture, lines in labels.items() if lines is not None)
    training, validation = step.split(labelled, VALIDATION_SHARE, SEED)
    for side, pictures in (("train", training), ("val", validation)):
        shutil.rmtree(out / side, ignore_errors=True)
        (out / side / "images").mkdir(parents=True)
        (out / side / "labels").mkdir()
        for picture in pictures:
            shutil.copy2(fetched / "images" / picture, out / side / "images" / picture)
            lines = labels[picture] or []
            text = "".join(f"{line}\n" for line in lines)
            (out / side / "labels" / f"{Path(picture).stem}.txt").write_text(text, encoding="utf-8")
    return Dataset(len(training), len(validation), len(labels) - len(labelled), out)


def draw_samples(folder: Path) -> np.ndarray:
    """A picture of a few samples with their boxes: those with most signs.

    Args:
        folder: Holds `images/` and `labels/`.

    Returns:
        `(height, width, 3)` uint8, blue-green-red.
    """
    fullest = sorted(load_labels(folder), key=lambda picture: (-len(picture.signs), picture.path.name))
    tiles = [_tile(picture) for picture in fullest[: SHEET_ROWS * SHEET_COLUMNS]]
    tiles += [np.zeros_like(tiles[0])] * (SHEET_ROWS * SHEET_COLUMNS - len(tiles))
    rows = [np.hstack(tiles[i : i + SHEET_COLUMNS]) for i in range(0, len(tiles), SHEET_COLUMNS)]
    return np.vstack(rows)


def _tile(picture: LabelledPicture) -> np.ndarray:
    image = np.asarray(cv2.imread(str(picture.path)))
    height, width = image.shape[:2]
    for truth in picture.truths(width, height):
        left, top, right, bottom = (round(edge) for edge in truth.box)
        cv2.rectangle(image, (left, top), (right, bottom), bgr(SIGN_COLOURS[truth.sign_class]), 2)
    return image
