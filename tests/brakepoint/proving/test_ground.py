"""The proving ground drives trials without an outcome, keeps every outcome, and shows what failed."""

import json
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from brakepoint.cli import run
from brakepoint.errors import UserError
from brakepoint.mission.records import Score
from brakepoint.proving import ground
from brakepoint.proving.ground import (
    OUTCOMES_NAME,
    PICTURES_NAME,
    Candidate,
    Ledger,
    Outcome,
    Proof,
    Trial,
    drive_trial,
    feed_hash,
    fingerprint,
    prove,
    trials_of,
)
from brakepoint.proving.page import render_proof
from brakepoint.proving.weather import WEATHERS
from brakepoint.texts import languages, text

SCORE = Score(
    feed="a",
    accomplished=True,
    score=100.0,
    distance_cm=1.0,
    signs=(),
    false_stops=0,
    overspeed_s=0.0,
    dawdling_s=0.0,
    derailed=False,
    penalties={},
)


def outcome(feed: str = "a", weather: str = "dim", **values: object) -> Outcome:
    score = SCORE.model_copy(update=values)
    return Outcome(feed=feed, feed_hash="", weather=weather, score=score, picture=None)


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")


@pytest.fixture
def blind(make_model: Callable[..., Path]) -> Candidate:
    """A model that never sees a sign, and the kit's autopilot."""
    return Candidate(str(make_model(np.zeros((1, 6, 40), np.float32))), "solutions")


@pytest.mark.parametrize(
    ("values", "holds"),
    [
        ({}, True),
        ({"score": 90.0}, True),
        ({"score": 89.9}, False),
        ({"accomplished": False}, False),
        ({"false_stops": 1}, False),
    ],
)
def test_a_mission_holds_with_90_points_to_its_end_and_without_a_false_stop(values, holds):
    assert outcome(**values).holds is holds


def test_every_feed_is_tried_in_every_weather_once():
    videos = [Path("one.mp4"), Path("two.mp4"), Path("one.mp4")]

    assert len(trials_of(videos, [])) == 2 * len(WEATHERS)
    assert trials_of(videos[:1], ["dim", "dim"]) == [Trial(Path("one.mp4"), "dim")]


def test_a_weather_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(UserError, match=r"“hail”.*dim"):
        trials_of([Path("one.mp4")], ["hail"])


def test_the_whole_ground_is_at_least_the_feeds_of_the_course_in_every_weather():
    feeds = {path.stem for path in ground.feeds_to_prove()}

    assert feeds >= {"track-empty", "track-slowdown", "track-stop", "track-stop-and-slowdown", "track-full"}
    assert len(feeds) > 5
    assert all(path.with_suffix(".json").is_file() for path in ground.feeds_to_prove())


def test_a_trial_says_what_it_came_to_and_shows_where_it_went_wrong(short_feed, blind, tmp_path):
    driven = drive_trial(blind, tmp_path, Trial(short_feed, "dim"))

    assert (driven.feed, driven.weather, driven.holds) == ("short", "dim", False)
    assert driven.picture == "short.dim.jpg"
    shown = cv2.imread(str(tmp_path / "short.dim.jpg"))
    assert shown is not None and shown.shape == (480, 640, 3)


def watch_drives(monkeypatch: pytest.MonkeyPatch) -> list[Trial]:
    """The trials that are driven from now on, all without a train."""
    driven: list[Trial] = []

    def drive(candidate: Candidate, pictures: Path, trial: Trial) -> Outcome:
        driven.append(trial)
        return outcome(trial.feed, trial.weather).model_copy(update={"feed_hash": feed_hash(trial.video)})

    monkeypatch.setattr(ground, "drive_trial", drive)
    return driven


def test_what_is_known_is_not_driven_again(short_feed, blind, tmp_path, monkeypatch):
    trials = trials_of([short_feed], ["dim", "warm"])
    first = list(prove(blind, trials[:1], tmp_path))
    driven = watch_drives(monkeypatch)
    both = list(prove(blind, trials, tmp_path))

    assert both[0] == first[0]
    assert driven == trials[1:]
    assert list(prove(blind, trials, tmp_path)) == both


def test_a_feed_that_was_changed_or_has_the_name_of_another_is_driven_again(blind, tmp_path, monkeypatch):
    driven = watch_drives(monkeypatch)
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "mine.mp4").write_bytes(place.encode())
        (tmp_path / place / "mine.json").write_bytes(b"{}")
    here, there = (tmp_path / place / "mine.mp4" for place in ("here", "there"))

    for video in (here, here, there, there):
        list(prove(blind, trials_of([video], ["dim"]), tmp_path / "out"))
    assert [trial.video for trial in driven] == [here, there]

    there.with_suffix(".json").write_bytes(b"{ }")
    list(prove(blind, trials_of([there], ["dim"]), tmp_path / "out"))
    assert [trial.video for trial in driven] == [here, there, there]


def test_a_failure_whose_picture_was_removed_is_driven_again(short_feed, blind, tmp_path):
    trials = trials_of([short_feed], ["dim"])
    (first,) = prove(blind, trials, tmp_path)
    (tmp_path / PICTURES_NAME / first.picture).unlink()

    assert list(prove(blind, trials, tmp_path)) == [first]
    assert (tmp_path / PICTURES_NAME / first.picture).is_file()


def renamed(video: Path, folder: Path, name: str) -> Path:
    """A copy of a feed with another name."""
    copy = folder / f"{name}.mp4"
    shutil.copy(video, copy)
    truth = json.loads(video.with_suffix(".json").read_text())
    copy.with_suffix(".json").write_text(json.dumps(truth | {"feed": name}))
    return copy


def test_two_trials_have_pictures_of_their_own(short_feed, blind, tmp_path):
    trials = [
        Trial(renamed(short_feed, tmp_path, "a-dim"), "motion"),
        Trial(renamed(short_feed, tmp_path, "a"), "dim-motion"),
    ]

    assert len({drive_trial(blind, tmp_path, trial).picture for trial in trials}) == 2


def test_two_feeds_of_one_name_cannot_share_a_page():
    with pytest.raises(UserError, match=r"here/mine\.mp4, there/mine\.mp4"):
        trials_of([Path("here/mine.mp4"), Path("there/mine.mp4")], ["dim"])


def test_a_mistyped_model_or_autopilot_loses_no_outcome(short_feed, blind, tmp_path, monkeypatch):
    driven = watch_drives(monkeypatch)
    trials = trials_of([short_feed], ["dim"])
    list(prove(blind, trials, tmp_path))
    for wrong in (Candidate("no-such.onnx", "solutions"), Candidate(blind.model, "no-such")):
        with pytest.raises(UserError):
            list(prove(wrong, trials, tmp_path))

    list(prove(blind, trials, tmp_path))
    assert len(driven) == 1


def test_nothing_is_known_about_the_model_behind_an_endpoint():
    endpoint = Candidate("grpc://127.0.0.1:8081", "solutions")

    assert fingerprint(endpoint) != fingerprint(endpoint)


def test_another_model_autopilot_or_kit_begins_again(blind, tmp_path):
    model = Path(blind.model)
    before = fingerprint(blind)
    model.write_bytes(model.read_bytes() + b" ")

    assert fingerprint(blind) != before
    assert fingerprint(Candidate(blind.model, "labs")) != fingerprint(blind)
    Ledger(tmp_path, "one").keep(outcome())
    assert list(Ledger(tmp_path, "one").outcomes) == [("a", "dim")]
    assert not Ledger(tmp_path, "other").outcomes
    assert not Ledger(tmp_path, "one").outcomes


def test_another_module_that_the_autopilot_may_import_begins_again(blind, tmp_path, monkeypatch):
    autopilot = SimpleNamespace(__file__=str(tmp_path / "labs" / "step6_autopilot.py"))
    helper = tmp_path / "labs" / "own" / "helper.py"
    helper.parent.mkdir(parents=True)
    monkeypatch.setattr(ground, "load_step", lambda *_: autopilot)
    helper.write_text("SPEED = 1")
    before = fingerprint(blind)
    helper.write_text("SPEED = 2")

    assert fingerprint(blind) != before


@pytest.mark.parametrize("cut", [b"", "é".encode()[:1]])
def test_a_line_that_was_cut_short_is_driven_again_and_those_before_it_are_kept(tmp_path, cut):
    ledger = Ledger(tmp_path, "one")
    ledger.keep(outcome())
    ledger.keep(outcome(weather="warm"))
    path = tmp_path / OUTCOMES_NAME
    path.write_bytes(path.read_bytes()[:-20] + cut)

    again = Ledger(tmp_path, "one")
    again.keep(outcome(weather="cold"))

    assert list(again.outcomes) == [("a", "dim"), ("a", "cold")]
    assert Ledger(tmp_path, "one").outcomes == again.outcomes


def test_two_candidates_that_are_driven_into_one_folder_do_not_mix_their_outcomes(tmp_path):
    first = Ledger(tmp_path, "one")
    first.keep(outcome())
    second = Ledger(tmp_path, "other")
    second.keep(outcome(weather="warm"))

    with pytest.raises(UserError, match="--out"):
        first.keep(outcome(weather="cold"))

    second.keep(outcome(weather="haze"))
    assert list(Ledger(tmp_path, "other").outcomes) == [("a", "warm"), ("a", "haze")]


def test_a_folder_that_is_removed_while_trials_are_driven_is_said(tmp_path):
    ledger = Ledger(tmp_path / "out", "one")
    (tmp_path / "out" / OUTCOMES_NAME).unlink()

    with pytest.raises(UserError, match="--out"):
        ledger.keep(outcome())


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(UserError, match="--out"):
        Ledger(tmp_path / "file", "one")


def proof() -> Proof:
    outcomes = [
        outcome("a", "dim"),
        outcome("a", "clear", accomplished=False, score=30.0, derailed=True),
        outcome("b", "dim", score=80.0, false_stops=2),
        outcome("b", "clear"),
    ]
    trials = [Trial(Path(f"{feed}.mp4"), weather) for feed in "ab" for weather in ("dim", "clear")]
    return Proof.of(Candidate("models/mine.onnx", "labs"), trials, outcomes)


def test_a_proof_counts_what_came_out_and_has_the_worst_first():
    assert proof().counts() == {
        "missions": 4,
        "holding": 2,
        "accomplished": 3,
        "false_stops": 1,
        "derailed": 1,
    }
    assert [(one.feed, one.weather) for one in proof().failures()] == [("a", "clear"), ("b", "dim")]


class Ids(HTMLParser):
    """The ids of a page, its internal links, and its languages."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.led_to: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids |= {values["id"] or ""} if "id" in values else set()
        href = values.get("href") or ""
        self.led_to |= {href[1:]} if href.startswith("#") else set()


def test_the_page_leads_from_each_failed_score_to_its_picture_in_every_language():
    page = render_proof(proof())
    found = Ids(page)

    assert found.led_to == {"failures", "a.clear", "b.dim"} <= found.ids
    assert "mine.onnx" in page and "labs" in page
    assert all(f'class="{lang}" lang="{lang}"' in page for lang in languages())
    assert "http" not in page.replace("http-equiv", "")


def test_a_picture_is_found_whatever_its_feed_is_called():
    failed = outcome("50% up #1", "dim", accomplished=False).model_copy(
        update={"picture": "50% up #1.dim.jpg"}
    )
    candidate, trials = Candidate("mine.onnx", "labs"), [Trial(Path("50% up #1.mp4"), "dim")]

    page = render_proof(Proof.of(candidate, trials, [failed]))
    assert f'src="{PICTURES_NAME}/50%25%20up%20%231.dim.jpg"' in page


def test_the_command_leaves_page_and_outcomes_and_answers_by_its_status(
    short_feed: Path, blind: Candidate, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    out = tmp_path / "proof"
    given = ["--detector", blind.model, "--feed", str(short_feed), "--weather", "dim", "--out", str(out)]

    assert run(["prove", *given]) == 1
    said = capfd.readouterr().out
    assert "Missions that hold: 0 of 1" in said and str(out / "index.html") in said
    assert {path.name for path in out.iterdir()} == {"index.html", OUTCOMES_NAME, PICTURES_NAME}
    assert len((out / OUTCOMES_NAME).read_text().splitlines()) == 2
    assert json.loads((out / OUTCOMES_NAME).read_text().splitlines()[1])["weather"] == "dim"
    assert "pictures/short.dim.jpg" in (out / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("accomplished", "status"), [([True, True], 0), ([True, False], 1)])
def test_the_command_s_status_is_0_only_if_every_mission_holds(
    accomplished: list[bool],
    status: int,
    short_feed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    outcomes = [
        outcome(short_feed.stem, weather, accomplished=passed)
        for weather, passed in zip(("clear", "dim"), accomplished, strict=True)
    ]
    monkeypatch.setattr(ground, "prove", lambda *_: outcomes)
    given = ["--feed", str(short_feed), "--weather", "clear", "--weather", "dim", "--out", str(tmp_path)]

    assert run(["prove", *given]) == status
    assert [line.split() for line in capsys.readouterr().out.splitlines()[:3]] == [
        [text("prove.weather"), "short"],
        ["clear", "100"],
        ["dim", *([] if accomplished[1] else ["✗"]), "100"],
    ]
