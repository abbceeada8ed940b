"""Everybody's page to take home is made from what the room has kept."""

import pickle
import re
from pathlib import Path

import pytest
from driving import step
from handing_in import NOW
from recordings import record
from room_day import STEP, remember

from brakepoint.cli import run
from brakepoint.errors import UserError
from brakepoint.room import souvenirs
from brakepoint.room.config import Room
from brakepoint.room.outcomes import Failure, Marks, Scores, SubmissionOutcome
from brakepoint.room.rulings import Rulings
from brakepoint.room.scoring import BEST, FINAL, folder_of
from brakepoint.room.souvenirs import FOLDER, gather, write_souvenirs
from brakepoint.room.submission import RUN_NAME
from brakepoint.truth import load_truth
from brakepoint.workshop.souvenir import Souvenir

FAILED = SubmissionOutcome(digest="2", at=NOW, reason=Failure.RAISED)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Separate processes take seconds to start."""
    monkeypatch.setattr(souvenirs, "available_cores", lambda: 1)


@pytest.fixture
def room(small: Room, short_feed: Path) -> Room:
    return small.model_copy(update={"hidden_feed": short_feed})


def drove(room: Room, handle: str, which: str = BEST, final: SubmissionOutcome | None = None) -> None:
    assert room.hidden_feed is not None
    folder = folder_of(room, handle) / which
    folder.mkdir(parents=True, exist_ok=True)
    recording = record(load_truth(room.hidden_feed.with_suffix(".json")), step)
    (folder / RUN_NAME).write_text(recording.to_json(), encoding="utf-8")
    outcome = SubmissionOutcome(digest="1", at=NOW, map50=0.5, score=recording.mission.score)
    with Scores.changing(room.folder) as scores:
        scores.marks[handle] = Marks(best_map50=0.5, best_score=outcome.score, last=outcome, final=final)


def pages(room: Room) -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in (room.folder / FOLDER).glob("*.html")}


def test_each_has_a_page_with_the_own_film_and_curve(room: Room):
    drove(room, "anna")

    assert sorted(write_souvenirs(room, films=True)) == [(1, 2, ""), (2, 2, "")]
    found = pages(room)
    assert sorted(found) == ["anna", "bela"]
    assert "data:video/mp4" in found["anna"]
    assert 'id="approach"' in found["anna"]
    assert "anna" not in found["bela"]
    assert "<video" not in found["bela"]
    assert not re.findall(r'(?:src|href|poster)="(?!#|data:)', found["anna"])
    assert room.name not in re.sub("<(script|style)>.*?</\\1>", "", found["anna"], flags=re.DOTALL)


def test_a_page_shows_the_exercises_that_the_board_has_heard_of(room: Room, monkeypatch: pytest.MonkeyPatch):
    written: dict[str, Souvenir] = {}
    monkeypatch.setattr(souvenirs, "write_souvenir", lambda path, page: written.update({page.handle: page}))

    list(write_souvenirs(room, films=False))

    done = {handle: [name for step in page.steps for name in step.done] for handle, page in written.items()}
    assert done == {"anna": [STEP.exercises[0]], "bela": [STEP.exercises[0]]}


def test_other_processes_can_be_given_the_work(room: Room):
    drove(room, "anna")

    assert pickle.loads(pickle.dumps(gather(room))) == gather(room)


def test_without_films_the_hidden_line_stays_unseen(room: Room):
    drove(room, "anna")

    assert [without for _, _, without in write_souvenirs(room, films=False)] == ["", ""]
    assert "<video" not in pages(room)["anna"]
    assert "image/jpeg" not in pages(room)["anna"]
    assert 'id="approach"' in pages(room)["anna"]


def test_who_drove_on_a_line_that_is_not_the_rooms_any_more_has_no_film(room: Room, tmp_path: Path):
    drove(room, "anna")
    assert room.hidden_feed is not None
    truth = load_truth(room.hidden_feed.with_suffix(".json"))
    (tmp_path / "other.json").write_text(truth.model_copy(update={"feed": "other"}).model_dump_json())
    (tmp_path / "other.mp4").write_bytes(room.hidden_feed.read_bytes())
    moved = room.model_copy(update={"hidden_feed": tmp_path / "other.mp4"})

    assert sorted(without for _, _, without in write_souvenirs(moved, films=True)) == ["", "anna"]
    assert [without for _, _, without in write_souvenirs(moved, films=False)] == ["", ""]
    unnamed = room.model_copy(update={"hidden_feed": None})
    assert "anna" in [without for _, _, without in write_souvenirs(unnamed, films=True)]


def test_after_a_final_the_run_is_the_finals(room: Room, tmp_path: Path):
    room = room.model_copy(update={"final_feed": tmp_path / "final.mp4"})
    drove(room, "anna", FINAL, final=SubmissionOutcome(digest="1", at=NOW, score=40))
    drove(room, "bela", FINAL, final=FAILED)
    drove(room, "bela", BEST, final=FAILED)
    anna, bela = gather(room)

    assert anna.run == folder_of(room, "anna") / FINAL / RUN_NAME
    assert anna.feed == room.final_feed
    assert bela.run == folder_of(room, "bela") / BEST / RUN_NAME
    assert bela.feed == room.hidden_feed


def test_who_is_disqualified_takes_the_work_home_and_no_score(room: Room):
    drove(room, "anna")
    with Rulings.changing(room.folder) as rulings:
        rulings.disqualified.add("anna")
    anna, bela = gather(room)

    assert anna.heard is not None
    assert anna.run is None and anna.marks is None
    assert bela.handle == "bela"


def test_a_run_that_cannot_be_read_is_named(room: Room):
    drove(room, "anna")
    (folder_of(room, "anna") / BEST / RUN_NAME).write_text("{", encoding="utf-8")

    with pytest.raises(UserError, match=r"anna.*run\.json"):
        list(write_souvenirs(room, films=False))


def test_of_a_room_where_nothing_was_done_there_are_no_pages(small_room: Room):
    with pytest.raises(UserError, match="No one in the room"):
        gather(small_room)


def test_the_command_says_where_the_pages_are(small: Room, capsys):
    remember("anna")
    (small.folder / FOLDER).mkdir()
    (small.folder / FOLDER / "gone.html").touch()

    assert run(["room", "souvenirs", "--no-films"]) == 0
    assert sorted(pages(small)) == ["anna", "bela"]
    out = capsys.readouterr().out
    assert f"Pages in {small.folder / FOLDER}: 2," in out.replace("\n", " ")
    assert "use a different line" not in out
    assert run(["room", "souvenirs"]) == 0
    assert "use a different line" in capsys.readouterr().out
