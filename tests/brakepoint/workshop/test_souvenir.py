"""The page to take home is one file, shows what was built, and contains only the person's handle."""

import base64
import getpass
import re
import socket
from datetime import date
from pathlib import Path

import pytest
from driving import feed, never_brakes
from recordings import record, save_run

from brakepoint import room
from brakepoint.cli import run
from brakepoint.course import Track, course
from brakepoint.texts import languages, text
from brakepoint.workshop import progress, souvenir
from brakepoint.workshop.progress import Progress
from brakepoint.workshop.souvenir import Film, Souvenir, built, render, write_souvenir

FIRST, SECOND = course()[:2]
FILM = Film(b"the film", b"its poster")


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A learner's folder, outside any room."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.delenv(room.ROOM_VARIABLE, raising=False)
    monkeypatch.setattr(progress, "PROGRESS_PATH", tmp_path / "progress.json")
    (tmp_path / "runs").mkdir()
    return tmp_path


def page_of(**values: object) -> str:
    steps = built({FIRST.name: FIRST.core, SECOND.name: SECOND.exercises[:1]}, Track.CORE)
    return render(Souvenir("anna", date(2026, 11, 29), steps, **values))  # type: ignore[arg-type]


def leave_progress() -> None:
    kept = Progress()
    kept.touch(FIRST).done = list(FIRST.exercises)
    kept.save()


def test_a_step_is_over_when_all_that_the_track_asks_for_is_done():
    core = built({FIRST.name: FIRST.core}, Track.CORE)
    full = built({FIRST.name: FIRST.core}, Track.FULL)

    assert [one.step for one in core] == list(course())
    assert [one.is_over for one in core[:2]] == [True, False]
    assert not full[0].is_over
    assert core[0].done == FIRST.core


def test_it_says_who_when_and_what_in_every_language():
    page = page_of()

    assert '<time datetime="2026-11-29">' in page
    assert page.count('class="mark good"') == 1
    assert page.count('<li class="quiet">') == len(course()) - 2
    for lang in languages():
        assert text("souvenir.heading_of", lang, handle="anna") in page
        counted = text("souvenir.exercises", lang, done=str(len(FIRST.core)), all=str(len(FIRST.exercises)))
        assert counted in page
        for step in course():
            assert text(f"souvenir.made.{step.name}", lang) in page


def test_each_drive_has_its_points():
    careful, reckless = record(feed("track-stop")), record(feed("track-slowdown"), never_brakes)
    page = page_of(missions=(careful.mission, reckless.mission), map50=0.75)

    assert page.count('<tr><th scope="row" class="name">') == 2
    assert f"<b>{careful.mission.score:g}</b>" in page
    assert text("page.failed", "fr") in page
    assert "0,75" in page


@pytest.mark.parametrize(
    ("steps", "detector", "said"),
    [
        ("labs", "model.onnx", ("by.labs", "eyes.own")),
        ("solutions", "track.onnx", ("by.solutions", "eyes.kit")),
        ("labs", "oracle", ("by.labs", "eyes.oracle")),
    ],
)
def test_it_does_not_call_the_kits_work_ones_own(steps, detector, said):
    page = page_of(steps_by=steps, detector=detector)

    keys = ("by.labs", "by.solutions", "eyes.own", "eyes.kit", "eyes.oracle")
    assert tuple(key for key in keys if text(f"souvenir.{key}", "en") in page) == said


def test_the_film_is_within_the_page(tmp_path: Path):
    path = tmp_path / "new folder" / "anna.html"
    assert write_souvenir(path, Souvenir("anna", date(2026, 11, 29), (), film=FILM))

    page = path.read_text(encoding="utf-8")
    assert [file.name for file in path.parent.iterdir()] == ["anna.html"]
    assert f'src="data:video/mp4;base64,{base64.b64encode(b"the film").decode()}"' in page
    assert f'poster="data:image/jpeg;base64,{base64.b64encode(b"its poster").decode()}"' in page
    assert "media-src data:" in page


@pytest.mark.parametrize(("spare", "is_whole"), [(0, True), (-1, False)])
def test_a_film_that_is_too_large_is_a_file_beside_a_still(tmp_path: Path, monkeypatch, spare, is_whole):
    monkeypatch.setattr(souvenir, "EMBED_MAX_BYTES", len(FILM.mp4) + spare)
    path = tmp_path / "anna.html"

    assert write_souvenir(path, Souvenir("anna", date(2026, 11, 29), (), film=FILM)) is is_whole
    assert (tmp_path / "anna.mp4").exists() is not is_whole
    page = path.read_text(encoding="utf-8")
    assert ("<video" in page) is is_whole
    assert ('<a href="anna.mp4"><img src="data:image/jpeg' in page) is not is_whole


def test_it_loads_nothing_from_elsewhere():
    page = page_of(film=FILM, missions=(record(feed("track-stop")).mission,))

    assert not re.findall(r'(?:src|href|poster)="(?!#|data:)', page)


def test_a_handle_cannot_bring_a_script_along():
    page = render(Souvenir("<script>alert(1)</script>", date(2026, 11, 29), ()))

    assert "<script>alert" not in page


def test_a_learner_alone_gets_a_page_of_run_and_progress(alone: Path, capsys):
    leave_progress()
    save_run(alone / "runs/mission", record(feed("track-slowdown")), record(feed("track-stop")))
    (alone / "runs/mission/track-slowdown.mp4").write_bytes(b"the film")
    (alone / "runs/mission/track-slowdown.jpg").write_bytes(b"its poster")
    (alone / "runs/train/run").mkdir(parents=True)
    (alone / "runs/train/run/results.csv").write_text("epoch,metrics/mAP50(B)\n1,0.5\n2,0.75\n")

    assert run(["souvenir"]) == 0

    page = (alone / "runs/souvenir.html").read_text(encoding="utf-8")
    assert "runs/souvenir.html" in capsys.readouterr().out
    assert text("souvenir.heading", "en") in page
    assert "track-slowdown" in page and "track-stop" in page
    assert base64.b64encode(b"the film").decode() in page
    assert text("souvenir.chart.learning.title", "en") in page
    assert text("souvenir.chart.approach.title", "en") in page
    assert socket.gethostname() not in page
    assert str(alone) not in page
    assert getpass.getuser() not in re.sub("<(script|style)>.*?</\\1>", "", page, flags=re.DOTALL)


def test_progress_alone_is_enough(alone: Path):
    leave_progress()

    assert run(["souvenir", "--handle", "bela", "--out", "mine/page.html"]) == 0
    page = (alone / "mine/page.html").read_text(encoding="utf-8")
    assert "bela" in page
    assert text("souvenir.no_score", "en") in page
    assert "<video" not in page


def test_with_nothing_done_there_is_no_page(alone: Path, capsys):
    assert run(["souvenir"]) == 2
    assert "nothing to take home yet" in capsys.readouterr().err
    assert not (alone / "runs/souvenir.html").exists()


def test_a_run_that_was_named_has_to_be_there(alone: Path, capsys):
    leave_progress()

    assert run(["souvenir", "runs/other"]) == 2
    assert "runs/other" in capsys.readouterr().err


def test_in_a_room_the_handle_is_the_cards(alone: Path, monkeypatch):
    assert room.own_handle() == ""
    monkeypatch.setenv(room.ROOM_VARIABLE, "spring")
    monkeypatch.setenv("AWS_S3_BUCKET", "elsewhere")
    assert room.own_handle() == ""
    monkeypatch.setenv("AWS_S3_BUCKET", "spring-anna")
    assert room.own_handle() == "anna"
