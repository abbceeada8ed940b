"""What the commands of a room print: a row for each attendee or phase, and a line for each change."""

import re
from datetime import datetime

import pytest

from brakepoint.cli import room as cli_room
from brakepoint.cli import run
from brakepoint.room import rehearsal, status
from brakepoint.room.provisioning import CardChanges, Change, DiffAction, Provisioner, What
from brakepoint.room.rehearsal import Phase
from brakepoint.room.status import AttendeeStatus
from brakepoint.texts import text

pytestmark = pytest.mark.usefixtures("small_kit")
SAYS = {
    "card anna": r"The cards to print: runs/room/spring/card-anna\.html",
    "password anna": "anna has a new password",
    "move anna bela": r"anna and bela have exchanged .* in \d+\.\d s",
    "rescore anna": "scores anna again",
    "freeze": r"Time is up \(\d\d:\d\d:\d\d\): .* \(attendees: 2\)",
    "freeze --undo": "open again",
    "disqualify anna": "anna is no longer scored",
    "disqualify anna --undo": "anna is scored again",
    "report": r"The report: runs/room/spring/\w+\.html",
    "reset anna --yes": "oc delete namespace spring-anna",
    "add carl": "carl can begin",
    "plan": r"To add: 0, to change: 0, to remove: 0|nothing to change \(\d+\.\d s\)",
    "remove --yes": r"The room spring was removed in \d+\.\d s",
}
"""Each command of the day, in an order that leaves the next one something to do."""


CHANGE = Change(DiffAction.ADD, What.BUCKET, "spring-anna", "anna")


def rows(printed: str) -> list[list[str]]:
    """The cells of each line: between them, a table leaves at least three blanks."""
    return [re.split(r"\s{3,}", line.strip()) for line in printed.splitlines()]


def test_each_command_of_the_day_says_what_it_has_done(small, capsys) -> None:
    capsys.readouterr()
    said = {}
    for words in SAYS:
        assert run(["room", *words.split()]) == 0
        said[words] = " ".join(capsys.readouterr().out.split())

    assert [words for words, pattern in SAYS.items() if not re.search(pattern, said[words])] == [], said


def test_applying_a_room_names_the_new_cards_and_says_what_to_do_next(small, monkeypatch, capsys) -> None:
    monkeypatch.setattr(Provisioner, "card_changes", lambda _: CardChanges(("anna",), ("bela",), ("carl",)))
    monkeypatch.setattr(Provisioner, "apply", lambda _self, _progress: [CHANGE])
    monkeypatch.setattr(cli_room.time, "monotonic", lambda: 100.0)
    capsys.readouterr()

    assert run(["room", "apply", "--yes"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        text("room.applied", seconds="0.0", add=1, change=0, remove=0),
        text("room.cards.new", handles="anna"),
        text("room.cards.again", handles="bela"),
        text("room.cards.void", handles="carl"),
        text("room.what_next", folder=small.folder),
    ]


def test_of_a_room_that_grows_only_the_new_cards_are_to_be_printed(small, monkeypatch, capsys) -> None:
    monkeypatch.setattr(Provisioner, "card_changes", lambda _: CardChanges(("bela",), (), ()))
    monkeypatch.setattr(Provisioner, "apply", lambda _self, _progress: [])
    capsys.readouterr()

    assert run(["room", "apply"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1:] == [
        text("room.cards.new", handles="bela"),
        text("room.print", path=small.folder / "card-bela.html"),
    ]


def test_the_state_of_a_room_is_a_row_for_each_attendee(in_folder, monkeypatch, capsys) -> None:
    in_folder.joinpath("room.yaml").write_text("name: spring\nattendees: 2\n")
    last = datetime(2026, 2, 3, 14, 5).astimezone()
    found = [
        AttendeeStatus("anna", [], 12, 3.456, last),
        AttendeeStatus("bela", [What.KEY, What.DATA, What.DATA], 0, 0.0, None),
    ]
    monkeypatch.setattr(status, "statuses", lambda _: found)

    assert run(["room", "status"]) == 0
    assert rows(capsys.readouterr().out) == [
        ["attendee", "ready", "objects", "MB", "last upload"],
        ["anna", "✓", "12", "3.5", "03.02. 14:05"],
        ["bela", "✗ key, data", "0", "0.0", "–"],
    ]


def test_a_rehearsal_is_a_row_for_each_phase(small, monkeypatch, capsys) -> None:
    phases = [
        Phase("start", 1.26, 9.0, "anna", {}),
        Phase("pull", 12.0, 31.04, "bela", {}),
        Phase("check", 1.0, 2.0, "anna", {"anna": "one", "bela": "[two]", "carl": "three", "dora": "four"}),
    ]
    monkeypatch.setattr(rehearsal, "rehearse", lambda *_: phases)
    capsys.readouterr()

    assert run(["room", "rehearse"]) == 1
    printed = rows(capsys.readouterr().out)
    assert printed[:3] == [["start: 9.0 s"], ["make the dataset: 31.0 s"], ["check step 1: 2.0 s"]]
    assert printed[4:] == [
        ["● start", "1.3 s", "9.0 s", "10.0 s"],
        ["● make the dataset", "12.0 s", "31.0 s", "30.0 s", "slow: bela"],
        ["● check step 1", "1.0 s", "2.0 s", "30.0 s", "anna: one"],
        ["bela: [two]"],
        ["carl: three"],
    ]


def test_changes_are_a_line_for_each_attendee_and_kind_with_what_differs_below(capsys) -> None:
    changes = [
        Change(DiffAction.ADD, What.BUCKET, "spring-bela", "bela"),
        Change(DiffAction.ADD, What.DATA, "one", "bela"),
        Change(DiffAction.ADD, What.DATA, "two", "bela"),
        Change(DiffAction.CHANGE, What.MANIFEST, "x.yaml", diff="-[old]"),
        Change(DiffAction.REMOVE, What.KEY, "spring-anna", "anna"),
    ]
    cli_room.show_changes(changes, "spring", cli_room.Console(highlight=False))

    assert rows(capsys.readouterr().out) == [
        ["~ spring", "manifests"],
        ["-[old]"],
        ["- anna", "key"],
        ["+ bela", "bucket, data"],
    ]


@pytest.mark.parametrize(
    ("count", "shown"),
    [(8, "a, b, c, d, e, f, g, h"), (9, "a, b, c, d, e, f, g, h, … (9)")],
)
def test_of_many_attendees_the_first_eight_are_named(small, monkeypatch, capsys, count, shown) -> None:
    cards = CardChanges((), tuple("abcdefghi"[:count]), ())
    monkeypatch.setattr("brakepoint.room.provisioning.Provisioner.card_changes", lambda _: cards)
    capsys.readouterr()

    assert run(["room", "apply"]) == 2
    assert re.search(rf"{re.escape(shown)}\W", capsys.readouterr().err)
