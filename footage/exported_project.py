"""Stills in the form of a Label Studio export.

The peculiarities of such an export (percentages, several annotators, skipped pictures, rotated boxes) are
generated from a seed; the answers that count contain the exact labels.
"""

import json
import math
import random
import shutil
from pathlib import Path
from typing import Any

from brakepoint.errors import UserError
from brakepoint.files import whole_folder
from brakepoint.messages import SignClass
from brakepoint.truth import CameraModel

BUCKET_PICTURES = "s3://brakepoint/stills/images/"
BEGINNER, EXPERT = 1, 2
BEGINNER_AT, EXPERT_AT = "2026-03-02T09:{:02d}:00Z", "2026-03-04T14:{:02d}:00Z"
SECOND_LOOK, SKIPPED_BY_ONE, NOT_LABELLED, TURNED = 0.25, 0.1, 0.08, 0.3
"""Shares of the pictures; `TURNED` is a share of the boxes."""
TURN_MOST_DEG = 12.0
SLOPPY_PERCENT = 1.5
"""Error of a beginner's boxes."""

Box = tuple[float, float, float, float]


def export_stills(stills: Path, out: Path, seed: int = 1) -> int:
    """Writes the pictures and `annotations.json`.

    Args:
        stills: Contains `images/` and YOLO `labels/`, from `render_stills`.
        out: Receives the project, replacing an earlier one.
        seed: Seed of the annotators' behaviour.

    Returns:
        The number of pictures.

    Raises:
        UserError: The folder contains something other than an earlier project.
    """
    there = {path.name for path in out.glob("*")}
    if there and there != {"images", "annotations.json"}:
        raise UserError("footage.export_taken", folder=out)
    tasks = []
    with whole_folder(out) as folder:
        (folder / "images").mkdir()
        for number, label in enumerate(sorted((stills / "labels").glob("*.txt")), 1):
            picture = stills / "images" / f"{label.stem}.jpg"
            shutil.copyfile(picture, folder / "images" / picture.name)
            rng = random.Random(f"{seed} {label.stem}")
            annotations = _annotations(rng, _read_yolo(label))
            tasks.append(
                {"id": number, "data": {"image": BUCKET_PICTURES + picture.name}, "annotations": annotations}
            )
        (folder / "annotations.json").write_text(json.dumps(tasks, indent=1) + "\n", encoding="utf-8")
    return len(tasks)


def _read_yolo(label: Path) -> list[tuple[SignClass, Box]]:
    """The signs of a picture: class, and `(left, top, width, height)` in percent."""
    signs = []
    for line in label.read_text(encoding="utf-8").splitlines():
        class_id, *numbers = line.split()
        x, y, width, height = (100 * float(number) for number in numbers)
        signs.append((list(SignClass)[int(class_id)], (x - width / 2, y - height / 2, width, height)))
    return signs


def _annotations(rng: random.Random, signs: list[tuple[SignClass, Box]]) -> list[dict[str, Any]]:
    """The annotators' answers for one picture; the newest answer that was not skipped is exact."""
    exact = [_rectangle(sign_class, box, rng) for sign_class, box in signs]
    chance, minute = rng.random(), rng.randrange(60)
    if chance < NOT_LABELLED:
        return [_annotation(BEGINNER, BEGINNER_AT.format(minute), [], skipped=True)] if minute % 2 else []
    chance -= NOT_LABELLED
    if chance < SKIPPED_BY_ONE:
        skipped = _annotation(EXPERT, EXPERT_AT.format(minute), [], skipped=True)
        return [_annotation(BEGINNER, BEGINNER_AT.format(minute), exact), skipped]
    chance -= SKIPPED_BY_ONE
    if chance < SECOND_LOOK and signs:
        sloppy = [_rectangle(sign_class, _sloppy(rng, box), None) for sign_class, box in signs]
        answers = [
            _annotation(EXPERT, EXPERT_AT.format(minute), exact),
            _annotation(BEGINNER, BEGINNER_AT.format(minute), sloppy),
        ]
        rng.shuffle(answers)
        return answers
    return [_annotation(BEGINNER, BEGINNER_AT.format(minute), exact)]


def _annotation(
    annotator: int, at: str, result: list[dict[str, Any]], skipped: bool = False
) -> dict[str, Any]:
    return {"completed_by": annotator, "was_cancelled": skipped, "updated_at": at, "result": result}


def _rectangle(sign_class: SignClass, box: Box, rng: random.Random | None) -> dict[str, Any]:
    camera = CameraModel()
    turn_deg = rng.uniform(-TURN_MOST_DEG, TURN_MOST_DEG) if rng and rng.random() < TURNED else 0.0
    x, y, width, height = turned = _turned(box, turn_deg, camera.width_px / camera.height_px)
    if min(turned) <= 0 or x + width > 100 or y + height > 100:  # A narrow box cannot rotate that far.
        (x, y, width, height), turn_deg = box, 0.0
    numbers = {"x": x, "y": y, "width": width, "height": height, "rotation": turn_deg}
    value = {name: round(number, 6) for name, number in numbers.items()}
    return {
        "type": "rectanglelabels",
        "from_name": "label",
        "to_name": "image",
        "original_width": camera.width_px,
        "original_height": camera.height_px,
        "image_rotation": 0,
        "value": {**value, "rectanglelabels": [sign_class]},
    }


def _turned(box: Box, turn_deg: float, aspect_ratio: float) -> Box:
    """The rectangle that has `box` as its upright bounding box after rotation about its top left corner."""
    left, top, width, height = box
    # One percent of the width is longer than one percent of the height; the rotation needs square units.
    width *= aspect_ratio
    cos, sin = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
    own_width = (width * cos - height * abs(sin)) / (cos**2 - sin**2)
    own_height = (height * cos - width * abs(sin)) / (cos**2 - sin**2)
    right = left * aspect_ratio + (own_height * sin if sin > 0 else 0.0)
    down = top - (own_width * sin if sin < 0 else 0.0)
    return right / aspect_ratio, down, own_width / aspect_ratio, own_height


def _sloppy(rng: random.Random, box: Box) -> Box:
    x, y, width, height = box
    return (
        x + rng.uniform(-SLOPPY_PERCENT, SLOPPY_PERCENT),
        y + rng.uniform(-SLOPPY_PERCENT, SLOPPY_PERCENT),
        width * rng.uniform(0.8, 1.3),
        height * rng.uniform(0.8, 1.3),
    )
