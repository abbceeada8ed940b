"""The generated export contains the exact labels, despite its annotators' habits."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("boto3")

from brakepoint.errors import UserError
from brakepoint.labels.yolo import read_signs
from brakepoint.messages import SignClass
from brakepoint.store.building import build_dataset
from footage.exported_project import export_stills
from solutions import step1_dataset

LINES = "0 0.300000 0.400000 0.050000 0.060000\n1 0.700000 0.450000 0.030000 0.040000\n"


def test_what_step_1_makes_of_the_export_is_what_was_rendered(tmp_path: Path) -> None:
    stills = tmp_path / "stills"
    (stills / "images").mkdir(parents=True)
    (stills / "labels").mkdir()
    for scene in range(40):
        cv2.imwrite(str(stills / "images" / f"still-{scene:04d}-0.jpg"), np.zeros((480, 640, 3), np.uint8))
        (stills / "labels" / f"still-{scene:04d}-0.txt").write_text(LINES if scene % 4 else "")

    assert export_stills(stills, tmp_path / "export", seed=2) == 40
    dataset = build_dataset(tmp_path / "export", step1_dataset, tmp_path / "dataset")

    assert 0 < dataset.unlabelled < 8
    labels = list((tmp_path / "dataset").rglob("*.txt"))
    assert len(labels) == 40 - dataset.unlabelled
    for label in labels:
        expected = read_signs(stills / "labels" / label.name, tuple(SignClass))
        found = read_signs(label, tuple(SignClass))
        assert [sign.sign_class for sign in found] == [sign.sign_class for sign in expected]
        for one, other in zip(found, expected, strict=True):
            assert one.box == pytest.approx(other.box, abs=1e-5)


def test_an_export_replaces_an_earlier_one_and_nothing_else(tmp_path: Path) -> None:
    stills = tmp_path / "stills"
    (stills / "labels").mkdir(parents=True)
    for _ in range(2):
        assert export_stills(stills, tmp_path / "export") == 0

    for folder in (stills, tmp_path):
        with pytest.raises(UserError, match="--export"):
            export_stills(stills, folder)
    assert {path.name for path in tmp_path.iterdir()} == {"stills", "export"}
