"""Exports that Label Studio itself has written, compared with the kit's own: all describe the pictures alike.

The two files are those of a project in Label Studio 1.23.2 to which four of the kit's stills were uploaded:
its exports JSON and JSON_MIN, as they came. The first picture was labelled twice, the second has a turned
sign, the third has none, and the fourth was skipped.
"""

import json
import shutil
from pathlib import Path

import pytest

from brakepoint.labels.folder import Labels, read_labels
from brakepoint.labels.label_studio_export import read_export
from brakepoint.labels.signs import PassedOver
from brakepoint.store import CONTENT_DIR
from solutions.step1_dataset import yolo_labels

HERE = Path(__file__).parent
EXPORTS = {"JSON": HERE / "label_studio_export.json", "JSON_MIN": HERE / "label_studio_export_min.json"}
STILLS = CONTENT_DIR / "stills"
TWICE, TURNED = "still-0001-2.jpg", "still-0001-5.jpg"
NO_SIGN, SKIPPED = "still-0001-0.jpg", "still-0004-5.jpg"
OWN_NAME = len(TWICE)
PICTURES = (TWICE, TURNED, NO_SIGN, SKIPPED)
OWN_NAMES = {name: name for name in PICTURES}


def uploaded() -> dict[str, str]:
    """Label Studio's names of the pictures, by their own: it puts eight characters before each."""
    tasks = json.loads(EXPORTS["JSON"].read_text(encoding="utf-8"))
    return {task["file_upload"][9:]: task["file_upload"] for task in tasks}


def ours(folder: Path) -> Path:
    """The kit's own export of the same pictures."""
    tasks = json.loads((STILLS / "annotations.json").read_text(encoding="utf-8"))
    path = folder / "annotations.json"
    path.write_text(json.dumps([task for task in tasks if task["data"]["image"].endswith(PICTURES)]))
    return path


def lines(export: Path) -> dict[str, list[str] | None]:
    """Step 1's labels from an export, by the picture's own name; None if nobody labelled it."""
    return {task.picture[-OWN_NAME:]: yolo_labels(task) for task in read_export(export)}


def folder_with(folder: Path, export: Path, names: dict[str, str]) -> Path:
    shutil.copy(export, folder / "export.json")
    for name in PICTURES:
        shutil.copy(STILLS / "images" / name, folder / names[name])
    return folder


def said(labels: Labels) -> dict[str, list[tuple[str, tuple[float, ...]]]]:
    return {
        picture.path.name[-OWN_NAME:]: sorted(
            (str(sign.sign_class), tuple(round(edge, 5) for edge in sign.box)) for sign in picture.signs
        )
        for picture in labels.pictures
    }


def test_step_1_makes_the_same_lines_of_both_as_of_the_kits_own(tmp_path: Path):
    expected = lines(ours(tmp_path))
    assert {name: each and len(each) for name, each in expected.items()} == {
        TWICE: 2,
        TURNED: 2,
        NO_SIGN: [],
        SKIPPED: None,
    }

    assert lines(EXPORTS["JSON"]) == expected
    spoken_for = {name: found for name, found in expected.items() if found is not None}
    assert lines(EXPORTS["JSON_MIN"]) == spoken_for, "it leaves out what was skipped"


@pytest.mark.parametrize("form", EXPORTS)
@pytest.mark.parametrize("names", [uploaded(), OWN_NAMES], ids=["as uploaded", "as they were"])
def test_a_folder_with_either_has_the_same_labels(tmp_path: Path, form: str, names: dict[str, str]):
    (tmp_path / "ours").mkdir()
    (tmp_path / "theirs").mkdir()
    kit = read_labels(folder_with(tmp_path / "ours", ours(tmp_path), OWN_NAMES))
    theirs = read_labels(folder_with(tmp_path / "theirs", EXPORTS[form], names))

    assert said(theirs) == said(kit)
    assert said(theirs)[NO_SIGN] == []
    assert SKIPPED not in said(theirs)
    without = PassedOver.SKIPPED if form == "JSON" else PassedOver.UNLABELLED
    assert [note.why for note in theirs.notes] == [PassedOver.REPLACED, without]


def test_nobody_is_named_in_the_exports():
    for path in EXPORTS.values():
        assert "@" not in path.read_text(encoding="utf-8")
