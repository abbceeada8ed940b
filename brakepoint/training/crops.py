"""Cuts a dataset's pictures into crops at the scale at which the network sees a frame.

The network is fully convolutional: trained on crops in which signs are as many pixels wide as they will be in
its input, it runs on whole frames. Most of a frame shows no sign, so crops teach more for each second spent.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from brakepoint.bars import progress_bar
from brakepoint.cores import available_cores
from brakepoint.errors import UserError
from brakepoint.files import write_whole
from brakepoint.labels.folder import LabelledPicture, read_labels
from brakepoint.messages import SignClass
from brakepoint.texts import text
from brakepoint.workers import spread

ZOOM = 1.25
"""A frame is enlarged by so much before the network looks at it: small signs gain more than it costs."""
CROP_PX = 256
"""Side of a crop as the network sees it…"""
CUT_PX = round(CROP_PX / ZOOM)
"""…and in the picture that it is cut from."""
ABOUT_SIGNS = 0.6
"""How many crops are laid around a sign; the others anywhere, for what must not be found has no label."""
WHOLE_LEAST = 0.5
"""A sign of which less lies in a crop is not labelled there…"""
CUT_LEAST = 0.08
"""…and a crop that cuts a sign to less than that, but more than this, is not taken."""

WORTH_A_POOL = 64
"""Pictures from which on other processes help."""


@dataclass(frozen=True)
class Labelled:
    """Labels of a picture: `(n,)` class ids and `(n, 4)` boxes, left, top, right, bottom in pixels."""

    classes: np.ndarray
    boxes: np.ndarray

    @classmethod
    def of(cls, picture: LabelledPicture, width: int, height: int) -> "Labelled":
        """The labels of a picture of that size."""
        truths = picture.truths(width, height)
        classes = [list(SignClass).index(truth.sign_class) for truth in truths]
        boxes = [truth.box for truth in truths]
        return cls(np.array(classes, int), np.array(boxes, float).reshape(-1, 4))

    def within(self, left: int, top: int, side: int) -> "Labelled | None":
        """Returns the labels inside a square crop; None where the crop cuts a sign badly."""
        moved = self.boxes - (left, top, left, top)
        clipped = moved.clip(0, side)
        share = _area(clipped) / np.maximum(_area(moved), 1e-6)
        if ((share > CUT_LEAST) & (share < WHOLE_LEAST)).any():
            return None
        keep = share >= WHOLE_LEAST
        return Labelled(self.classes[keep], clipped[keep])

    def yolo(self, side: int) -> str:
        """Writes YOLO text for a square picture."""
        centre = (self.boxes[:, :2] + self.boxes[:, 2:]) / 2
        rows = np.hstack([centre, self.boxes[:, 2:] - self.boxes[:, :2]]) / side
        return "".join(
            f"{class_id} {' '.join(f'{value:.6f}' for value in row)}\n"
            for class_id, row in zip(self.classes, rows, strict=True)
        )


def _area(boxes: np.ndarray) -> np.ndarray:
    areas: np.ndarray = (boxes[:, 2] - boxes[:, 0]).clip(0) * (boxes[:, 3] - boxes[:, 1]).clip(0)
    return areas


def cut_crops(dataset: Path, out_dir: Path, per_picture: int, seed: int, quiet: bool = False) -> int:
    """Cuts every picture of a dataset; pictures already cut are skipped.

    Args:
        dataset: Holds `images/` and `labels/`.
        out_dir: Gets the same.
        per_picture: Crops of each picture.
        seed: Together with a picture's name it decides where to cut.
        quiet: Whether to show no progress.

    Returns:
        How many crops are in `out_dir` for this dataset.

    Raises:
        UserError: A picture or its labels are broken.
    """
    for folder in ("images", "labels"):
        (out_dir / folder).mkdir(parents=True, exist_ok=True)
    pictures = read_labels(dataset).pictures
    cut = partial(_cut_one, out_dir=out_dir, per_picture=per_picture, seed=seed)
    description = text("training.cutting", dataset=dataset.name)
    workers = available_cores() if len(pictures) >= WORTH_A_POOL else 1
    with spread(cut, pictures, workers) as cuts, progress_bar(disable=quiet) as bar:
        return sum(bar.track(cuts, len(pictures), description=description))


def _cut_one(picture: LabelledPicture, out_dir: Path, per_picture: int, seed: int) -> int:
    """Cuts one picture. Labels come before crops, so that a crop that exists is complete."""
    file = picture.path
    name = f"{file.parent.parent.name}-{file.stem}"
    if (out_dir / "images" / f"{name}-{per_picture - 1}.jpg").exists():
        return per_picture
    image = cv2.imread(str(file))
    if image is None or min(image.shape[:2]) < CUT_PX:
        raise UserError("training.picture_broken", path=file, side=CUT_PX)
    height, width = image.shape[:2]
    labels = Labelled.of(picture, width, height)
    rng = np.random.default_rng([seed, *file.stem.encode()])
    for number in range(per_picture):
        left, top, inside = _place(rng, labels, width, height, CUT_PX)
        write_whole(out_dir / "labels" / f"{name}-{number}.txt", inside.yolo(CUT_PX).encode())
        cut = image[top : top + CUT_PX, left : left + CUT_PX]
        crop = cv2.resize(cut, (CROP_PX, CROP_PX), interpolation=cv2.INTER_LINEAR)
        _, jpeg = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, 95])
        write_whole(out_dir / "images" / f"{name}-{number}.jpg", jpeg.tobytes())
    return per_picture


def _place(
    rng: np.random.Generator, labels: Labelled, width: int, height: int, side: int
) -> tuple[int, int, Labelled]:
    """Looks for a place that cuts no sign badly; after twenty tries it takes the last, whole signs only."""
    for _ in range(20):
        corner = rng.uniform(0, 1, 2) * (width - side, height - side)
        if len(labels.boxes) and rng.random() < ABOUT_SIGNS:
            box = labels.boxes[rng.integers(len(labels.boxes))]
            centre = (box[:2] + box[2:]) / 2
            corner = centre - side / 2 + rng.uniform(-0.42, 0.42, 2) * side
        left, top = np.clip(corner, 0, (width - side, height - side)).astype(int)
        inside = labels.within(int(left), int(top), side)
        if inside is not None:
            return int(left), int(top), inside
    moved = labels.boxes - (left, top, left, top)
    whole = ((moved >= 0) & (moved <= side)).all(axis=1)
    return int(left), int(top), Labelled(labels.classes[whole], moved[whole])
