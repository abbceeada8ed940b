"""The three proofs: solutions pass, untouched labs fail as expected, wrong answers get their own message.

The second is tested for each exercise: a lab filled up to there passes so far and fails at the next gap.
"""

import re
import shutil
import tomllib
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("boto3")

from answers.trials import attempt

from brakepoint.course import LABS_DIR, SOLUTIONS_DIR, Step, course, find_step
from brakepoint.texts import catalogue
from brakepoint.workshop import wire
from brakepoint.workshop.examination import examine
from brakepoint.workshop.labs import filled, lab_text, solved
from brakepoint.workshop.verdicts import Verdict

ANSWERS = [
    answer
    for file in sorted(Path(__file__).parent.glob("wrong_answers_*.toml"))
    for answer in tomllib.loads(file.read_text("utf-8"))["answer"]
]
WRONG_LEAST = 4
"""Wrong answers an exercise."""
EXERCISES = [(step, exercise) for step in course() for exercise in step.exercises]


def examined(step: Step, code: dict[str, str], folder: Path) -> list[Verdict]:
    for part in step.parts:
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        (folder / part).write_text(filled(step, code, part), "utf-8")
    return list(examine(step, folder / step.lab.name))


@pytest.mark.parametrize("step", course(), ids=lambda step: step.name)
def test_the_solution_passes(step: Step) -> None:
    verdicts = list(examine(step, step.solution))

    assert [(verdict.exercise, verdict.message) for verdict in verdicts] == [(e, "") for e in step.exercises]


@pytest.mark.parametrize(("step", "exercise"), EXERCISES, ids=lambda value: getattr(value, "name", value))
def test_a_lab_filled_so_far_fails_at_the_next_gap(step: Step, exercise: str, tmp_path: Path) -> None:
    so_far = step.exercises[: step.exercises.index(exercise)]
    code = {name: lines for name, lines in solved(step).items() if name in so_far}

    *passed, failed = examined(step, code, tmp_path)

    assert [verdict.exercise for verdict in passed if verdict.passed] == list(so_far)
    assert (failed.exercise, failed.passed) == (exercise, False)
    assert failed.key == "check.not_written" or failed.key.startswith(f"check.step{step.number}.{exercise}.")


@pytest.mark.parametrize(
    "answer", ANSWERS, ids=lambda answer: f"{answer['exercise']}: {answer['thought']}".replace(" ", "-")
)
def test_a_wrong_answer_gets_its_own_message(answer: dict, tmp_path: Path, monkeypatch) -> None:
    if answer["message"].endswith(".waits"):
        monkeypatch.setattr(wire, "PATIENCE_S", 0.3)
    step = find_step(answer["step"])
    shown_at = answer.get("shown_at", answer["exercise"])

    if shown_at == answer["exercise"] and not answer.get("whole"):
        failed = attempt(step, shown_at, answer["code"])
    else:
        code = {**solved(step), answer["exercise"]: answer["code"]}
        failed = examined(step, code, tmp_path)[-1]

    assert (failed.exercise, failed.key) == (shown_at, answer["message"])
    assert failed.values == answer.get("values", failed.values)
    assert failed.message


def test_each_exercise_has_wrong_answers() -> None:
    counts = Counter((answer["step"], answer["exercise"]) for answer in ANSWERS)

    assert set(counts) == {(step.name, exercise) for step, exercise in EXERCISES}
    assert {name: count for name, count in counts.items() if count < WRONG_LEAST} == {}


def test_each_message_of_a_step_has_a_wrong_answer_or_a_test() -> None:
    tests = [file.read_text("utf-8") for file in Path(__file__).parent.glob("*.py")]
    tested = {key for test in tests for key in re.findall(r'"(check\.step\d[\w.]*)"', test)}
    messages = {key for key in catalogue() if key.startswith("check.step")}

    assert messages - tested - {answer["message"] for answer in ANSWERS} == set()


def test_an_overlay_without_a_train_gets_its_own_message(tmp_path: Path) -> None:
    lab = shutil.copytree(find_step("7").solution, tmp_path / "lab")
    overlay = lab / "overlay" / "kustomization.yaml"
    stub = "components:\n  - ../../../deploy/components/stub\n"
    overlay.write_text(overlay.read_text("utf-8").replace(stub, ""), "utf-8")

    failed = list(examine(find_step("7"), lab))[-1]

    assert (failed.key, failed.values) == ("check.step7.no_deployment", {"name": "train"})


def test_an_overlay_without_its_own_file_gets_its_own_message(tmp_path: Path) -> None:
    lab = shutil.copytree(find_step("7").solution, tmp_path / "lab")
    (lab / "overlay" / "kustomization.yaml").unlink()

    failed = list(examine(find_step("7"), lab))[-1]

    assert failed.key == "check.step7.not_rendered"


def test_a_build_that_was_renamed_instead_of_copied_gets_its_own_message(tmp_path: Path) -> None:
    lab = shutil.copytree(find_step("7").solution, tmp_path / "lab")
    pipeline = lab / "pipeline" / "pipeline.yaml"
    renamed = pipeline.read_text("utf-8").replace("- name: build-amd64", "- name: build-x86")
    pipeline.write_text(renamed, "utf-8")

    failed = list(examine(find_step("7"), lab))[-1]

    assert (failed.exercise, failed.key) == ("build", "check.step7.build.no_amd64")


def test_env_with_nothing_below_it_is_an_exercise_that_is_not_written(tmp_path: Path) -> None:
    lab = shutil.copytree(find_step("7").solution, tmp_path / "lab")
    overlay = lab / "overlay" / "kustomization.yaml"
    before, _, rest = overlay.read_text("utf-8").partition("                  # lab: page\n")
    overlay.write_text(before + rest.partition("# instead: []\n")[2], "utf-8")

    failed = list(examine(find_step("7"), lab))[-1]

    assert (failed.exercise, failed.key) == ("page", "check.not_written")


def test_the_course_fits_the_solutions() -> None:
    for step in course():
        assert sorted(solved(step)) == sorted(step.exercises)
        assert all(1 <= len(lines.splitlines()) <= 15 for lines in solved(step).values())
        for exercise in step.exercises:
            for name in ("title", "todo", "hint1", "hint2", "hint3"):
                assert f"lab.{step.name}.{exercise}.{name}" in catalogue()


def test_the_labs_are_those_that_the_solutions_make() -> None:
    files = [(step, part) for step in course() for part in step.parts]
    for step, part in files:
        assert (LABS_DIR / part).read_text("utf-8") == lab_text(step, part), "run make labs"
        assert "# instead:" not in lab_text(step, part)
        assert "# lab:" not in lab_text(step, part)
    assert SOLUTIONS_DIR.is_dir()
