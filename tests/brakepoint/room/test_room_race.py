"""Everyone's best run races, except those of disqualified attendees."""

import json
from collections.abc import Callable

import pytest
from driving import feed, never_brakes
from handing_in import hand_in
from recordings import record

from brakepoint.cli import run
from brakepoint.errors import UserError
from brakepoint.room.config import Room
from brakepoint.room.race import racers
from brakepoint.room.rulings import Rulings
from brakepoint.room.scoring import BEST, FINAL, folder_of
from brakepoint.room.submission import RUN_NAME


def leave(room: Room, handle: str, content: str | bytes, which: str = BEST) -> None:
    folder = folder_of(room, handle) / which
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RUN_NAME).write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.fixture(scope="module")
def careful() -> str:
    return record(feed("track-stop")).to_json()


@pytest.fixture(scope="module")
def reckless() -> str:
    return record(feed("track-stop"), never_brakes).to_json()


def test_tries_and_final_are_two_races(small_room, careful, reckless):
    leave(small_room, "anna", careful)
    leave(small_room, "bela", reckless)
    leave(small_room, "bela", careful, FINAL)

    assert [(one.name, one.has_blame) for one in racers(small_room)] == [("anna", False), ("bela", False)]
    (bela,) = racers(small_room, final=True)
    assert bela.recording.mission.accomplished


def test_who_is_disqualified_does_not_race(small_room, careful):
    leave(small_room, "anna", careful)
    leave(small_room, "bela", careful)
    with Rulings.changing(small_room.folder) as rulings:
        rulings.disqualified.add("anna")

    assert [one.name for one in racers(small_room)] == ["bela"]


def test_without_a_run_there_is_no_race(small_room):
    with pytest.raises(UserError, match="Nobody has a run"):
        racers(small_room)


@pytest.mark.parametrize("damage", ["{", "", json.dumps({"run": 3}), b"\xff\xfe{"])
def test_a_damaged_run_is_named(small_room, damage):
    leave(small_room, "anna", damage)

    with pytest.raises(UserError, match=r"anna.*run\.json"):
        racers(small_room)


def test_the_best_run_is_kept_when_a_worse_one_follows(small, points: Callable[[Room], list[str]]):
    assert points(small) == ["anna", "bela"]
    best = folder_of(small, "anna") / BEST / RUN_NAME
    best.write_text("the best", encoding="utf-8")
    hand_in(small, "anna", autopilot=b"10")
    points(small)

    assert best.read_text(encoding="utf-8") == "the best"
    hand_in(small, "anna", autopilot=b"90")
    points(small)
    assert best.read_text(encoding="utf-8") == "{}"


def test_the_race_is_one_page_in_the_rooms_folder(small, careful, capsys):
    leave(small, "anna", careful)

    assert run(["--lang", "en", "room", "race"]) == 0
    page = small.folder / "race.html"
    assert "anna" in page.read_text(encoding="utf-8")
    assert str(page) in capsys.readouterr().out.replace("\n", "")
