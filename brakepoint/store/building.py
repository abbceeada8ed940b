"""Builds the dataset of step 1 from labelled pictures, with the attendee's functions, and draws a sample."""

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np

from brakepoint.drawing import bgr
from brakepoint.errors import UserError
from brakepoint.files import whole_folder
from brakepoint.labels.folder import Labels, load_labels, read_labels
from brakepoint.labels.label_studio_export import read_export
from brakepoint.labels.pictures import (
    PictureIndex,
    distinct_names,
    files_below,
    pictures_among,
    read_picture,
    readable,
)
from brakepoint.labels.signs import LabelledPicture, Note, PassedOver
from brakepoint.look import SIGN_LOOKS

EXPORT_NAME = "annotations.json"
SIDES = ("train", "val")
VALIDATION_SHARE = 0.2
SEED = 1
SHEET_ROWS, SHEET_COLUMNS = 2, 3
TILE_PX = (640, 480)


@dataclass(frozen=True)
class Dataset:
    """The built dataset.

    Attributes:
        training: Number of training pictures.
        validation: Number of validation pictures.
        unlabelled: Number of pictures skipped because they are not labelled.
        folder: Contains `train/` and `val/`, each with `images/` and `labels/`.
        notes: Notes about everything else that was skipped.
    """

    training: int
    validation: int
    unlabelled: int
    folder: Path
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class _Item:
    """A picture of the dataset: its source, its name, its YOLO lines and its split, if given."""

    source: Path
    name: str
    lines: Sequence[str]
    split: str | None = None


def build_dataset(fetched: Path, step: ModuleType, out: Path) -> Dataset:
    """Writes YOLO labels and splits the pictures; the result replaces that of an earlier run.

    Args:
        fetched: Contains `images/` and `annotations.json`.
        step: The module `step1_dataset`.
        out: Receives `train/` and `val/`; until these are complete, the old ones are kept.

    Raises:
        UserError: The annotations belong to another project, or to missing pictures.
    """
    notes: list[Note] = []
    export, folder = fetched / EXPORT_NAME, fetched / "images"
    tasks = read_export(export, notes)
    index = PictureIndex(pictures_among(files_below(folder)), folder)
    labels: dict[Path, list[str] | None] = {}
    for task in tasks:
        path, lines = index.find(task.location or task.picture, export), step.yolo_labels(task)
        if lines is not None and labels.get(path) is not None:
            raise UserError("error.label_twice", file=export, picture=task.picture)
        labels[path] = labels.get(path) if lines is None else lines
    names = distinct_names(sorted(labels), folder)
    items = [_Item(path, names[path], lines) for path, lines in labels.items() if lines is not None]
    return _write(items, step, out, len(labels) - len(items), notes)


def import_dataset(source: Path, step: ModuleType, out: Path) -> Dataset:
    """Creates a dataset from the user's labelled pictures, in any format; see `read_labels`.

    An existing split into training and validation is kept.

    Args:
        source: Contains pictures and labels.
        step: The module `step1_dataset`.
        out: Receives `train/` and `val/`; until these are complete, the old ones are kept.

    Raises:
        UserError: Pictures or labels are missing or invalid, a picture cannot be decoded, or the dataset
            would replace files of the source.
    """
    own = [file.resolve() for file in files_below(source)]
    for folder in (out / side for side in SIDES):
        replaced = folder.resolve()
        if any(file.is_relative_to(replaced) for file in own):
            raise UserError("store.error.own_files", folder=folder, source=source)
    labels = _with_two_sides(read_labels(source))
    names = distinct_names([picture.path for picture in labels.pictures], source)
    items = []
    for picture in labels.pictures:
        height, width = read_picture(picture.path).shape[:2]
        lines = [
            step.yolo_line(truth.sign_class, truth.box, width, height)
            for truth in picture.truths(width, height)
        ]
        items.append(_Item(picture.path, names[picture.path], lines, picture.split))
    told_apart = PassedOver.UNLABELLED, PassedOver.SKIPPED
    unlabelled = sum(note.why in told_apart for note in labels.notes)
    return _write(items, step, out, unlabelled, labels.notes)


def _with_two_sides(labels: Labels) -> Labels:
    """The pictures of the two splits if both exist; otherwise all pictures, without a split."""
    if not {picture.split for picture in labels.pictures} >= set(SIDES):
        return Labels(
            tuple(LabelledPicture(each.path, each.signs, each.size_px) for each in labels.pictures),
            labels.notes,
        )
    left = [picture for picture in labels.pictures if picture.split not in SIDES]
    notes = tuple(Note(PassedOver.OTHER_SPLIT, readable(picture.path.name)) for picture in left)
    return Labels(tuple(each for each in labels.pictures if each.split in SIDES), labels.notes + notes)


def _write(
    items: Sequence[_Item], step: ModuleType, out: Path, unlabelled: int, notes: Sequence[Note]
) -> Dataset:
    by_name = {item.name: item for item in items}
    if any(item.split for item in items):
        sides = [sorted(item.name for item in items if item.split == side) for side in SIDES]
    else:
        sides = [list(names) for names in step.split(sorted(by_name), VALIDATION_SHARE, SEED)]
    if not all(sides):
        raise UserError("store.error.one_side", count=len(items))
    if not any(by_name[name].lines for name in sides[0]):
        raise UserError("error.labels_no_sign", folder=out / SIDES[0])
    with ExitStack() as stack:
        for side, names in zip(SIDES, sides, strict=True):
            folder = stack.enter_context(whole_folder(out / side))
            (folder / "images").mkdir()
            (folder / "labels").mkdir()
            for name in names:
                shutil.copy2(by_name[name].source, folder / "images" / name)
                text = "".join(f"{line}\n" for line in by_name[name].lines)
                (folder / "labels" / f"{Path(name).stem}.txt").write_text(text, encoding="utf-8")
    return Dataset(len(sides[0]), len(sides[1]), unlabelled, out, tuple(notes))


def draw_samples(folder: Path) -> np.ndarray:
    """A picture of a few samples with their boxes: the pictures with the most signs.

    Args:
        folder: Contains `images/` and `labels/`.

    Returns:
        `(height, width, 3)` uint8, blue-green-red.
    """
    fullest = sorted(load_labels(folder), key=lambda picture: (-len(picture.signs), picture.path.name))
    tiles = [_tile(picture) for picture in fullest[: SHEET_ROWS * SHEET_COLUMNS]]
    tiles += [np.zeros_like(tiles[0])] * (SHEET_ROWS * SHEET_COLUMNS - len(tiles))
    rows = [np.hstack(tiles[i : i + SHEET_COLUMNS]) for i in range(0, len(tiles), SHEET_COLUMNS)]
    return np.vstack(rows)


def _tile(picture: LabelledPicture) -> np.ndarray:
    """The picture with its boxes, as large as the tile allows, on a black background."""
    image = read_picture(picture.path)
    scale = min(TILE_PX[0] / image.shape[1], TILE_PX[1] / image.shape[0])
    if scale != 1:
        size = [max(round(side * scale), 1) for side in image.shape[1::-1]]
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    height, width = image.shape[:2]
    for sign in picture.signs:
        left, top, right, bottom = sign.box
        corner, other = (
            (round(left * width), round(top * height)),
            (round(right * width), round(bottom * height)),
        )
        cv2.rectangle(image, corner, other, bgr(SIGN_LOOKS[sign.sign_class].colour), 2)
    tile = np.zeros((TILE_PX[1], TILE_PX[0], 3), np.uint8)
    tile[:height, :width] = image
    return tile
