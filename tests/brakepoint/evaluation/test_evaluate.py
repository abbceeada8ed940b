import json

import cv2
import numpy as np
import pytest
import typer
from onnx_models import raw_output
from typer.testing import CliRunner

from brakepoint.cli.evaluate import evaluate_command
from brakepoint.detector import Detector
from brakepoint.errors import UserError
from brakepoint.evaluation import evaluate, read_picture

APP = typer.Typer()
APP.command()(evaluate_command)


@pytest.fixture
def folder(tmp_path):
    """Two pictures: in one the model's answer is right, the other shows no sign, so that it is wrong."""
    random = np.random.default_rng(0)
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    for name in ("a.jpg", "b.png"):
        cv2.imwrite(str(tmp_path / "images" / name), random.integers(0, 255, (128, 192, 3), np.uint8))
    (tmp_path / "labels" / "a.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    return tmp_path


@pytest.fixture
def model(make_model):
    return make_model(raw_output((36, 16, 60, 48, 0.9, 0.0)))


def test_evaluate(folder, model):
    progress = []
    evaluation = evaluate(folder, Detector(model), lambda *done: progress.append(done))
    danger, limit = evaluation.per_class.values()
    assert progress == [(1, 2), (2, 2)]
    assert evaluation.images == 2
    assert evaluation.map50 == danger.ap50 == pytest.approx(0.995)
    assert (danger.precision, danger.recall, danger.truths) == (0.5, 1, 1)
    assert (limit.ap50, limit.truths) == (None, 0)


def test_the_command_prints_one_json_object(folder, model):
    result = CliRunner().invoke(APP, ["--images", str(folder), "--model", str(model), "--json"])
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert printed["map50"] == pytest.approx(0.995)
    assert printed["map50_95"] == pytest.approx(0.995)
    assert set(printed["per_class"]) == {"DangerAhead", "SpeedLimit"}


def test_the_command_prints_a_table(folder, model):
    result = CliRunner().invoke(APP, ["--images", str(folder), "--model", str(model)])
    assert "DangerAhead" in result.stdout
    assert "0.995" in result.stdout


def test_a_long_evaluation_shows_progress_on_stderr(folder, model, monkeypatch):
    monkeypatch.setattr("brakepoint.cli.evaluate.PATIENCE_S", 0.0)
    result = CliRunner().invoke(APP, ["--images", str(folder), "--model", str(model), "--json"])
    assert json.loads(result.stdout)
    assert "100%" in result.stderr


@pytest.mark.parametrize("name", ["a.jpg", "b.png"])
@pytest.mark.parametrize("keep", [0, 0.5])
def test_a_truncated_picture_is_refused(folder, model, name, keep):
    path = folder / "images" / name
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(UserError) as caught:
        evaluate(folder, Detector(model))
    assert caught.value.key == "error.picture_unreadable"


def test_a_picture_that_is_none(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"not a picture")
    with pytest.raises(UserError):
        read_picture(path)


def test_a_grey_picture_has_three_channels_all_the_same(tmp_path):
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.full((8, 9), 7, np.uint8))
    assert read_picture(path).shape == (8, 9, 3)
