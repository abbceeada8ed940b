"""Writes `ap_per_class.json`; needs the training environment: `python make_golden.py`."""

import json
from pathlib import Path

import numpy as np

Rows = list[list[float]]
"""Each row is class id, confidence, left, top, right, bottom."""


def random_picture(random: np.random.Generator, truths: int, strays: int) -> dict[str, Rows]:
    """Signs, most of them found more or less exactly, some twice or as another class, and some strays."""
    boxes = random.uniform(0, 400, (truths, 2)).round(1)
    boxes = np.hstack([boxes, boxes + random.uniform(10, 80, (truths, 2)).round(1)])
    truth_rows = [[int(random.integers(2)), 1.0, *box] for box in boxes.tolist()]
    found: Rows = []
    for class_id, _, *box in truth_rows:
        for _ in range(random.choice([0, 1, 1, 1, 2])):
            moved = (np.array(box) + random.normal(0, 3, 4)).round(1).tolist()
            seen_as = class_id if random.random() < 0.9 else 1 - class_id
            found.append([seen_as, 0.0, *moved])
    for _ in range(strays):
        left, top = random.uniform(0, 400, 2).round(1).tolist()
        found.append([int(random.integers(2)), 0.0, left, top, left + 30, top + 40])
    for row in found:
        row[1] = round(float(random.uniform(0.001, 1)), 6)
    return {"truths": truth_rows, "found": [row for row in found if row[2] < row[4] and row[3] < row[5]]}


def ultralytics_says(pictures: list[dict[str, Rows]]) -> dict[str, dict[str, float]]:
    """AP50 and AP50-95 of each class that has truths, by ultralytics' own matching and area."""
    import torch
    from ultralytics.engine.validator import BaseValidator
    from ultralytics.utils.metrics import ap_per_class, box_iou

    validator = BaseValidator.__new__(BaseValidator)
    validator.iouv = torch.linspace(0.5, 0.95, 10, dtype=torch.float64)
    columns = []
    for picture in pictures:
        found = torch.tensor(sorted(picture["found"], key=lambda row: -row[1]), dtype=torch.float64).reshape(
            -1, 6
        )
        truths = torch.tensor(picture["truths"], dtype=torch.float64).reshape(-1, 6)
        overlap = box_iou(truths[:, 2:], found[:, 2:])
        correct = torch.zeros((len(found), 10), dtype=torch.bool)
        if len(found) and len(truths):
            correct = validator.match_predictions(found[:, 0], truths[:, 0], overlap)
        columns.append((correct, found[:, 1], found[:, 0], truths[:, 0]))
    stacked = [torch.cat(column).numpy() for column in zip(*columns, strict=True)]
    *_, areas, classes, _, _, _, _, _ = ap_per_class(*stacked)
    return {
        str(class_id): {"ap50": float(area[0]), "ap50_95": float(area.mean())}
        for class_id, area in zip(classes, areas, strict=True)
    }


def main() -> None:
    """Makes a handful of cases of different hardness."""
    shapes = {"usual": (12, 4, 2), "only strays": (3, 0, 4), "blind": (2, 3, 0), "crowded": (3, 30, 10)}
    cases = []
    for seed, (name, (count, truths, strays)) in enumerate(shapes.items()):
        random = np.random.default_rng(seed)
        pictures = [random_picture(random, truths, strays) for _ in range(count)]
        if name == "blind":
            pictures = [picture | {"found": []} for picture in pictures]
        cases.append({"name": name, "pictures": pictures, "ultralytics": ultralytics_says(pictures)})
    path = Path(__file__).parent / "ap_per_class.json"
    path.write_text(json.dumps(cases, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
