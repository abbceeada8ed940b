"""Without a sandbox: what is rejected before one is opened, and that nothing is scored without one."""

import errno
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

import onnx
import pytest
from handing_in import NOW, hand_in, judge_by
from onnx import helper
from patience import PATIENCE_S

from brakepoint.cli import room as cli_room
from brakepoint.cli import run
from brakepoint.detector import SHIPPED_MODEL
from brakepoint.errors import UserError
from brakepoint.room import kept, parcel, scoring, submission
from brakepoint.room.config import Room, load_room
from brakepoint.room.model_check import check_model
from brakepoint.room.outcomes import Failed, Failure, Scores, SubmissionOutcome
from brakepoint.room.parcel import SUBMISSION_KEY
from brakepoint.room.sandbox import PACKAGE, require_sandbox
from brakepoint.room.scoring import score_room
from brakepoint.room.stores import open_store
from brakepoint.room.submission import Submission, fetch, score
from brakepoint.texts import text


def outcome(points: float, map50: float | None = 0.5, reason: Failure | None = None) -> SubmissionOutcome:
    return SubmissionOutcome(digest=f"{points}{reason}", at=NOW, map50=map50, score=points, reason=reason)


@pytest.mark.parametrize(
    ("model", "autopilot", "reason"),
    [(b"x" * 101, b"", Failure.MODEL_SIZE), (b"", b"x" * 101, Failure.AUTOPILOT_SIZE)],
)
def test_a_huge_file_fails_before_anything_is_opened(
    small_room, monkeypatch, model, autopilot, reason
) -> None:
    monkeypatch.setattr(submission, "MODEL_MAX_BYTES", 100)
    monkeypatch.setattr(submission, "AUTOPILOT_MAX_BYTES", 100)
    monkeypatch.setitem(parcel.LIMITS, SUBMISSION_KEY, 400)
    hand_in(small_room, "anna", model * 50, autopilot * 50)
    fetched = fetch(open_store(small_room), "spring-anna")

    assert fetched is not None
    assert len(fetched.model) + len(fetched.autopilot) < 401, "no more is read than must be"
    result = score(fetched, Path("no-such-feed.mp4"), small_room.folder / "submissions")
    assert (result.reason, result.score) == (reason, 0)
    assert not (small_room.folder / "submissions").exists()


def test_a_submission_is_read_whole_or_not_at_all(small_room) -> None:
    hand_in(small_room, "anna", b"new model", b"new autopilot")
    path = small_room.folder / "store" / "spring-anna" / SUBMISSION_KEY
    whole = path.read_bytes()
    read = fetch(open_store(small_room), "spring-anna")
    assert read == Submission(b"new model", b"new autopilot")

    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError, match="not complete"):
            fetch(open_store(small_room), "spring-anna")


def test_a_submission_of_an_older_kit_is_read_if_there_is_no_other(small_room) -> None:
    store = open_store(small_room)
    store.put("spring-anna", parcel.MODEL_KEY, b"old model")
    store.put("spring-anna", parcel.AUTOPILOT_KEY, b"old autopilot")
    assert fetch(store, "spring-anna") == Submission(b"old model", b"old autopilot")

    hand_in(small_room, "anna")
    assert fetch(store, "spring-anna") == Submission(b"model", b"autopilot")


@pytest.fixture
def judged_room(small_room, monkeypatch, short_feed):
    """A small room in which each submission gets 90, without a sandbox."""
    monkeypatch.setattr(scoring, "require_sandbox", lambda *hidden: None)
    judge_by(monkeypatch, lambda one: SubmissionOutcome(digest=one.digest, at=NOW, score=90))
    return small_room.model_copy(update={"hidden_feed": short_feed})


def test_an_incomplete_submission_holds_nobody_up(judged_room) -> None:
    store, scores = open_store(judged_room), Scores()
    hand_in(judged_room, "bela")
    store.put("spring-anna", SUBMISSION_KEY, b"brakepoint subm")

    with pytest.raises(UserError, match=r"anna\..*not complete"):
        list(score_room(judged_room, store, scores))
    assert set(scores.marks) == {"bela"}


def test_who_handed_nothing_in_is_passed_over(small_room) -> None:
    (small_room.folder / "store" / "spring-anna").mkdir(parents=True)

    assert fetch(open_store(small_room), "spring-anna") is None


@pytest.mark.parametrize("path", ["room/submission/x", "room/model.onnx/x", "room"])
def test_a_folder_or_a_file_in_the_wrong_place_is_not_a_submission(small_room, path) -> None:
    target = small_room.folder / "store" / "spring-anna" / path
    target.parent.mkdir(parents=True)
    target.write_bytes(b"x")

    assert fetch(open_store(small_room), "spring-anna") is None


def test_damaged_scores_are_reported_and_not_overwritten(tmp_path) -> None:
    (tmp_path / "scores.json").write_text("{")

    with pytest.raises(UserError, match=r"scores\.json"):
        Scores.load(tmp_path)


def test_without_a_sandbox_nothing_is_scored(small_room, monkeypatch, short_feed) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    hand_in(small_room, "anna")
    room = small_room.model_copy(update={"hidden_feed": short_feed})
    scores = Scores()

    with pytest.raises(UserError, match="no sandbox"):
        list(score_room(room, open_store(room), scores))
    assert not scores.marks and not (room.folder / "scores.json").exists()


def test_without_a_hidden_feed_nothing_is_scored(in_folder, capsys) -> None:
    in_folder.joinpath("room.yaml").write_text("name: spring\nattendees: 2\n")

    assert run(["room", "score"]) == 2
    assert "hidden_feed" in capsys.readouterr().err


def test_a_hidden_feed_where_everybody_inside_would_see_it_is_refused() -> None:
    with pytest.raises(UserError, match="Move the hidden feed"):
        require_sandbox(PACKAGE / "hidden.mp4")


def test_only_what_is_new_is_scored(judged_room) -> None:
    store, scores = open_store(judged_room), Scores()
    hand_in(judged_room, "anna")
    assert [handle for handle, _ in score_room(judged_room, store, scores)] == ["anna"]
    assert list(score_room(judged_room, store, Scores.load(judged_room.folder))) == []

    hand_in(judged_room, "anna", autopilot=b"another")
    assert [handle for handle, _ in score_room(judged_room, store, scores)] == ["anna"]


def test_that_there_is_nothing_to_score_is_said(in_folder, monkeypatch, short_feed, capsys) -> None:
    in_folder.joinpath("room.yaml").write_text(f"name: spring\nattendees: 2\nhidden_feed: {short_feed}\n")
    monkeypatch.setattr(scoring, "require_sandbox", lambda *hidden: None)

    assert run(["room", "score"]) == 0
    assert capsys.readouterr().out == f"{text('room.nothing_new')}\n"


def test_each_outcome_is_reported_in_a_line(in_folder, monkeypatch, short_feed, capsys) -> None:
    in_folder.joinpath("room.yaml").write_text(f"name: spring\nattendees: 2\nhidden_feed: {short_feed}\n")
    room = load_room(in_folder / "room.yaml")
    monkeypatch.setattr(scoring, "require_sandbox", lambda *hidden: None)
    results = {b"good": outcome(97.5, 0.81), b"bad": outcome(0, None, Failure.NETWORK)}

    judge_by(monkeypatch, lambda submission: results[submission.model])
    hand_in(room, "seat-01", b"good")
    hand_in(room, "seat-02", b"bad")

    assert run(["room", "score"]) == 0
    assert sorted(capsys.readouterr().out.splitlines()) == [
        "seat-01: score 97.5, mAP50 0.81",
        "seat-02: failed. The autopilot tried to use the network ().",
    ]


def test_the_best_counts_and_the_last_is_reported(tmp_path) -> None:
    scores = Scores()
    scores.add("anna", outcome(80, 0.7), tmp_path)
    scores.add("anna", outcome(95, 0.6), tmp_path)
    scores.add("anna", outcome(0, None, Failure.NETWORK), tmp_path)
    marks = Scores.load(tmp_path).marks["anna"]

    assert (marks.best_score, marks.best_map50) == (95, 0.7)
    assert marks.last.reason is Failure.NETWORK


def test_who_only_ever_failed_has_no_score(tmp_path) -> None:
    scores = Scores()
    scores.add("anna", outcome(0, 0.4, Failure.RAISED), tmp_path)

    assert scores.marks["anna"].best_score is None


@pytest.mark.parametrize("reason", Failure)
def test_each_reason_is_reported_in_both_languages(reason) -> None:
    failed = SubmissionOutcome(digest="", at=NOW, reason=reason, detail="{braces} stay")

    assert failed.words("en") != failed.words("fr")


def test_the_shipped_model_passes_the_look_inside() -> None:
    check_model(SHIPPED_MODEL)


def saved(path: Path, node: onnx.NodeProto, **parts: Any) -> Path:
    """A model of one node, and whatever else it brings."""
    graph = helper.make_graph([node], "one", [], [], **parts)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


@pytest.mark.parametrize(
    ("node", "named"),
    [
        (helper.make_node("Loop", ["n"], ["y"]), "Loop"),
        (helper.make_node("If", ["c"], ["y"]), "If"),
        (helper.make_node("Relu", ["x"], ["y"], domain="of.somebody"), "Relu"),
    ],
    ids=["a loop", "a branch", "an operator of another domain"],
)
def test_an_operator_that_no_plain_network_needs_is_refused_by_name(tmp_path, node, named) -> None:
    with pytest.raises(Failed) as caught:
        check_model(saved(tmp_path / "model.onnx", node))

    assert (caught.value.reason, caught.value.detail) == (Failure.MODEL_OPERATORS, named)


@pytest.mark.parametrize("domain", ["", "ai.onnx"])
def test_an_operator_of_the_standard_is_let_in(tmp_path, domain) -> None:
    check_model(saved(tmp_path / "model.onnx", helper.make_node("Relu", ["x"], ["y"], domain=domain)))


def test_a_function_of_its_own_is_refused_whatever_it_is_made_of(tmp_path) -> None:
    path = saved(tmp_path / "model.onnx", helper.make_node("Relu", ["x"], ["y"]))
    model, opsets = onnx.load(path), [helper.make_opsetid("", 17)]
    inside = helper.make_node("Relu", ["x"], ["y"])
    model.functions.append(helper.make_function("of.somebody", "Mine", ["x"], ["y"], [inside], opsets))
    onnx.save(model, path)

    with pytest.raises(Failed) as caught:
        check_model(path)

    assert (caught.value.reason, caught.value.detail) == (Failure.MODEL_OPERATORS, "Mine")


def outside(*, located: bool = True) -> onnx.TensorProto:
    """A tensor whose values are in another file, or that only names that file."""
    tensor = helper.make_tensor("w", onnx.TensorProto.FLOAT, [1], [1.0])
    if located:
        tensor.data_location = onnx.TensorProto.EXTERNAL
    else:
        tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


RELU = helper.make_node("Relu", ["w"], ["y"])
OUTSIDE = {
    "among the weights": (RELU, {"initializer": [outside()]}),
    "named without being located": (RELU, {"initializer": [outside(located=False)]}),
    "in a constant": (helper.make_node("Constant", [], ["y"], value=outside()), {}),
    "in a list of tensors": (helper.make_node("Constant", [], ["y"], values=[outside()]), {}),
    "in a filling": (helper.make_node("ConstantOfShape", ["w"], ["y"], value=outside()), {}),
    "among the sparse weights": (
        RELU,
        {
            "sparse_initializer": [
                helper.make_sparse_tensor(outside(), helper.make_tensor("i", 7, [1], [0]), [1])
            ]
        },
    ),
    "in a graph of a node": (
        helper.make_node("Relu", ["w"], ["y"], body=helper.make_graph([], "in", [], [], [outside()])),
        {},
    ),
}


@pytest.mark.parametrize("where", OUTSIDE)
def test_values_outside_the_file_are_refused_wherever_they_are(tmp_path, where) -> None:
    node, parts = OUTSIDE[where]

    with pytest.raises(Failed) as caught:
        check_model(saved(tmp_path / "model.onnx", node, **parts))

    assert (caught.value.reason, caught.value.detail) == (Failure.MODEL_OPERATORS, "external data")


def test_a_file_that_is_not_a_model_is_refused(tmp_path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")

    with pytest.raises(Failed) as caught:
        check_model(tmp_path / "model.onnx")

    assert caught.value.reason is Failure.MODEL_UNFIT


@contextmanager
def full_disk() -> Iterator[None]:
    """Refuses any further write to the files of a room."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "write", no_space)
        yield


def no_space(*what: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_scores_that_a_full_disk_does_not_take_are_written_with_the_next(tmp_path) -> None:
    scores = Scores()
    scores.add("anna", outcome(80), tmp_path)
    with full_disk():
        for handle, final in (("anna", True), ("bela", False)):
            with pytest.raises(OSError):
                scores.add(handle, outcome(60), tmp_path, final)
        with pytest.raises(OSError):
            scores.catch_up(tmp_path)
        assert set(Scores.load(tmp_path).marks) == {"anna"}, "what was there before stays"

    scores.catch_up(tmp_path)
    scores.catch_up(tmp_path)

    written = Scores.load(tmp_path).marks
    assert (written["anna"].score, written["bela"].score) == (60, 60)
    assert [marks.tries for marks in written.values()] == [1, 1], "each is taken in once"
    assert scores.marks == written


def test_a_final_counts_for_nobody_who_was_never_scored(tmp_path) -> None:
    scores = Scores()
    scores.add("anna", outcome(80), tmp_path, final=True)

    assert Scores.load(tmp_path).marks == {}


@pytest.fixture
def two_handed_in(in_folder, monkeypatch, short_feed) -> Room:
    in_folder.joinpath("room.yaml").write_text(f"name: spring\nattendees: 2\nhidden_feed: {short_feed}\n")
    monkeypatch.setattr(scoring, "require_sandbox", lambda *hidden: None)
    judge_by(monkeypatch, lambda one: outcome(70).model_copy(update={"digest": one.digest}))
    room = load_room(in_folder / "room.yaml")
    for handle in room.everybody:
        hand_in(room, handle)
    return room


def test_who_breaks_the_scoring_off_ends_what_is_being_scored_too(two_handed_in, monkeypatch) -> None:
    judged: list[bool] = []
    stopping = threading.Event()

    def judge(submission: Submission) -> SubmissionOutcome:
        judged.append(not judged or stopping.wait(PATIENCE_S))
        return outcome(70).model_copy(update={"digest": submission.digest})

    judge_by(monkeypatch, judge)
    monkeypatch.setattr(scoring, "available_cores", lambda: 1 - scoring.SPARE_PLACES)
    store = open_store(two_handed_in)
    scored: Any = score_room(two_handed_in, store, Scores(), stopping)

    next(scored)
    scored.close()

    assert stopping.is_set()
    assert all(judged)


@pytest.mark.parametrize("arguments", [[], ["--final"]])
def test_while_one_command_scores_a_room_no_other_does(two_handed_in, monkeypatch, capsys, arguments) -> None:
    """Each would count a try of every submission, and write its files while the other reads them."""
    monkeypatch.setattr(scoring, "_hidden", lambda *_: Path("hidden.mp4"))
    with closing(cast(Any, score_room(two_handed_in, open_store(two_handed_in), Scores()))) as scored:
        next(scored)
        assert run(["room", "score", *arguments]) == 2

    said = capsys.readouterr().err.splitlines()
    assert said[-1] == text("room.error.scoring", "en", room=two_handed_in.name)
    assert run(["room", "score", *arguments]) == 0


def test_a_full_disk_is_reported_once_all_are_scored(two_handed_in, capsys) -> None:
    with full_disk():
        assert run(["room", "score"]) == 2

    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 2, "everybody's outcome is told"
    assert said.err.splitlines()[-1] == text("room.error.disk", "en", why="No space left on device")
    assert run(["room", "score"]) == 0
    assert set(Scores.load(two_handed_in.folder).marks) == {"seat-01", "seat-02"}


def test_a_watch_outlives_a_full_disk_on_which_its_own_words_go_and_scores_nothing_twice(
    two_handed_in, monkeypatch
) -> None:
    written: list[int] = []
    said: list[str] = []
    write = kept.write

    class Stopping(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            written.append(len(Scores.load(two_handed_in.folder).marks))
            if len(written) == 2:
                monkeypatch.setattr(kept, "write", write)
            return len(written) >= 4

    def say(line: str, err: bool = False) -> None:
        said.append(line)
        no_space()

    monkeypatch.setattr(cli_room, "stop_event", lambda **_: Stopping())
    monkeypatch.setattr(kept, "write", no_space)
    monkeypatch.setattr(cli_room.typer, "echo", say)

    assert run(["room", "score", "--watch"]) == 0
    assert written == [0, 0, 2, 2]
    assert [line.split(":")[0] for line in said].count("seat-01") == 1
    assert said.count(text("room.error.disk", "en", why="No space left on device")) == 2


@pytest.mark.parametrize(
    ("lang", "score", "line"),
    [
        ("fr", 72.5, "anna : score 72,5, mAP50 0,81"),
        ("fr", 100.0, "anna : score 100, mAP50 0,81"),
        ("en", 99.7333, "anna: score 99.7, mAP50 0.81"),
    ],
)
def test_a_score_is_told_in_the_numbers_of_the_readers_language(
    monkeypatch, capsys, lang, score, line
) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", lang)
    cli_room.tell_outcome(("anna", outcome(score).model_copy(update={"map50": 0.81234})))

    assert capsys.readouterr().out == f"{line}\n"
