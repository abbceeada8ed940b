"""Cuts a dataset's pictures into crops at the scale at which the network sees a frame.

The network is fully convolutional: it is trained on crops in which signs are as many pixels wide as in its
later input, and runs on whole frames. A picture of another size is fitted into a frame first, as the detector
does. Most of a frame contains no sign, so crops teach more per second of training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from rich.markup import escape

from brakepoint.bars import progress_bar
from brakepoint.cores import available_cores
from brakepoint.detector.letterbox import Letterbox
from brakepoint.files import write_whole
from brakepoint.labels.folder import LabelledPicture, part_of
from brakepoint.labels.pictures import distinct_names, read_picture, readable
from brakepoint.messages import SignClass
from brakepoint.texts import text
from brakepoint.truth import CameraModel
from brakepoint.workers import spread

ZOOM = 1.25
"""Factor by which a frame is enlarged for the network: the gain for small signs outweighs the cost."""
CROP_PX = 256
"""Side of a crop in the network's input."""
CUT_PX = round(CROP_PX / ZOOM)
"""Side of a crop in the frame."""
FRAME_PX = (CameraModel().width_px, CameraModel().height_px)
"""Width and height of a frame."""
ABOUT_SIGNS = 0.6
"""Share of crops placed around a sign; the others are anywhere, since distractors have no label."""
WHOLE_LEAST = 0.5
"""A sign of which a crop contains a smaller share is not labelled in the crop."""
CUT_LEAST = 0.08
"""A crop that contains a share of a sign between this and `WHOLE_LEAST` is rejected."""

WORTH_A_POOL = 64
"""Number of pictures for which a process pool becomes worthwhile."""


@dataclass(frozen=True)
class Labelled:
    """Labels of a picture: `(n,)` class ids and `(n, 4)` boxes, left, top, right, bottom in pixels."""

    classes: np.ndarray
    boxes: np.ndarray

    @classmethod
    def of(cls, picture: LabelledPicture, width: int, height: int) -> "Labelled":
        """Reads the labels of a picture of that size."""
        truths = picture.truths(width, height)
        classes = [list(SignClass).index(truth.sign_class) for truth in truths]
        boxes = [truth.box for truth in truths]
        return cls(np.array(classes, int), np.array(boxes, float).reshape(-1, 4))

    def within(self, left: int, top: int, side: int) -> "Labelled | None":
        """Returns the labels inside a square crop; None if the crop cuts a sign badly."""
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


def cut_crops(
    dataset: Path,
    out_dir: Path,
    per_picture: int,
    seed: int,
    splits: Sequence[str] = ("train",),
    quiet: bool = False,
) -> int:
    """Cuts crops from every picture of a dataset; pictures that already have theirs are skipped.

    Args:
        dataset: Contains `images/` and `labels/`.
        out_dir: Receives `images/` and `labels/` with the crops.
        per_picture: Number of crops of each picture.
        seed: Determines where to cut, together with a picture's name.
        splits: If the dataset is split, only the first of these splits that exists is cut.
        quiet: Whether to show no progress.

    Returns:
        The number of crops in `out_dir` for this dataset.

    Raises:
        UserError: A picture or its labels are broken.
    """
    for folder in ("images", "labels"):
        (out_dir / folder).mkdir(parents=True, exist_ok=True)
    pictures = part_of(dataset, *splits).pictures
    names = distinct_names([picture.path for picture in pictures], dataset)
    named = [(picture, f"{dataset.name}-{Path(names[picture.path]).stem}") for picture in pictures]
    cut = partial(_cut_one, out_dir=out_dir, per_picture=per_picture, seed=seed)
    description = escape(text("training.cutting", dataset=dataset.name))
    workers = available_cores() if len(pictures) >= WORTH_A_POOL else 1
    with spread(cut, named, workers) as cuts, progress_bar(disable=quiet) as bar:
        return sum(bar.track(cuts, len(pictures), description=description))


def _cut_one(named: tuple[LabelledPicture, str], out_dir: Path, per_picture: int, seed: int) -> int:
    """Cuts one picture. Labels are written before crops, so that every existing crop has its label."""
    picture, name = named
    file = picture.path
    if (out_dir / "images" / f"{name}-{per_picture - 1}.jpg").exists():
        return per_picture
    image = read_picture(file)
    own_px = image.shape[1], image.shape[0]
    letterbox = Letterbox.fit(own_px, FRAME_PX)
    labels = Labelled.of(picture, *own_px)
    image, labels = letterbox.apply(image), Labelled(labels.classes, letterbox.to_input(labels.boxes))
    height, width = image.shape[:2]
    rng = np.random.default_rng([seed, *readable(file.stem).encode()])
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
    """Finds a place that cuts no sign badly; after twenty tries, uses the last one, with whole signs only."""
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
