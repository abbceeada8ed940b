"""The attendee's side: a check shares the progress with the room, and never fails because of that."""

import pytest

from brakepoint import course
from brakepoint.cli import run, workshop
from brakepoint.course import find_step
from brakepoint.room.accounts import Accounts
from brakepoint.room.manifests import connection_variables
from brakepoint.room.parcel import SUBMISSION_KEY
from brakepoint.room.provisioning import Provisioner
from brakepoint.room.sharing import PROGRESS_KEY
from brakepoint.room.stores import open_store, serving
from brakepoint.room.submission import fetch
from brakepoint.workshop import progress
from brakepoint.workshop.progress import Progress
from brakepoint.workshop.verdicts import Result, Verdict

STEP = find_step("1")


@pytest.fixture
def attendee(small_room, tmp_path, monkeypatch):
    """Joins the room by the card, and runs a check that passes its first exercise."""
    Provisioner(small_room, open_store(small_room)).apply(lambda done, total: None)
    account = Accounts.load(small_room.folder).accounts["anna"]
    endpoint = small_room.outside
    for name, value in connection_variables(small_room, "anna", account, endpoint).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(course, "LABS_DIR", tmp_path / "labs")
    monkeypatch.setattr(progress, "PROGRESS_PATH", tmp_path / "progress.json")
    result = Result((Verdict(exercise=STEP.exercises[0], passed=True), Verdict(exercise=STEP.exercises[1])))
    monkeypatch.setattr(workshop, "check", lambda step: result)
    return small_room


def test_a_check_shows_the_progress_to_the_room(attendee) -> None:
    with serving(attendee):
        assert run(["check", "1"]) == 1
    shared = open_store(attendee).read("spring-anna", PROGRESS_KEY, 10_000)

    assert Progress.model_validate_json(shared).of(STEP).done == [STEP.exercises[0]]


def test_a_store_that_does_not_answer_fails_no_check(attendee, capsys, monkeypatch) -> None:
    assert run(["check", "1"]) == 1

    captured = capsys.readouterr()
    assert "Next: " in captured.out
    assert "the instructor cannot see it" in captured.err
    assert Progress.load(progress.PROGRESS_PATH).of(STEP).done == [STEP.exercises[0]]


def test_what_is_submitted_arrives(attendee, tmp_path) -> None:
    (tmp_path / "my.onnx").write_bytes(b"model")
    (tmp_path / "my.py").write_bytes(b"autopilot")
    files = ["--detector", str(tmp_path / "my.onnx"), "--autopilot", str(tmp_path / "my.py")]
    with serving(attendee):
        assert run(["submit", *files]) == 0

    submission = fetch(open_store(attendee), "spring-anna")
    assert submission is not None
    assert (submission.model, submission.autopilot) == (b"model", b"autopilot")
    handed_in = [key for key in open_store(attendee).objects("spring-anna") if key.startswith("room/")]
    assert handed_in == [SUBMISSION_KEY], "two objects could be read as a pair that was never submitted"


def test_a_missing_model_is_reported(attendee, tmp_path, capsys) -> None:
    assert run(["submit", "--detector", str(tmp_path / "none.onnx")]) == 2
    assert "none.onnx" in capsys.readouterr().err


def test_outside_a_room_nothing_is_handed_in(monkeypatch, capsys) -> None:
    monkeypatch.delenv("BRAKEPOINT_ROOM", raising=False)

    assert run(["submit"]) == 2
    assert "brakepoint join" in capsys.readouterr().err
