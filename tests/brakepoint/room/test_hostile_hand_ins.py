"""Whatever is submitted, everyone is scored: one submission fails alone and reveals nothing."""

import json
import threading
from functools import partial
from typing import Any

import pytest
from handing_in import NOW, hand_in, judge_by
from hypothesis import given
from hypothesis import strategies as st

from brakepoint.cli import run
from brakepoint.errors import UserError
from brakepoint.room import scoring, submission
from brakepoint.room.outcomes import (
    DETAIL_CHARACTERS,
    Failed,
    Failure,
    Marks,
    Scores,
    SubmissionOutcome,
    clean,
)
from brakepoint.room.records import Records
from brakepoint.room.rulings import Rulings
from brakepoint.room.sandbox import Aborted
from brakepoint.room.scoring import score_final, score_room
from brakepoint.room.stores import open_store
from brakepoint.room.submission import SandboxedAutopilot, SandboxedDetector, score
from brakepoint.texts import languages

HOSTILE = (
    "\ud800",
    "a\udfffb",
    "\x1b]0;title\x07",
    "\x1b[2J\x1b[H",
    "x\ranna: score 100, mAP50 1.00",
    "\nanna: score 100, mAP50 1.00",
    "\u202egnp.exe",
    "\x9b31m",
    "\u2028line",
    "e" + "\u0301\u0302" * 400,
    "\x00",
    "\U000e0041",
    "x" * 10_000_000,
)


@pytest.fixture
def room(small_room, short_feed, monkeypatch):
    """A room of two with a hidden feed, which needs no sandbox and scores one submission at a time."""
    monkeypatch.setattr(scoring, "require_sandbox", lambda *hidden: None)
    monkeypatch.setattr(scoring, "available_cores", lambda: 1)
    monkeypatch.setattr(scoring, "SPARE_PLACES", 0)
    return small_room.model_copy(update={"hidden_feed": short_feed, "final_feed": short_feed})


def scored(room, scores: Scores, stopping: threading.Event | None = None) -> dict[str, SubmissionOutcome]:
    return dict(score_room(room, open_store(room), scores, stopping))


def broken(submission) -> SubmissionOutcome:
    raise RuntimeError("no more memory")


def good(submission, score: float = 90.0) -> SubmissionOutcome:
    return SubmissionOutcome(digest=submission.digest, at=NOW, score=score)


@given(st.text(st.characters(exclude_categories=[])) | st.sampled_from(HOSTILE))
def test_whatever_a_sandbox_says_becomes_one_short_line_that_can_be_written_and_shown(words) -> None:
    line = clean(words)

    assert line.isprintable() and len(line) <= DETAIL_CHARACTERS and line == clean(line)
    assert line.encode().decode() == line


@pytest.mark.parametrize("words", ["NameError: näme is not défined", "x = [1, 2]", "don’t", "日本"])
def test_honest_words_stay_as_they_are(words) -> None:
    assert clean(words) == words


@pytest.mark.parametrize("words", HOSTILE, ids=repr)
def test_what_an_exception_says_ends_nobodys_scoring(room, monkeypatch, words) -> None:
    class Cage:
        def __init__(self, *_: object) -> None:
            raise Failed(Failure.RAISED, words)

    monkeypatch.setattr(submission, "Sandbox", Cage)
    hand_in(room, "anna")
    hand_in(room, "bela", b"another")
    found = scored(room, Scores())

    assert {handle: outcome.reason for handle, outcome in found.items()} == dict.fromkeys(
        ("anna", "bela"), Failure.MODEL_UNFIT
    )
    assert set(Scores.load(room.folder).marks) == {"anna", "bela"}


def test_an_outcome_is_clean_however_it_was_made() -> None:
    made = SubmissionOutcome(digest="", at=NOW, reason=Failure.RAISED, detail="\x1b[2J\ud800 ok")

    assert made.detail == "[2J ok"
    assert SubmissionOutcome.model_validate_json(made.model_dump_json()) == made


def test_an_error_of_ones_own_is_the_outcome_of_one_submission_and_is_tried_again(room, monkeypatch) -> None:
    def judge(submission):
        if submission.model == b"bad":
            raise RuntimeError("\ud800 no more memory")
        return good(submission)

    judge_by(monkeypatch, judge)
    hand_in(room, "anna", b"bad")
    hand_in(room, "bela")
    scores = Scores()
    found = scored(room, scores)

    assert (found["anna"].reason, found["bela"].score) == (Failure.INTERNAL, 90.0)
    assert found["anna"].detail == "RuntimeError: no more memory"
    judge_by(monkeypatch, good)
    assert set(scored(room, scores)) == {"anna"}
    assert scores.marks["anna"].tries == 1, "the attendee had no part in the first"


def test_a_trouble_of_the_instructors_that_lasts_uses_up_no_tries(room, monkeypatch) -> None:
    room = room.model_copy(update={"tries": 1})
    scores = Scores()
    hand_in(room, "anna")
    judge_by(monkeypatch, broken)
    for _ in range(3):
        assert scored(room, scores)["anna"].reason is Failure.INTERNAL
    judge_by(monkeypatch, good)

    assert scored(room, scores)["anna"].score == 90.0
    assert scores.marks["anna"].tries == 1


def test_a_request_to_score_again_waits_until_the_instructors_trouble_is_over(room, monkeypatch) -> None:
    room = room.model_copy(update={"tries": 1})
    scores = Scores()
    hand_in(room, "anna")
    judge_by(monkeypatch, good)
    scored(room, scores)
    with Rulings.changing(room.folder) as rulings:
        rulings.again["anna"] = NOW
    judge_by(monkeypatch, broken)
    assert scored(room, scores)["anna"].reason is Failure.INTERNAL
    judge_by(monkeypatch, lambda submission: good(submission, 95.0))

    assert scored(room, scores)["anna"].score == 95.0
    assert scored(room, scores) == {}


def test_who_has_had_fewer_tries_comes_first(room, monkeypatch) -> None:
    judge_by(monkeypatch, good)
    scores = Scores()
    hand_in(room, "anna")
    assert list(scored(room, scores)) == ["anna"]
    hand_in(room, "anna", b"once more")
    hand_in(room, "bela")
    order: list[bytes] = []

    def judge(submission):
        order.append(submission.model)
        return good(submission)

    judge_by(monkeypatch, judge)
    scored(room, scores)

    assert order == [b"model", b"once more"]


def test_after_the_last_try_nothing_more_is_run_and_the_best_stays(room, monkeypatch) -> None:
    room = room.model_copy(update={"tries": 2})
    scores = Scores()
    allowed = iter((50.0, 51.0))
    judge_by(monkeypatch, lambda submission: good(submission, next(allowed)))
    for number in range(4):
        hand_in(room, "anna", f"{number}".encode())
        scored(room, scores)
    marks = scores.marks["anna"]

    assert (marks.tries, marks.best_score, marks.last.reason) == (2, 51.0, Failure.TRIES)
    assert marks.last.detail == "2"
    assert scored(room, scores) == {}, "that is said once"


@pytest.mark.parametrize("error", [PermissionError("locked"), UserError("store.error.disk_full")])
def test_a_bucket_that_cannot_be_read_holds_nobody_else_up(room, monkeypatch, error) -> None:
    judge_by(monkeypatch, good)
    hand_in(room, "anna")
    hand_in(room, "bela")
    store, scores = open_store(room), Scores()
    read = store.read

    def refusing(bucket: str, *given: Any) -> bytes:
        if bucket.endswith("anna"):
            raise error
        return read(bucket, *given)

    monkeypatch.setattr(store, "read", refusing)
    found = []
    with pytest.raises(UserError) as refused:
        for handle, _ in score_room(room, store, scores):
            found.append(handle)

    assert found == ["bela"] and refused.value.key == "room.error.unreadable"
    assert "anna" in str(refused.value) and set(scores.marks) == {"bela"}


def test_what_was_interrupted_is_not_recorded_and_is_scored_the_next_time(room, monkeypatch) -> None:
    stopping, scores = threading.Event(), Scores()

    def interrupted(submission):
        stopping.set()
        raise Aborted

    judge_by(monkeypatch, interrupted)
    hand_in(room, "anna")
    hand_in(room, "bela")

    assert scored(room, scores, stopping) == {} and not scores.marks
    judge_by(monkeypatch, good)
    assert set(scored(room, scores)) == {"anna", "bela"}


def test_who_no_longer_listens_ends_what_is_still_to_come(room, monkeypatch) -> None:
    judge_by(monkeypatch, good)
    hand_in(room, "anna")
    hand_in(room, "bela")
    stopping, scores = threading.Event(), Scores()
    outcomes: Any = score_room(room, open_store(room), scores, stopping)
    next(outcomes)
    outcomes.close()

    assert len(scores.marks) == 1


def test_everybody_sees_the_kind_of_a_failure_and_not_what_the_code_said() -> None:
    for reason in Failure:
        failed = SubmissionOutcome(digest="", at=NOW, reason=reason, detail="danger at 431 cm")
        for lang in languages():
            assert failed.kind(lang) and "431" not in failed.kind(lang)
    assert SubmissionOutcome(digest="", at=NOW).kind() == ""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (Failure.TOO_SLOW, Failure.MODEL_SLOW),
        (Failure.RAISED, Failure.MODEL_UNFIT),
        (Failure.NO_ORDER, Failure.MODEL_UNFIT),
        (Failure.TOO_LONG, Failure.TOO_LONG),
        (Failure.MEMORY, Failure.MEMORY),
    ],
)
def test_what_a_model_does_wrong_is_not_called_the_autopilots(monkeypatch, tmp_path, said, told) -> None:
    def refuse(*_: object) -> None:
        raise Failed(said, "why")

    monkeypatch.setattr(submission, "Sandbox", refuse)
    with pytest.raises(Failed) as failed:
        submission.open_eyes(tmp_path)

    assert (failed.value.reason, failed.value.detail) == (told, "why")


class Cage:
    """Gives one answer to the first question, and another to every later one."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self._answer = answer

    def __enter__(self) -> "Cage":
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to close."""

    def ask(self, message: bytes) -> dict[str, Any]:
        return self._answer


def test_a_model_that_finds_too_little_does_not_drive(room, short_feed, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(submission, "Sandbox", lambda role, *_: Cage({"items": []}))
    monkeypatch.setattr(submission, "_drive", lambda *_: pytest.fail("it drove"))
    hand_in = submission.Submission(b"", b"")
    outcome = score(hand_in, short_feed, tmp_path, map50_min=0.01)

    assert (outcome.reason, outcome.detail, outcome.map50) == (Failure.MODEL_BLIND, "0.01", 0.0)


@pytest.mark.parametrize(
    ("right", "is_fit"), [(60.0, True), (60.1, False), (-60.1, False), (1e300, False), (float("nan"), False)]
)
def test_boxes_far_outside_the_picture_are_not_boxes(right, is_fit) -> None:
    np = pytest.importorskip("numpy")
    box = (min(right, 0.0) - 1 if right < 0 else 0.0, 0.0, right, 4.0)
    item = {"sign_class": "DangerAhead", "confidence": 0.5, "box": box}
    cage: Any = Cage({"items": [item]})
    eyes = SandboxedDetector(cage)
    if is_fit:
        assert len(eyes.detect_image(np.zeros((4, 6, 3), np.uint8), everything=False)) == 1
        return
    with pytest.raises(Failed) as failed:
        eyes.detect_image(np.zeros((4, 6, 3), np.uint8), everything=False)
    assert failed.value.reason is Failure.MODEL_UNFIT


def test_an_order_is_given_when_it_was_asked_for_whatever_it_says() -> None:
    cage: Any = Cage({"order": {"kind": "brake", "reason": "clear", "at": 1e308}})

    assert SandboxedAutopilot(cage).step(None, None, None, 2.5)[1].at == 2.5


def test_a_final_run_whose_owner_is_reset_meanwhile_counts_for_nobody(room, monkeypatch) -> None:
    scores = Scores()
    judge_by(monkeypatch, good)
    hand_in(room, "anna")
    scored(room, scores)

    def judge(submission):
        Records(room.folder).forget("anna", "spring-anna")
        return good(submission)

    judge_by(monkeypatch, judge)

    assert list(score_final(room, scores)) == []
    assert Scores.load(room.folder).marks == {}


def test_a_stop_while_an_autopilot_decides_is_no_failure_of_anyone(monkeypatch, short_feed, tmp_path) -> None:
    class Stopped(Cage):
        def __init__(self, role: str, *_: object) -> None:
            super().__init__({"items": []})
            self.is_autopilot = role == "autopilot"

        def ask(self, message: bytes) -> dict[str, Any]:
            if self.is_autopilot:
                raise Aborted
            return super().ask(message)

    monkeypatch.setattr(submission, "Sandbox", Stopped)
    with pytest.raises(Aborted):
        score(submission.Submission(b"model", b"autopilot"), short_feed, tmp_path)


def test_in_the_final_everybodys_best_drives_once_on_the_other_feed(room, monkeypatch) -> None:
    scores = Scores()
    for points in (80.0, 95.0, 60.0):
        judge_by(monkeypatch, partial(good, score=points))
        hand_in(room, "anna", f"{points}".encode())
        scored(room, scores)
    driven: list[bytes] = []

    def judge(submission):
        driven.append(submission.model)
        return good(submission, 88.0)

    judge_by(monkeypatch, judge)

    assert dict(score_final(room, scores))["anna"].score == 88.0
    assert driven == [b"95.0"] and list(score_final(room, scores)) == []
    marks = Scores.load(room.folder).marks["anna"]
    assert (marks.best_score, marks.tries) == (95.0, 3)
    assert marks.final is not None and marks.final.score == 88.0


def test_who_never_scored_is_not_in_the_final(room, monkeypatch) -> None:
    scores = Scores()
    judge_by(
        monkeypatch,
        lambda submission: SubmissionOutcome(digest=submission.digest, at=NOW, reason=Failure.DIED),
    )
    hand_in(room, "anna")
    scored(room, scores)

    assert list(score_final(room, scores)) == []


def test_without_a_feed_for_the_final_there_is_none(small_room) -> None:
    with pytest.raises(UserError, match="final_feed"):
        list(score_final(small_room, Scores()))


def test_scores_of_an_earlier_version_have_no_tries_yet(tmp_path) -> None:
    last = {"digest": "a", "at": NOW.isoformat(), "score": 50}
    (tmp_path / "scores.json").write_text(json.dumps({"marks": {"anna": {"best_score": 50, "last": last}}}))

    assert Scores.load(tmp_path).marks["anna"] == Marks(
        best_score=50, last=SubmissionOutcome(digest="a", at=NOW, score=50), tries=0
    )


def test_the_command_says_first_what_protects_this_machine(
    in_folder, monkeypatch, short_feed, capsys
) -> None:
    in_folder.joinpath("room.yaml").write_text(f"name: spring\nattendees: 2\nhidden_feed: {short_feed}\n")
    monkeypatch.setattr(scoring, "require_sandbox", lambda *hidden: None)

    assert run(["room", "score"]) == 0
    assert len(capsys.readouterr().err.splitlines()) == 3
