"""What a room keeps in files: accounts, scores, submissions, and everyone's progress."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bcrypt
import pytest
from pydantic import ValidationError

from brakepoint.errors import UserError
from brakepoint.room import sharing, status, submission
from brakepoint.room.accounts import ALPHABET, Account, Accounts
from brakepoint.room.config import Room
from brakepoint.room.files import make_private_folder, write
from brakepoint.room.history import History
from brakepoint.room.outcomes import Failed, Failure, Marks, Scores, SubmissionOutcome
from brakepoint.room.stores.base import ObjectInfo
from brakepoint.room.submission import Answer, SandboxedAutopilot, SandboxedDetector, Submission

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def outcome(**values: Any) -> SubmissionOutcome:
    return SubmissionOutcome(**{"digest": "", "at": NOW} | values)


def test_a_password_is_typed_from_a_card_and_its_hash_is_of_it(in_folder) -> None:
    account = Account.new()

    assert re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", account.password)
    assert not set("ilo01") & set(ALPHABET) and len(ALPHABET) == 31
    assert bcrypt.checkpw(account.password.encode(), account.password_hash.encode())
    assert re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", account.secret_key)
    assert account.secret_key != account.password


def test_accounts_are_read_as_they_were_kept_and_a_damaged_file_is_reported(in_folder, tmp_path) -> None:
    assert Accounts.load(tmp_path) == Accounts()
    accounts = Accounts(accounts={"anna": Account.new()})
    accounts.save(tmp_path)
    assert Accounts.load(tmp_path) == accounts
    (tmp_path / "accounts.json").write_bytes(b"\xff")

    with pytest.raises(UserError, match=r"accounts\.json"):
        Accounts.load(tmp_path)


def test_a_damaged_history_of_the_board_is_reset(tmp_path) -> None:
    (tmp_path / "board.json").write_bytes(b"\xff")

    assert History.load(tmp_path) == History()


def test_a_file_is_replaced_whole_and_its_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    (tmp_path / "a" / "b").mkdir(parents=True)
    path.with_name("file.part").write_text("of a run that was broken off")
    write(path, "one")
    write(path, "two", 0o600)
    write(path, "été")

    assert path.read_text("utf-8") == "été"
    assert path.stat().st_mode & 0o777 == 0o644
    assert [other.name for other in path.parent.iterdir()] == ["file"]


def test_a_private_folder_is_its_owners_alone_and_not_gits(tmp_path: Path) -> None:
    for _ in range(2):
        make_private_folder(tmp_path / "a" / "b")

    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a" / "b" / ".gitignore").read_text() == "*\n"


def test_of_what_comes_out_of_a_sandbox_only_a_line_is_shown() -> None:
    failed = Failed(Failure.RAISED, "x\n" * 200)

    assert failed.reason is Failure.RAISED
    assert len(failed.detail) == 160 and "\n" not in failed.detail
    assert Failed(Failure.DIED).detail == ""


def test_an_outcome_is_a_failure_or_a_score_from_0_to_100() -> None:
    assert (outcome().score, outcome().accomplished, outcome().words()) == (0.0, False, "")
    assert outcome(map50=1, score=100).map50 == 1
    for wrong in ({"map50": 1.1}, {"map50": -0.1}, {"score": 100.5}, {"score": -0.5}):
        with pytest.raises(ValidationError):
            outcome(**wrong)


def test_the_best_of_all_submissions_counts_whichever_comes_first() -> None:
    marks = Marks(last=outcome())
    for score, map50 in ((95.0, 0.6), (80.0, None), (0.0, 0.7)):
        marks = marks.with_outcome(outcome(score=score, map50=map50))

    assert (marks.best_score, marks.best_map50) == (95.0, 0.7)
    assert marks.last.map50 == 0.7


def test_a_mission_of_no_points_is_a_score_all_the_same(tmp_path: Path) -> None:
    scores = Scores.load(tmp_path)
    scores.add("anna", outcome(score=0.0), tmp_path)

    assert Scores.load(tmp_path).marks["anna"].best_score == 0.0


def test_two_submissions_are_distinguished_by_either_file() -> None:
    digests = {Submission(model, pilot).digest for model in (b"a", b"b") for pilot in (b"a", b"b", b"")}

    assert len(digests) == 6
    assert Submission(b"a", b"b").digest == Submission(b"a", b"b").digest


def test_how_far_an_attendee_is_says_what_is_missing_and_what_was_written_beyond_the_data(
    monkeypatch,
) -> None:
    monkeypatch.setattr(status, "content", lambda: {"given": Path()})
    room = Room(name="spring", attendees=2, handles=("anna", "bela"))
    objects = {
        "given": ObjectInfo(1_000_000, NOW + timedelta(days=1)),
        "old": ObjectInfo(500_000, NOW - timedelta(days=1)),
        "mine": ObjectInfo(500_000, NOW),
    }
    store = SimpleNamespace(buckets=lambda: {"spring-anna"}, objects=lambda bucket: objects)
    changes = [SimpleNamespace(what="bucket", handle="bela"), SimpleNamespace(what="data", handle="")]
    provisioner: Any = SimpleNamespace(room=room, store=store, plan=lambda: changes)

    anna, bela = status.statuses(provisioner)

    assert anna == status.AttendeeStatus("anna", [], 3, 2.0, NOW)
    assert bela.missing == ["bucket"] and (bela.objects, bela.megabytes, bela.last_at) == (0, 0.0, None)


def test_nothing_is_uploaded_unless_every_file_is_there(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sharing.Connection, "from_environment", lambda: pytest.fail("the store was asked"))
    (tmp_path / "there").write_text("x")

    with pytest.raises(UserError, match="missing") as refused:
        sharing.upload({"a": tmp_path / "there", "b": tmp_path / "missing"})
    assert refused.value.key == "room.error.nothing_there"


class Sandbox:
    """Gives the set answers, and records the questions."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.asked: list[bytes] = []

    def ask(self, question: bytes) -> Any:
        self.asked.append(question)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def detector(answer: Any) -> tuple[SandboxedDetector, Sandbox]:
    sandbox: Any = Sandbox(answer)
    return SandboxedDetector(sandbox), sandbox


def test_a_detector_is_asked_with_the_size_of_the_picture_and_its_pixels() -> None:
    np = pytest.importorskip("numpy")
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    for everything in (False, True):
        eyes, sandbox = detector({"items": []})
        assert eyes.detect_image(image, everything) == ()
        assert sandbox.asked == [f"2,3,{int(everything)}".ljust(12).encode() + image.tobytes()]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Failed(Failure.TOO_SLOW, "5 s"), Failure.MODEL_SLOW),
        (Failed(Failure.MEMORY), Failure.MEMORY),
        ({"items": [{"confidence": 7}]}, Failure.MODEL_UNFIT),
        ("no answer", Failure.MODEL_UNFIT),
    ],
)
def test_a_detector_without_a_sensible_answer_in_time_has_failed(answer, reason) -> None:
    np = pytest.importorskip("numpy")
    eyes, _ = detector(answer)

    with pytest.raises(Failed) as failed:
        eyes.detect_image(np.zeros((2, 3, 3), np.uint8), everything=False)
    assert failed.value.reason is reason


def test_an_autopilot_without_an_order_has_failed_and_its_memory_stays_inside() -> None:
    order = {"kind": "brake", "reason": "clear", "light": "on", "at": 1.0}
    sandbox: Any = Sandbox({"order": order})
    memory, given = SandboxedAutopilot(sandbox).step("mine", None, None, 1.0)
    assert memory is None and given.kind == "brake"
    assert sandbox.asked == [b'{"detections": null, "state": null, "now": 1.0}']

    empty: Any = Sandbox({})
    with pytest.raises(Failed) as failed:
        SandboxedAutopilot(empty).step(None, None, None, 1.0)
    assert failed.value.reason is Failure.NO_ORDER


def test_a_sandbox_leaves_room_for_a_model_and_ends_what_hangs() -> None:
    eyes, driver = submission.DETECTOR_LIMITS, submission.AUTOPILOT_LIMITS

    assert (driver.memory_mb, driver.cpu_s, driver.processes, driver.answer_s) == (1024, 60, 1, 5.0)
    assert (eyes.memory_mb, eyes.cpu_s, eyes.answer_s) == (6144, 600, 20.0)
    assert submission.AUTOPILOT_MAX_BYTES == 200_000
    with pytest.raises(ValidationError):
        Answer.model_validate({"items": [{"box": [0, 0, 1, 1]}] * 100_000})
