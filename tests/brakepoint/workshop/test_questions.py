"""The open question of each step: measured with the learner's code, recorded, and without a right answer."""

from pathlib import Path

import pytest

pytest.importorskip("boto3")

from brakepoint.cli import run
from brakepoint.cli.workshop import explore
from brakepoint.course import Step, course, find_step
from brakepoint.errors import UserError
from brakepoint.evaluation import Examined
from brakepoint.evaluation.mean_average_precision import match_picture
from brakepoint.messages import Detection, SignClass
from brakepoint.texts import languages, text
from brakepoint.workshop import progress, questions
from brakepoint.workshop.progress import Attempt, Progress
from brakepoint.workshop.questions import QUESTIONS, Question, attempt, unbeaten
from brakepoint.workshop.quick import QUICK_VARIABLE

FAST = ("step4_pipeline", "step6_autopilot")
"""Whose measure takes no pictures; the notebooks ask every question."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv(QUICK_VARIABLE, "1")
    monkeypatch.setattr(progress, "PROGRESS_PATH", tmp_path / "progress.json")


def tried(choice: float, **figures: float) -> Attempt:
    return Attempt(choice=choice, figures=figures)


def test_every_step_has_a_question_in_every_language() -> None:
    assert list(QUESTIONS) == [step.name for step in course()]
    for step, question in zip(course(), QUESTIONS.values(), strict=True):
        assert question.least < question.most
        assert len(question.more + question.less) == 2
        for lang in languages():
            assert text(f"question.{step.name}.ask", lang).count("?") >= 1


def test_an_attempt_is_unbeaten_unless_another_is_better_and_nowhere_worse() -> None:
    question = Question(0, 1, ("found",), ("alarms",), lambda lab, choice: {})
    bold, careful = tried(0.1, found=9, alarms=5), tried(0.9, found=4, alarms=0)
    worse_than_bold, same = tried(0.2, found=9, alarms=6), tried(0.8, found=4, alarms=0)
    less_found = tried(0.3, found=8, alarms=5)

    assert unbeaten(question, [bold, careful]) == [bold, careful]
    assert unbeaten(question, [worse_than_bold, bold, less_found]) == [bold]
    assert unbeaten(question, [careful, same]) == [careful, same]
    assert unbeaten(question, []) == []


@pytest.mark.parametrize("name", FAST)
def test_what_is_gained_in_one_figure_is_lost_in_another(name: str) -> None:
    question, step = QUESTIONS[name], find_step(name)
    low, high = (attempt(step, choice, "solutions") for choice in (question.least, min(question.most, 0.95)))

    assert low.figures.keys() == high.figures.keys() >= set(question.more + question.less)
    assert unbeaten(question, [low, high]) == [low, high]


def test_what_is_kept_for_the_examination_is_lost_for_the_training(tmp_path, monkeypatch) -> None:
    truth = Detection(sign_class=SignClass.DANGER_AHEAD, confidence=1, box=(10, 10, 30, 30))

    def examine(folder: Path, detector: object) -> list[Examined]:
        """Ten scenes; the sign is found in every other one."""
        shown = [(), (truth,)] * 5
        numbers = range(7) if folder.name == "train" else range(7, 10)
        return [
            Examined(
                Path(f"still-{number:04d}-0.jpg"),
                (truth,),
                shown[number],
                match_picture(shown[number], [truth]),
            )
            for number in numbers
        ]

    monkeypatch.setattr(questions, "outcome_of", lambda number: tmp_path)
    monkeypatch.setattr(questions, "Detector", lambda path: None)
    monkeypatch.setattr(questions, "examine", examine)
    small, large = (attempt(find_step("1"), share, "solutions").figures for share in (0.1, 0.4))

    assert (small["lessons"], large["lessons"]) == (9, 6)
    assert small["luck"] == pytest.approx(50, abs=1) and 0 < large["luck"] < 50


def test_a_choice_lies_within_its_range() -> None:
    gate = find_step("4")
    for choice in (-0.001, 0.201, float("nan")):
        with pytest.raises(UserError, match=r"from 0 to 0\.2"):
            attempt(gate, choice, "solutions")
    assert attempt(gate, 0.2, "solutions").figures["refused"] == 0


@pytest.mark.parametrize("typed", ["0.1", "0,1"])
def test_a_number_is_read_with_a_point_or_a_comma(typed, capsys) -> None:
    explore(find_step("4"), typed, "solutions")

    assert "0.1" in capsys.readouterr().out
    assert not progress.PROGRESS_PATH.exists(), "only what the learner's own code did is kept"


@pytest.mark.parametrize("typed", ["much", "0.1 0.2", "0,1,2"])
def test_what_is_not_a_number_is_answered_with_the_range(typed) -> None:
    with pytest.raises(UserError, match=r"from 0 to 0\.2"):
        explore(find_step("4"), typed, "solutions")


def test_a_step_that_is_not_written_yet_is_reported_without_a_traceback(capsys) -> None:
    assert run(["explore", "4", "0.01"]) == 2

    assert "brakepoint check 4" in capsys.readouterr().err
    assert Progress.load(progress.PROGRESS_PATH).of(find_step("4")).attempts == []


@pytest.fixture
def filled_gate(monkeypatch) -> Step:
    """The learner has done step 4."""
    from solutions import step4_pipeline

    monkeypatch.setattr("brakepoint.workshop.questions.load_step", lambda name, source: step4_pipeline)
    return find_step("4")


def test_attempts_are_kept_and_shown_with_those_that_none_beats(filled_gate, capsys) -> None:
    assert run(["explore", "4"]) == 0
    assert "would you rather refuse" in " ".join(capsys.readouterr().out.split())

    for choice in ("0.01", "0.05", "0.01"):
        assert run(["explore", "4", choice]) == 0
    shown = capsys.readouterr().out.split("tolerance")[-1]

    kept = Progress.load(progress.PROGRESS_PATH).of(filled_gate).attempts
    assert sorted(one.choice for one in kept) == [0.01, 0.05]
    assert shown.index("0.01") < shown.index("0.05")
    assert shown.count("★") == 3  # Two attempts, and what the star means.
    assert "brakepoint explore 4 NUMBER, from 0 to 0.2" in " ".join(shown.split())


def test_a_check_that_runs_during_an_attempt_is_not_lost(filled_gate, monkeypatch) -> None:
    def attempt_during_a_check(step: Step, choice: float, source: str) -> Attempt:
        there = Progress.load()
        there.of(find_step("3")).done = ["threshold"]
        there.save()
        return attempt(step, choice, source)

    monkeypatch.setattr(questions, "attempt", attempt_during_a_check)

    assert run(["explore", "4", "0.01"]) == 0

    kept = Progress.load()
    assert kept.of(find_step("3")).done == ["threshold"]
    assert [one.choice for one in kept.of(filled_gate).attempts] == [0.01]


def test_another_s_attempts_in_a_progress_file_of_before_are_none(tmp_path) -> None:
    (tmp_path / "old.json").write_text('{"steps": {"step4_pipeline": {"done": ["gate"]}}}')

    assert Progress.load(tmp_path / "old.json").of(find_step("4")).attempts == []
