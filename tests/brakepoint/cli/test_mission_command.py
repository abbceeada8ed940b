"""`brakepoint mission` drives, scores and reports, and leaves a complete run or none."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from brakepoint.cli import run
from brakepoint.cli.mission import _order, _place
from brakepoint.look import order_text
from brakepoint.messages import OrderKind
from brakepoint.mission.drive import Driven

LEFT_BEHIND = {"report.json", "index.html", "short.mp4", "short.jpg", "short.run.json"}


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")


@pytest.fixture
def nothing_seen(make_model) -> Path:
    """A model that never sees a sign."""
    return make_model(np.zeros((1, 6, 40), np.float32))


def mission(video: Path, out: Path, *more: str) -> int:
    return run(["mission", "--feed", str(video), "--out", str(out), *more])


def test_an_accomplished_mission_leaves_everything_and_reports_success(
    short_feed: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    folder = tmp_path / "a-folder-whose-path-is-longer-than-a-line-of-a-terminal" / "run"
    assert mission(short_feed, folder, "--detector", "oracle") == 0

    out = capfd.readouterr().out
    assert {path.name for path in folder.iterdir()} == LEFT_BEHIND
    assert "stopping for a danger (headlight blinking)" in out
    assert "✓ accomplished" in out
    assert str(folder / "index.html") in out


def test_json_is_all_there_is_on_stdout_and_the_same_each_time(
    short_feed: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    printed = []
    for name in ("one", "two"):
        assert mission(short_feed, tmp_path / name, "--detector", "oracle", "--json") == 0
        printed.append(capfd.readouterr().out)

    assert printed[0] == printed[1] == (tmp_path / "one" / "report.json").read_text(encoding="utf-8")
    assert json.loads(printed[0])["missions"][0]["feed"] == "short"
    assert str(tmp_path) not in printed[0]


def test_a_blind_train_fails_and_perception_is_to_blame(
    short_feed: Path, tmp_path: Path, nothing_seen: Path, capfd: pytest.CaptureFixture[str]
):
    assert mission(short_feed, tmp_path / "run", "--detector", str(nothing_seen), "--json") == 1

    result = json.loads(capfd.readouterr().out)["missions"][0]
    assert result["derailed"]
    assert result["first_wrong"]["kind"] == "sign"
    assert result["lost"]["perception"] > 50
    assert "data:image/jpeg" in (tmp_path / "run" / "index.html").read_text(encoding="utf-8")


def no_feed(folder: Path) -> list[str]:
    return ["--feed", "no-such-feed"]


def no_truth(folder: Path) -> list[str]:
    (folder / "short.json").unlink()
    return []


def truth_of_another(folder: Path) -> list[str]:
    truth = json.loads((folder / "short.json").read_text())
    (folder / "short.json").write_text(json.dumps({**truth, "feed": "other"}))
    return []


def truncated_video(folder: Path) -> list[str]:
    video = folder / "short.mp4"
    video.write_bytes(video.read_bytes()[:2000])
    return []


def no_model(folder: Path) -> list[str]:
    return ["--detector", str(folder / "none.onnx")]


def not_a_model(folder: Path) -> list[str]:
    return ["--detector", str(folder / "short.json")]


def no_such_steps(folder: Path) -> list[str]:
    return ["--steps", "answers"]


def unwritable_out(folder: Path) -> list[str]:
    return ["--out", str(folder / "short.mp4" / "run")]


def taken_out(folder: Path) -> list[str]:
    return ["--out", str(folder)]


@pytest.mark.parametrize(
    "spoil",
    [
        no_feed,
        no_truth,
        truth_of_another,
        truncated_video,
        no_model,
        not_a_model,
        no_such_steps,
        unwritable_out,
        taken_out,
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    short_feed: Path, tmp_path: Path, spoil, capfd: pytest.CaptureFixture[str]
):
    folder = tmp_path / "feed"
    shutil.copytree(short_feed.parent, folder)
    more = spoil(folder)
    before = sorted(tmp_path.rglob("*"))

    assert mission(folder / "short.mp4", tmp_path / "run", "--detector", "oracle", "--json", *more) == 2

    out, err = capfd.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("train", [("--hub", "ble:"), ("--link", "jetson:18831")])
def test_a_train_is_for_live_missions(
    short_feed: Path, tmp_path: Path, train, capfd: pytest.CaptureFixture[str]
):
    assert mission(short_feed, tmp_path / "run", *train) != 0
    assert "need --live" in capfd.readouterr().err


def test_a_train_that_is_elsewhere_has_its_hub_there(
    short_feed: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    assert mission(short_feed, tmp_path / "run", "--live", "--hub", "ble:", "--link", "jetson:18831") != 0
    assert "--hub and --link cannot be combined" in capfd.readouterr().err


def test_while_it_drives_the_place_and_the_speed_are_shown_with_their_units(monkeypatch):
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    news = Driven("track-stop", 0.5, 123.4, 50.0, None)

    assert _place(news).split() == ["123", "cm", "50", "cm/s"]


@pytest.mark.parametrize("order", OrderKind)
def test_the_order_in_force_is_shown_with_its_colour(order: OrderKind) -> None:
    shown = _order(Driven("short", 0.5, 12.0, 8.0, order))
    assert shown.endswith(order_text(order))
    assert "●" in shown


def test_before_the_first_order_none_is_shown_and_a_note_takes_its_place() -> None:
    assert _order(Driven("short", 0.0, 0.0, 0.0, None)) == ""
    assert _order(Driven("short", 1.0, 90.0, 0.0, next(iter(OrderKind)), note="filming")) == "filming"
