import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from brakepoint.errors import UserError
from brakepoint.messages import SignClass
from brakepoint.synthesis.cutouts import INDEX, CutoutRecord, load_cutouts

RECORD = {
    "file": "danger-train-00.png",
    "kind": "danger-train",
    "class": "DangerAhead",
    "yaw_deg": -12.5,
    "pitch_deg": 3.0,
    "roll_deg": 0.0,
    "distance_cm": 40.0,
    "light": "day",
    "plate": [[2, 2], [18, 2], [10, 16]],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "danger-train-00.png"), np.full((30, 20, 4), 200, np.uint8))
    return tmp_path


def write_index(folder: Path, **changes: object) -> None:
    index = {"format": "brakepoint-cutouts/1", "seed": 1, "views": 1, "cutouts": [{**RECORD, **changes}]}
    (folder / INDEX).write_text(json.dumps(index))


def fault(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_cutouts(folder)
    return caught.value.key


def test_a_cutout_is_read_with_all_that_its_index_says(folder: Path) -> None:
    write_index(folder)
    (cutout,) = load_cutouts(folder)
    assert (cutout.kind, cutout.sign_class, cutout.light) == ("danger-train", SignClass.DANGER_AHEAD, "day")
    assert (cutout.image.shape, cutout.image.dtype) == ((30, 20, 4), np.dtype(np.uint8))
    assert (cutout.plate.shape, cutout.plate.dtype) == ((3, 2), np.dtype(np.float32))
    assert (cutout.yaw_deg, cutout.pitch_deg, cutout.roll_deg) == (-12.5, 3.0, 0.0)


def test_a_record_can_be_made_by_the_names_that_the_kit_uses() -> None:
    given = {**RECORD, "sign_class": RECORD["class"]}
    del given["class"]
    assert CutoutRecord.model_validate(given).sign_class is SignClass.DANGER_AHEAD


def test_a_folder_without_an_index_is_named(folder: Path) -> None:
    assert fault(folder) == "cutouts.missing"


@pytest.mark.parametrize(
    "changes",
    [
        {"class": "Danger"},
        {"file": "../danger.png"},
        {"plate": [[2, 2], [18, 2]]},
        {"plate": [[2, 2], [18, 2], [10, float("nan")]]},
        {"plate": [[2, 2], [18, 2], [10, 4096.5]]},
        {"plate": [[-0.5, 2], [18, 2], [10, 16]]},
        {"yaw_deg": 180.5},
        {"pitch_deg": -180.5},
        {"distance_cm": 0},
        {"distance_cm": float("inf")},
        {"colour": "red"},
    ],
)
def test_an_index_that_says_something_impossible_is_refused(folder: Path, changes: dict) -> None:
    write_index(folder, **changes)
    assert fault(folder) == "cutouts.invalid"


def test_what_lies_on_the_limit_is_read(folder: Path) -> None:
    write_index(folder, yaw_deg=180, roll_deg=-180, distance_cm=0.5, plate=[[0, 0], [20, 0], [10, 30]])
    assert len(load_cutouts(folder)) == 1


def test_an_index_that_is_cut_off_is_refused(folder: Path) -> None:
    write_index(folder)
    (folder / INDEX).write_text((folder / INDEX).read_text()[:80])
    assert fault(folder) == "cutouts.invalid"


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_a_picture_that_is_missing_or_broken_is_named(folder: Path, content: bytes | None) -> None:
    write_index(folder)
    (folder / "danger-train-00.png").unlink()
    if content is not None:
        (folder / "danger-train-00.png").write_bytes(content)
    with pytest.raises(UserError, match=r"danger-train-00\.png") as caught:
        load_cutouts(folder)
    assert caught.value.key == "cutouts.picture"


def test_a_picture_without_transparency_is_not_a_cutout(folder: Path) -> None:
    write_index(folder)
    cv2.imwrite(str(folder / "danger-train-00.png"), np.zeros((30, 20, 3), np.uint8))
    assert fault(folder) == "cutouts.picture"


def test_a_plate_outside_its_picture_is_refused(folder: Path) -> None:
    write_index(folder, plate=[[2, 2], [21, 2], [10, 16]])
    assert fault(folder) == "cutouts.outside"
