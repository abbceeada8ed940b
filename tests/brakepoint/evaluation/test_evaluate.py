import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from onnx_models import raw_output
from rich.table import Table
from rich.text import Text
from typer.testing import CliRunner

from brakepoint.cli import run
from brakepoint.cli.evaluate import as_table, evaluate_command, heights_table
from brakepoint.detector import Detector
from brakepoint.errors import UserError
from brakepoint.evaluation import Evaluation, Examined, Found, evaluate, examine, measure, read_picture
from brakepoint.evaluation.mean_average_precision import ClassMetrics, match_picture
from brakepoint.messages import Detection, SignClass

APP = typer.Typer()
APP.command()(evaluate_command)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path_factory, monkeypatch):
    """Sheets go to the current folder."""
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))


@pytest.fixture
def folder(tmp_path):
    """Two pictures: the model's answer is right for one, and wrong for the other, which shows no sign."""
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
    result = CliRunner().invoke(APP, ["--images", str(folder), "--detector", str(model), "--json"])
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert printed["map50"] == pytest.approx(0.995)
    assert printed["map50_95"] == pytest.approx(0.995)
    assert set(printed["per_class"]) == {"DangerAhead", "SpeedLimit"}
    assert printed["images"] == 2
    low, high = printed["map50_interval"]
    assert 0 <= low <= printed["map50"] <= high + 1e-9


def test_false_alarms_are_counted(folder, model):
    examined = examine(folder, Detector(model))
    assert measure(examined, 0.25).false_alarms == 1
    assert measure(examined, 0.95).false_alarms == 0


def sign(left, height_px, confidence=1.0):
    box = left, 100, left + 40, 100 + height_px
    return Detection(sign_class=SignClass.DANGER_AHEAD, confidence=confidence, box=box)


def seen(truths, detections):
    return Examined(Path("a.jpg"), truths, detections, match_picture(detections, truths))


def test_low_signs_are_left_out_whether_found_or_missed():
    high, low, missed = sign(0, 40), sign(100, 11), sign(200, 11)
    made_up, made_up_low = sign(300, 40, 0.6), sign(400, 11, 0.5)
    examined = [seen((high, low, missed), (sign(0, 40, 0.9), sign(100, 13, 0.8), made_up, made_up_low))]

    everything, large = measure(examined, 0.25), measure(examined, 0.25, least_px=12)

    danger = everything.per_class[SignClass.DANGER_AHEAD]
    assert (danger.truths, danger.detections, everything.false_alarms) == (3, 4, 2)
    danger = large.per_class[SignClass.DANGER_AHEAD]
    assert (danger.truths, danger.detections, large.false_alarms) == (1, 2, 1)
    assert (danger.recall, danger.precision) == (1, 0.5)
    assert large.map50 > everything.map50


def test_signs_are_counted_by_their_height() -> None:
    truths = [sign(100 * at, height_px) for at, height_px in enumerate((15.9, 16, 23.9, 24, 39.9, 40, 90))]
    reported = [sign(100, 16, 0.7), sign(300, 24, 0.69), sign(500, 40, 0.9), sign(600, 90, 0.8)]

    bands = measure([seen(tuple(truths), tuple(reported))], 0.7).by_height

    assert [(band.from_px, band.below_px, band.signs, band.found) for band in bands] == [
        (0, 16, 1, 0),
        (16, 24, 2, 1),
        (24, 40, 2, 0),
        (40, None, 2, 2),
    ]


def test_a_range_of_heights_without_signs_is_left_out() -> None:
    bands = measure([seen((sign(0, 30),), (sign(0, 30, 0.9),))], 0.7).by_height
    assert [band.from_px for band in bands] == [24]


def test_the_pictures_can_be_examined_in_a_weather(folder, model, monkeypatch) -> None:
    shown = []

    def look(_: Detector, image: np.ndarray, __: float) -> tuple[()]:
        shown.append(image.mean())
        return ()

    monkeypatch.setattr(Detector, "detect_image", look)
    for weather in ("clear", "bright"):
        CliRunner().invoke(
            APP,
            ["--images", str(folder), "--detector", str(model), "--weather", weather],
            catch_exceptions=False,
        )
    clear, bright = shown[:2], shown[2:]
    assert all(after > before for before, after in zip(clear, bright, strict=True))


@pytest.mark.parametrize("weather", ["tilt", "hail"])
def test_a_weather_that_moves_the_signs_or_is_unknown_is_refused(folder, model, weather, capsys) -> None:
    assert run(["evaluate", "--images", str(folder), "--detector", str(model), "--weather", weather]) == 2
    said = capsys.readouterr().err
    assert weather in said and "haze" in said and "wide" not in said


def test_without_a_sign_so_high_there_is_nothing_to_measure(folder, model):
    with pytest.raises(UserError, match="65 px"):
        measure(examine(folder, Detector(model)), 0.25, least_px=65)


def test_the_table_has_a_heading_for_each_column_and_numbers_to_the_right(folder, model) -> None:
    table = as_table(measure(examine(folder, Detector(model)), 0.25), "m.onnx")

    assert [str(column.header) for column in table.columns][1:] == [
        "signs", "precision", "recall", "mAP50", "mAP50-95",
    ]  # fmt: skip
    assert [column.justify for column in table.columns] == ["left", *["right"] * 5]


def test_the_tables_show_each_figure_with_three_decimals_and_what_there_is_none_of_as_a_dash(
    monkeypatch,
) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    evaluation = Evaluation(
        map50=0.81236,
        map50_interval=(0.7004, 0.9),
        map50_95=0.5,
        per_class={
            SignClass.DANGER_AHEAD: ClassMetrics(
                ap50=0.81236, ap50_95=0.5, precision=0.75, recall=0.6, truths=10, detections=8
            ),
            SignClass.SPEED_LIMIT: ClassMetrics(
                ap50=None, ap50_95=None, precision=None, recall=None, truths=2, detections=0
            ),
        },
        images=40,
        confidence=0.256,
        least_px=12.0,
        false_alarms=3,
        by_height=(
            Found(from_px=0, below_px=16, signs=3, found=1),
            Found(from_px=64, below_px=None, signs=9, found=9),
        ),
    )
    classes, heights = as_table(evaluation, "m[red].onnx"), heights_table(evaluation)

    assert cells(classes) == [
        ["DangerAhead", "10", "0.750", "0.600", "0.812", "0.500"],
        ["SpeedLimit", "2", "–", "–", "–", "–"],
        ["all", "12", "–", "–", "0.812", "0.500"],
    ]
    assert cells(heights) == [["0 to 16 px", "3", "1", "0.333"], ["64 px or more", "9", "9", "1.000"]]
    assert [column.justify for column in heights.columns] == ["left", *["right"] * 3]
    assert str(classes.columns[1].header) == "signs of 12 px or more"
    said = str(classes.caption)
    assert "26 % confidence" in said and "false alarms: 3 (pictures: 40)" in said
    assert "between 0.700 and 0.900" in said
    assert "m[red].onnx" in Text.from_markup(str(classes.title)).plain


def cells(table: Table) -> list[list[str]]:
    return [list(row) for row in zip(*(map(str, column.cells) for column in table.columns), strict=True)]


def test_the_command_prints_a_table(folder, model):
    result = CliRunner().invoke(APP, ["--images", str(folder), "--detector", str(model)])
    assert "DangerAhead" in result.stdout
    assert "0.995" in result.stdout
    assert "40 px or more" in result.stdout, "the heights are shown, too"


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_the_command_draws_a_sheet_and_says_where(folder, model, as_json):
    result = CliRunner().invoke(APP, ["--images", str(folder), "--detector", str(model), *as_json])
    (sheet,) = Path("runs/evaluation").iterdir()
    assert str(sheet) in (result.stderr if as_json else result.stdout).replace("\n", "")
    assert cv2.imread(str(sheet)) is not None


def test_the_sheet_goes_where_one_asks(folder, model, tmp_path):
    sheet = tmp_path / "new" / "sheet.png"
    CliRunner().invoke(APP, ["--images", str(folder), "--detector", str(model), "--sheet", str(sheet)])
    assert cv2.imread(str(sheet)) is not None
    assert not Path("runs").exists()


def test_bad_input_is_one_line_that_names_it_and_status_2(folder, model, capsys):
    def refusal():
        assert run(["evaluate", "--images", str(folder), "--detector", str(model)]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        return err

    label = folder / "labels" / "a.txt"
    label.write_text("0 0.5 0.5 0.2 0.4\n7 0.5 0.5 0.2 0.4\n")
    assert "a.txt" in (said := refusal()) and "0 DangerAhead, 1 SpeedLimit" in said
    label.write_text("0 320 240 40 40\n")
    assert "a.txt" in (said := refusal()) and "320 240" in said
    label.write_text("")
    assert str(folder) in refusal()
    label.write_text("0 0.5 0.5 0.25 0.5\n")
    (folder / "images" / "a.jpg").write_bytes(b"not a picture")
    assert "a.jpg" in refusal()
    for picture in (folder / "images").iterdir():
        picture.unlink()
    assert "images" in refusal()


def test_a_long_evaluation_shows_progress_on_stderr(folder, model, monkeypatch):
    monkeypatch.setattr("brakepoint.cli.evaluate.PATIENCE_S", 0.0)
    result = CliRunner().invoke(APP, ["--images", str(folder), "--detector", str(model), "--json"])
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
