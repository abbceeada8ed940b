"""`brakepoint camera calibrate` leads a person from one picture to the next, and says what it saw."""

import builtins
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from brakepoint.calibration import camera as calibration
from brakepoint.calibration import chessboard
from brakepoint.calibration.camera import EyeFit
from brakepoint.cli import camera as command
from brakepoint.cli import hub, run
from brakepoint.errors import UserError
from brakepoint.messages import Detection, Frame, SignClass
from brakepoint.texts import text
from brakepoint.train_file import VARIABLE, Eye, TrainFile, load_train

EYE = Eye(width_px=640, height_px=480, focal_px=600, height_cm=7.5, pitch_deg=2.0, latency_s=0.0)


class Camera:
    """A camera with one grey picture, whose clock advances with each; it records whether it was closed."""

    is_closed = False

    def __init__(self) -> None:
        self.now = 0.0

    def read(self, state: Any) -> Frame:
        self.now += 0.01
        return Frame(0, state.at, float("nan"), np.zeros((480, 640, 3), np.uint8))

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Camera:
    opened = Camera()
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(command, "open_camera", lambda uri: opened)
    clock = SimpleNamespace(monotonic=lambda: opened.now, strftime=lambda _: "2026-11-30")
    monkeypatch.setattr(command, "time", clock)
    return opened


def typed(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    left: Iterator[str] = iter(answers)

    def answer(prompt: str) -> str:
        sys.stdout.write("\n")  # What a person types appears behind the question.
        return next(left)

    monkeypatch.setattr(builtins, "input", answer)


ERRORS = {"focal_px": 6.0, "height_cm": 0.2, "pitch_deg": 0.3}
RESULT = [
    "focal length 600 ± 6 px",
    "height of the lens 7.5 ± 0.2 cm",
    "looks up by 2.0 ± 0.3°",
]


def plate(height_px: float) -> Detection:
    box = (300.0, 200.0, 310.0, 200.0 + height_px)
    return Detection(sign_class=SignClass.DANGER_AHEAD, confidence=0.9, box=box)


def words(printed: str) -> list[str]:
    """The lines, without the spaces that align a table."""
    return [" ".join(line.split()) for line in printed.splitlines()]


def test_a_plate_that_is_not_seen_is_said_at_once_and_its_place_is_asked_for_again(
    camera: Camera, tmp_path: Path, monkeypatch, capsys
) -> None:
    path = tmp_path / "train.toml"
    TrainFile(camera=EYE.model_copy(update={"latency_s": 0.2})).write(path, "before")
    seen = iter([*[()] * command.PICTURES, *[(plate(30.0),)] * command.PICTURES, *[(plate(15.0),)] * 10])
    measured: list[Any] = []

    def fit(places: Any, *sizes: Any) -> EyeFit:
        measured.extend((places, *sizes))
        return EyeFit(EYE, ERRORS)

    looking = SimpleNamespace(detect=lambda frame: SimpleNamespace(items=next(seen, ())))
    monkeypatch.setattr(command, "load_detector", lambda path: looking)
    monkeypatch.setattr(calibration, "fit_eye", fit)
    typed(monkeypatch, "30", "30", "60", "")

    assert run(["camera", "calibrate", "--camera", "usb:", "--out", str(path), "--beside", "6"]) == 0

    assert words(capsys.readouterr().out) == [
        text("calibrate.plate.how", beside=6.0),
        text("calibrate.plate.where", number=1),
        text("calibrate.no_plate", distance=30.0),
        text("calibrate.plate.where", number=1),
        text("calibrate.plate.seen", times=30, height=30.0),
        text("calibrate.plate.where", number=2),
        text("calibrate.plate.seen", times=10, height=15.0),
        text("calibrate.plate.where", number=3),
        *RESULT,
        text("calibrate.written", path=path, setting=f"{VARIABLE}={path}"),
    ]
    places, *sizes = measured
    assert [(place.ahead_cm, place.right_cm) for place in places] == [(30.0, 6.0), (60.0, 6.0)]
    assert sizes == [(640, 480), (640, 480)]
    assert camera.is_closed
    eye = load_train(path).camera
    assert eye is not None and (eye.focal_px, eye.latency_s) == (600, 0.2), "only hub calibrate measures that"


@pytest.mark.parametrize("range_cm", [command.AHEAD_CM, command.LOWEST_CM, hub.ROLLED_CM])
@pytest.mark.parametrize("answer", ["-1", "5000", "nan", "inf", "far"])
def test_a_distance_that_cannot_be_is_asked_for_again(answer: str, range_cm, monkeypatch, capsys) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    typed(monkeypatch, answer, "7,5")

    assert command.ask_cm("How far?", *range_cm) == 7.5

    refusal = f"“{answer}” is not a number from {range_cm[0]} to {range_cm[1]}."
    assert words(capsys.readouterr().out) == ["How far?", refusal, "How far?"]


def test_a_chessboard_is_shown_until_its_last_view_and_views_without_it_do_not_count(
    camera: Camera, tmp_path: Path, monkeypatch, capsys
) -> None:
    path = tmp_path / "train.toml"
    found = iter(["one", None, "two", None, "three"])
    fitted: list[Any] = []

    def fit(*given: Any) -> EyeFit:
        fitted.extend(given)
        return EyeFit(EYE, ERRORS)

    monkeypatch.setattr(chessboard, "find_board", lambda image, columns, rows: next(found))
    monkeypatch.setattr(chessboard, "fit_board", fit)
    typed(monkeypatch, "", "", "", "2.5", "2,5")
    options = ["--chessboard", "9x6", "--square", "1.5", "--out", str(path)]

    assert run(["camera", "calibrate", "--camera", "usb:", *options]) == 0

    assert words(capsys.readouterr().out) == [
        text("calibrate.board.how", columns=9, rows=6, views=5),
        text("calibrate.board.where", number=1),
        text("calibrate.board.where", number=2),
        text("calibrate.board.unseen"),
        text("calibrate.board.where", number=2),
        text("calibrate.board.where", number=3),
        text("calibrate.board.unseen"),
        text("calibrate.board.where", number=3),
        *RESULT,
        text("calibrate.written", path=path, setting=f"{VARIABLE}={path}"),
    ]
    assert fitted == [["one", "two", "three"], 9, 1.5, 2.5, (640, 480), (640, 480)]
    assert camera.is_closed


@pytest.mark.parametrize("pattern", ["9", "9x2", "9x-6", "51x6", f"{10**12}x6"])
def test_what_is_not_the_size_of_a_chessboard_is_refused(
    camera: Camera, tmp_path: Path, capsys, pattern: str
) -> None:
    options = [f"--chessboard={pattern}", "--out", str(tmp_path / "train.toml")]

    assert run(["camera", "calibrate", "--camera", "usb:", *options]) == 2

    assert f"“{pattern}”" in capsys.readouterr().err
    assert camera.is_closed


def test_measurements_that_cannot_be_written_are_shown(camera: Camera, tmp_path: Path, capsys) -> None:
    (tmp_path / "train.toml").mkdir()  # As good as a full disk, even for root.

    with pytest.raises(UserError, match=r"train\.toml .*BRAKEPOINT_TRAIN"):
        command.keep(TrainFile(camera=EYE), tmp_path / "train.toml")

    (tmp_path / "saved.toml").write_text(capsys.readouterr().out)
    assert load_train(tmp_path / "saved.toml").camera == EYE


def test_a_camera_that_sends_nothing_ends_the_wait_for_pictures(camera: Camera, monkeypatch) -> None:
    def read(state: Any) -> None:
        camera.now += 0.5

    monkeypatch.setattr(camera, "read", read)

    assert list(command.pictures(camera, 3)) == []
    assert camera.now == command.PATIENCE_S
