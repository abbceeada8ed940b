"""Checks reject broken solutions and accept right answers in other styles.

Here a sample of them is tried; `make workshop-check` tries all of them.
"""

import random

import pytest

pytest.importorskip("kfp")

from answers.catalogues import equivalents, styles
from answers.mutations import mutations
from answers.trials import attempt, mutations_of

from brakepoint.course import Step, course

EXERCISES = [(step, exercise) for step in course() for exercise in step.exercises]
STYLES_LEAST, MUTANTS_LEAST = 5, 15

each_exercise = pytest.mark.parametrize(
    ("step", "exercise"), EXERCISES, ids=lambda value: getattr(value, "name", value)
)


@each_exercise
def test_a_broken_solution_is_refused(step: Step, exercise: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)  # A broken download writes wherever it is.
    same = equivalents(step, exercise)
    wrong = [each for each in mutations_of(step, exercise) if (each.before, each.after) not in same]
    mutation = random.Random(f"{step.name} {exercise}").choice(wrong)

    assert not attempt(step, exercise, mutation.code).passed, str(mutation)


@each_exercise
def test_a_right_answer_in_another_style_is_accepted(
    step: Step, exercise: str, tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name, code = random.Random(f"{step.name} {exercise}").choice(sorted(styles(step, exercise).items()))

    verdict = attempt(step, exercise, code)

    assert verdict.passed, f"{name}: {verdict.message}"


@each_exercise
def test_there_are_enough_of_both(step: Step, exercise: str) -> None:
    assert len(styles(step, exercise)) >= STYLES_LEAST
    assert len(mutations_of(step, exercise)) >= MUTANTS_LEAST


@each_exercise
def test_what_is_listed_as_equivalent_is_still_a_mutant(step: Step, exercise: str) -> None:
    known = {(mutation.before, mutation.after) for mutation in mutations_of(step, exercise)}

    assert equivalents(step, exercise).keys() <= known


def test_each_kind_of_mistake_is_made() -> None:
    code = (
        "found = [item for item in items if item.size <= LIMIT and max(item.a, 2)]\nreturn sorted(found)[0]"
    )
    made = {mutation.after for mutation in mutations(code)}

    assert {
        "found = [item for item in items if item.size < LIMIT and max(item.a, 2)]",
        "found = [item for item in items if item.size <= LIMIT * 2 and max(item.a, 2)]",
        "found = [item for item in items if item.size <= LIMIT or max(item.a, 2)]",
        "found = [item for item in items if item.size <= LIMIT and max(item.a, 3)]",
        "found = [item for item in items if item.a <= LIMIT and max(item.a, 2)]",
        "found = [item for item in items if item.size <= LIMIT and min(item.a, 2)]",
        "found = [item for item in items]",
        "found = [item for item in list(items)[1:] if item.size <= LIMIT and max(item.a, 2)]",
        "return set(found)[0]",
        "return sorted(found)[-1]",
        "return None",
    } <= made
