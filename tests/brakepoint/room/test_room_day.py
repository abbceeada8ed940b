"""What happens during the day of a room: no one's work is lost, and nothing else is changed."""

import errno
import re
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from room_day import NOW, connection, describe, everything, hand_in, remember, room_now, upload, work
from simulated_room import HANDLES

from brakepoint.board.watcher import Watcher
from brakepoint.cli import room_day, run
from brakepoint.room import scoring
from brakepoint.room.config import Room
from brakepoint.room.history import History
from brakepoint.room.outcomes import Failure, Scores, SubmissionOutcome
from brakepoint.room.parcel import LIMITS, SUBMISSION_KEY, packed
from brakepoint.room.rulings import FROZEN, Rulings
from brakepoint.room.stores import open_store, serving
from brakepoint.room.stores.embedded import Folders

pytestmark = pytest.mark.usefixtures("small_kit")


def test_a_room_of_forty_is_played_through_and_nothing_of_anyones_is_lost(
    small_room, points, monkeypatch, tmp_path, capsys
) -> None:
    describe(HANDLES, small_room.store.port)
    assert run(["room", "apply"]) == 0
    for number, handle in enumerate(HANDLES):
        hand_in(handle, number)
        remember(handle)
    assert points(room_now()) == sorted(HANDLES)
    before = everything(HANDLES)

    with serving(room_now()):
        for handle in HANDLES[::13]:
            assert connection(handle).client.get_object(Bucket=f"spring-{handle}", Key=SUBMISSION_KEY)

        assert run(["room", "add", "zoe"]) == 0  # A late arrival.
        assert everything(HANDLES) == before
        connection("zoe").client.put_object(
            Bucket="spring-zoe", Key=SUBMISSION_KEY, Body=packed(b"zoe's", b"90")
        )
        assert points(room_now()) == ["zoe"]

        gone, stays = HANDLES[3], tuple(handle for handle in HANDLES if handle != HANDLES[3])
        describe((*stays, "zoe"), small_room.store.port)
        assert run(["room", "apply"]) == 2, "one leaves, which is said first"
        assert run(["room", "apply", "--yes"]) == 0
        assert everything(stays) == {handle: before[handle] for handle in stays}
        assert work(gone) == before[gone][0]  # type: ignore[index]

        one, other = HANDLES[7], HANDLES[20]
        assert run(["room", "move", one, other]) == 0
        moved = everything((one, other))
        for place, person in ((one, other), (other, one)):
            kept, old = moved[place], before[person]
            assert (kept[0], kept[3], kept[4]) == (old[0], old[3], old[4])  # type: ignore[index]
            assert kept[1:3] == before[place][1:3]  # type: ignore[index]

        lost = HANDLES[11]
        stolen = connection(lost)
        assert run(["room", "password", lost]) == 0
        assert work(lost) == before[lost][0]  # type: ignore[index]
        assert connection(lost).secret_key != stolen.secret_key
        assert Path(f"runs/room/spring/card-{lost}.html").stat().st_mode & 0o777 == 0o600

    at_last = everything((*stays, "zoe"))
    assert run(["room", "backup", str(tmp_path / "stick" / "spring.backup")]) == 0
    another_laptop = tmp_path / "another"
    another_laptop.mkdir()
    shutil.rmtree("runs")
    monkeypatch.chdir(another_laptop)
    assert run(["room", "restore", str(tmp_path / "stick" / "spring.backup")]) == 0
    assert run(["room", "apply", "--yes"]) == 0

    assert everything((*stays, "zoe")) == at_last
    assert work(gone) == before[gone][0]  # type: ignore[index]
    assert points(room_now()) == []
    with serving(room_now()):
        for handle in ("zoe", lost, one):
            assert connection(handle).client.get_object(Bucket=f"spring-{handle}", Key=SUBMISSION_KEY)
        with pytest.raises(ClientError):
            stolen.client.get_object(Bucket=stolen.bucket, Key=SUBMISSION_KEY)


def test_a_reset_leaves_no_work_no_score_and_no_key_of_before(small, points, capsys) -> None:
    points(small)
    old, other = connection("anna").secret_key, everything(("bela",))
    assert run(["room", "reset", "anna"]) == 2
    assert "room password anna" in capsys.readouterr().err
    assert work("anna"), "nothing is done without a yes"

    assert run(["room", "reset", "anna", "--yes"]) == 0

    assert work("anna") == {} and connection("anna").secret_key != old
    assert set(Scores.load(small.folder).marks) == {"bela"} == set(History.load(small.folder).heard)
    assert everything(("bela",)) == other
    assert old not in (small.folder / "keys.json").read_text()
    assert connection("anna").secret_key in (small.folder / "card-anna.html").read_text()


def test_a_running_scorer_does_not_bring_back_what_was_forgotten(small, points) -> None:
    points(small)
    scores = Scores.load(small.folder)  # As a scorer holds them all day.
    run(["room", "reset", "anna", "--yes"])
    scores.add("bela", SubmissionOutcome(digest="d", at=NOW, score=99), small.folder)

    assert set(Scores.load(small.folder).marks) == {"bela"}
    assert Scores.load(small.folder).marks["bela"].best_score == 99


@pytest.mark.parametrize("command", [["move", "anna", "bela"], ["reset", "anna", "--yes"]])
def test_what_is_being_scored_while_its_owner_leaves_the_seat_counts_for_nobody(
    small, points, monkeypatch, command
) -> None:
    score = scoring.score
    commands = [["room", *command]]

    def meanwhile(submission: scoring.Submission, *given: Any) -> SubmissionOutcome:
        outcome = score(submission, *given)
        if submission.model == b"anna" and commands:
            assert run(commands.pop()) == 0
        return outcome

    monkeypatch.setattr(scoring, "available_cores", lambda: 1)
    monkeypatch.setattr(scoring, "SPARE_PLACES", 0)
    monkeypatch.setattr(scoring, "score", meanwhile)
    assert "anna" not in points(small)
    assert not (small.folder / "submissions" / "anna" / "best").exists()
    points(small)

    marks = {handle: marks.best_score for handle, marks in Scores.load(small.folder).marks.items()}
    assert marks == ({"bela": 60} if command[0] == "reset" else {"anna": 60, "bela": 80})


def test_one_card_is_printed_again_and_says_the_same(small, capsys) -> None:
    whole = (small.folder / "handouts.html").read_text()

    assert run(["room", "card", "anna"]) == 0

    card = small.folder / "card-anna.html"
    assert str(card) in capsys.readouterr().out
    code = re.search(r"anna\.spring:[^<]+", whole)
    assert code is not None and code[0] in card.read_text()
    assert "bela" not in card.read_text()
    assert card.stat().st_mode & 0o777 == 0o600
    assert run(["room", "card", "zoe"]) == 2


@pytest.mark.parametrize(
    ("written", "handle", "wanted"),
    [
        ("attendees: 2 # two\nname: spring\n", "", ("seat-01", "seat-02", "seat-03")),
        ("name: spring\nattendees: 2", "zoe", ("zoe", "seat-01", "seat-02")),
        ("name: spring\nattendees: 2\nhandles: [anna, bela] # all\n", "zoe", ("anna", "bela", "zoe")),
        ("name: spring\nhandles: []\nattendees: 1\n", "zoe", ("zoe", "seat-01")),
        ("name: spring\nhandles:\nattendees: 1\nurl: ''\n", "", ("seat-01", "seat-02")),
        ("name: spring\nattendees: 1\nhandles: [anna, bela]\n", "zoe", ("anna", "zoe")),
        ("name: spring\nattendees: 1\nhandles: [anna]\n", "no", ("anna", "no")),
        (
            "name: spring\nhandles:\n  - anna # first\n  - bela\n\n# the quota\nattendees: 3\n",
            "zoe",
            ("anna", "bela", "zoe", "seat-01"),
        ),
        ("name: spring\nhandles:\n- anna\nattendees: 1\n", "zoe", ("anna", "zoe")),
        ("name: spring\nattendees: 1\nhandles: [anna, zoe]\n", "zoe", ("anna", "zoe")),
    ],
)
def test_a_late_arrival_is_written_into_the_rooms_file_and_no_other_word_of_it_changes(
    in_folder, written, handle, wanted
) -> None:
    if "handles:\n" in written and "- " not in written:
        written = written.replace("handles:\n", "")
    Path("room.yaml").write_text(written)

    assert run(["room", "add", *([handle] if handle else [])]) == 0

    assert room_now().everybody == wanted
    for comment in re.findall(r"# .*", written):
        assert comment in Path("room.yaml").read_text()


def test_after_an_attendee_who_was_listed_already_the_next_seat_may_be_added(in_folder) -> None:
    Path("room.yaml").write_text("name: spring\nattendees: 1\nhandles: [anna, zoe]\n")

    assert run(["room", "add", "zoe"]) == 0
    assert run(["room", "add"]) == 0
    assert room_now().everybody == ("anna", "zoe", "seat-01")


def test_a_rooms_file_from_windows_keeps_its_ends_of_lines(in_folder) -> None:
    Path("room.yaml").write_bytes(b"name: spring\r\nattendees: 2\r\nhandles: [anna]\r\n")

    assert run(["room", "add", "zoe"]) == 0
    assert Path("room.yaml").read_bytes() == b"name: spring\r\nattendees: 3\r\nhandles: [anna, zoe]\r\n"


@pytest.mark.parametrize("handle", ["anna", "Zoe!", "shared", "seat-01", "last"])
def test_who_cannot_be_added_changes_nothing(in_folder, capsys, handle) -> None:
    written = "name: spring\nattendees: 2\nhandles: [anna]\n"
    if handle == "last":
        written = written.replace("[anna]", "[anna, bela, carl, last]")
    Path("room.yaml").write_text(written)

    assert run(["room", "add", handle]) == 2
    assert "room.yaml.new" not in capsys.readouterr().err
    assert Path("room.yaml").read_text() == written
    assert [path.name for path in in_folder.iterdir()] == ["room.yaml"]


def test_nobody_moves_to_a_seat_that_is_not_there_or_to_their_own(small) -> None:
    before = everything(("anna", "bela"))

    assert run(["room", "move", "anna", "zoe"]) == 2
    assert run(["room", "move", "anna", "anna"]) == 2
    assert everything(("anna", "bela")) == before


@pytest.mark.parametrize("order", [("anna", "zoe"), ("zoe", "anna")])
def test_nobody_moves_to_a_seat_or_from_one_that_was_never_applied(small, capsys, order) -> None:
    before = work("anna")
    describe(("anna", "bela", "zoe"), small.store.port)
    assert run(["room", "move", *order]) == 2
    assert "not complete (missing: zoe …)" in capsys.readouterr().err

    assert work("anna") == before != {}
    assert run(["room", "apply"]) == 0
    assert run(["room", "move", *order]) == 0
    assert work("zoe") == before


def test_anyone_who_moves_to_an_empty_seat_takes_score_and_disqualification_along(small, points) -> None:
    run(["room", "reset", "bela", "--yes"])
    points(small)
    run(["room", "disqualify", "anna"])
    run(["room", "rescore", "anna"])
    run(["room", "freeze"])
    assert run(["room", "move", "anna", "bela"]) == 0

    assert work("anna") == {} and set(work("bela")) == {SUBMISSION_KEY}
    assert set(Scores.load(small.folder).marks) == {"bela"}
    rulings = Rulings.load(small.folder)
    assert rulings.disqualified == {"bela"} == set(rulings.again)
    assert [path.name for path in (small.folder / "frozen").iterdir()] == ["spring-bela"]
    run(["room", "move", "anna", "bela"])
    assert Rulings.load(small.folder).disqualified == {"anna"}


def test_a_hand_in_is_scored_again_once_although_it_has_not_changed(small, points) -> None:
    assert points(small) == ["anna", "bela"]
    assert points(small) == []
    assert run(["room", "rescore", "bela"]) == 0

    assert points(small) == ["bela"]
    assert points(small) == []


@pytest.mark.parametrize("jump_h", [-2, 2])
def test_a_clock_that_is_set_between_neither_hides_nor_repeats_what_was_asked_for(
    small, points, monkeypatch, jump_h
) -> None:
    assert points(small) == ["anna", "bela"]
    monkeypatch.setattr(
        room_day, "datetime", SimpleNamespace(now=lambda zone: datetime.now(zone) + timedelta(hours=jump_h))
    )
    assert run(["room", "rescore", "bela"]) == 0

    assert points(small) == ["bela"]
    assert points(small) == []


def test_what_is_asked_for_while_it_is_scored_is_done_after_it(small) -> None:
    with Rulings.changing(small.folder) as rulings:
        rulings.again["bela"] = NOW
    begun = Rulings.load(small.folder)
    with Rulings.changing(small.folder) as rulings:
        rulings.again["bela"] = NOW + timedelta(minutes=1)
    begun.answered("bela", small.folder)
    begun.answered("anna", small.folder)

    assert Rulings.load(small.folder).asks_again("bela")


def test_after_time_is_up_only_what_was_handed_in_before_is_scored(small, points, capsys) -> None:
    assert run(["room", "freeze"]) == 0
    assert "(attendees: 2)" in capsys.readouterr().out
    hand_in("anna", 100)
    assert run(["room", "freeze"]) == 2, "a second time must not let in what came too late"
    assert "--undo" in capsys.readouterr().err
    assert points(small) == ["anna", "bela"]
    assert Scores.load(small.folder).marks["anna"].best_score == 80

    assert run(["room", "freeze", "--undo"]) == 0
    assert points(small) == ["anna"]
    assert Scores.load(small.folder).marks["anna"].best_score == 100
    assert not (small.folder / "frozen").exists()


def test_what_comes_after_time_is_up_does_not_count_in_a_round_that_had_begun(
    small, points, monkeypatch
) -> None:
    score = scoring.score
    is_up: list[int] = []

    def meanwhile(submission: scoring.Submission, *given: Any) -> SubmissionOutcome:
        if not is_up:
            is_up.append(run(["room", "freeze"]))
            hand_in("anna", 100)
            hand_in("bela", 100)
        return score(submission, *given)

    monkeypatch.setattr(scoring, "available_cores", lambda: 1)
    monkeypatch.setattr(scoring, "SPARE_PLACES", 0)
    monkeypatch.setattr(scoring, "score", meanwhile)
    points(small)

    marks = {handle: marks.best_score for handle, marks in Scores.load(small.folder).marks.items()}
    assert is_up == [0] and marks == {"anna": 80, "bela": 60}


def test_time_is_up_for_all_others_though_one_bucket_cannot_be_read(small, monkeypatch, capsys) -> None:
    read = Folders.read

    def refusing(folders: Folders, bucket: str, *given: Any) -> bytes:
        if bucket.endswith("anna"):
            raise PermissionError(errno.EACCES, "locked")
        return read(folders, bucket, *given)

    monkeypatch.setattr(Folders, "read", refusing)
    assert run(["room", "freeze"]) == 2

    assert "handed in cannot be read and is not scored: anna." in capsys.readouterr().err
    assert Rulings.load(small.folder).frozen_at is not None
    assert Folders(small.folder / FROZEN).buckets() == {"spring-bela"}


def test_what_is_too_large_is_still_too_large_when_time_is_up(small, monkeypatch) -> None:
    monkeypatch.setitem(LIMITS, SUBMISSION_KEY, 10)
    hand_in("anna", 1)
    upload("anna", **{SUBMISSION_KEY: b"x" * 100})
    run(["room", "freeze"])

    assert (small.folder / "frozen" / "spring-anna" / SUBMISSION_KEY).stat().st_size == 11


def test_a_disqualified_attendee_is_not_scored_and_comes_back_with_what_was_reached(small, points) -> None:
    points(small)
    assert run(["room", "disqualify", "anna"]) == 0
    hand_in("anna", 100)
    assert points(small) == []

    assert run(["room", "disqualify", "anna", "--undo"]) == 0
    assert Scores.load(small.folder).marks["anna"].best_score == 80
    assert points(small) == ["anna"]


def test_damaged_decisions_are_reported_and_not_forgotten(small, capsys) -> None:
    (small.folder / "rulings.json").write_text("{")

    assert run(["room", "disqualify", "anna"]) == 2
    assert "rulings.json" in capsys.readouterr().err
    assert (small.folder / "rulings.json").read_text() == "{"


def test_the_instructor_may_have_a_hand_in_scored_again_whatever_the_tries(small, points) -> None:
    strict = small.model_copy(update={"tries": 1})
    points(strict)
    hand_in("anna", 95)
    points(strict)
    assert Scores.load(small.folder).marks["anna"].last.reason == Failure.TRIES
    run(["room", "rescore", "anna"])

    assert points(strict) == ["anna"]
    assert Scores.load(small.folder).marks["anna"].best_score == 95
    hand_in("anna", 99)
    points(strict)
    assert Scores.load(small.folder).marks["anna"].best_score == 95


def test_in_the_final_nobody_drives_who_is_disqualified(small, points, short_feed) -> None:
    points(small)
    run(["room", "disqualify", "anna"])
    room = small.model_copy(update={"final_feed": short_feed})

    scored = scoring.score_final(room, Scores.load(small.folder))

    assert [handle for handle, _ in scored] == ["bela"]


def test_anyone_who_moves_takes_the_best_hand_in_for_the_final_along(small, points) -> None:
    points(small)
    run(["room", "move", "anna", "bela"])
    best = small.folder / "submissions" / "bela" / scoring.BEST / "step6_autopilot.py"

    assert best.read_text() == "80"


def test_the_board_takes_joiners_in_and_shows_no_score_of_who_is_disqualified(small, points) -> None:
    points(small)
    watcher = Watcher(small, open_store(small), reread=room_now)
    run(["room", "add", "zoe"])
    run(["room", "disqualify", "anna"])
    watcher.look()

    seats = {seat.handle: seat for seat in watcher.seats}
    assert set(seats) == {"anna", "bela", "zoe"}
    assert (seats["anna"].score, seats["bela"].score) == (None, 60)
    assert "Disqualified" in seats["anna"].reason["en"]
    run(["room", "reset", "bela", "--yes"])
    watcher.look()
    assert "bela" not in History.load(small.folder).heard, "a running board brings nothing back"


def test_a_full_disk_at_time_up_leaves_the_hand_ins_open(small: Room, monkeypatch) -> None:
    write = Folders.put

    def put(folders: Folders, bucket: str, key: str, data: bytes) -> None:
        if bucket.endswith("bela"):
            raise OSError(errno.ENOSPC, "No space left on device")
        write(folders, bucket, key, data)

    with monkeypatch.context() as full:
        full.setattr(Folders, "put", put)
        assert run(["room", "freeze"]) == 2
    assert Rulings.load(small.folder).frozen_at is None
    assert not list(small.folder.glob(f"{FROZEN}*"))
    assert run(["room", "freeze"]) == 0
