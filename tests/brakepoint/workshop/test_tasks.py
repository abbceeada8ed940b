"""A task states what is required, and not how; its hints explain how, each more than the previous one."""

import ast
import re
import textwrap

import pytest

pytest.importorskip("boto3")

from brakepoint.cli.workshop import HINTS
from brakepoint.course import Step, course
from brakepoint.texts import languages, text
from brakepoint.workshop.labs import lab_text, part_with, solved

each_task = pytest.mark.parametrize(
    ("step", "exercise", "lang"),
    [(step, exercise, lang) for step in course() for exercise in step.exercises for lang in languages()],
    ids=lambda value: getattr(value, "name", value),
)
WORD = re.compile(r"[\w-]+")
WORD_OR_SIGN = re.compile(r"[\w-]+|[<>=+*/|]+")
YAML_KEY = re.compile(r"([\w-]+):(?: |$)", re.MULTILINE)
COMMENT = re.compile(r"^ *#.*$", re.MULTILINE)
ALLOWED = {
    "StoredObject": "what the result is made of",
    "Label": "what the result is made of",
    "Detection": "what the result is made of",
    "tuple": "what the result is made of",
    "UserError": "the error to raise",
    "InvalidInput": "the error to raise",
    "NO_FRAMES": "an answer that is asked for",
    "FROZEN_FRAMES": "an answer that is asked for",
    "NoSchedule": "which taint there is on the nodes",
    "effect": "which taint there is on the nodes",
    "comparison": "an English word",
    "confidence": "an English word",
    "key": "an English word",
    "photograph": "an English word",
    "port": "an English word",
    "publish": "the protocol's own word",
    "subscribe": "the protocol's own word",
    "stop": "an English word",
}
"""Names of a solution that its task may say, and why."""


def names(step: Step, exercise: str) -> set[str]:
    """Every word and operator in the solution of a gap."""
    return set(WORD_OR_SIGN.findall(solved(step)[exercise]))


def called(step: Step, exercise: str) -> set[str]:
    """The functions that the solution of a gap calls."""
    if step.files:
        return set()
    lines = textwrap.indent(textwrap.dedent(solved(step)[exercise]), " ")
    calls = [node.func for node in ast.walk(ast.parse(f"def gap():\n{lines}")) if isinstance(node, ast.Call)]
    return {call.attr if isinstance(call, ast.Attribute) else ast.unparse(call) for call in calls}


def in_the_gap_alone(step: Step, exercise: str) -> set[str]:
    """The names of a solution, or its keys in YAML, that an attendee finds nowhere else in the file."""
    lab = COMMENT.sub("", lab_text(step, part_with(step, exercise)))
    return set((YAML_KEY if step.files else WORD).findall(solved(step)[exercise])) - set(WORD.findall(lab))


def words(step: Step, exercise: str, part: str, lang: str) -> set[str]:
    return set(WORD_OR_SIGN.findall(text(f"lab.{step.name}.{exercise}.{part}", lang)))


def told(step: Step, exercise: str, lang: str) -> set[str]:
    """The names of its solution that a task gives away."""
    secret = called(step, exercise) | in_the_gap_alone(step, exercise)
    return secret & words(step, exercise, "todo", lang)


@each_task
def test_a_task_does_not_say_how(step: Step, exercise: str, lang: str) -> None:
    assert told(step, exercise, lang) <= ALLOWED.keys()


def test_nothing_is_allowed_that_no_task_says() -> None:
    every = [
        (step, exercise, lang) for step in course() for exercise in step.exercises for lang in languages()
    ]

    assert set().union(*(told(*task) for task in every)) == ALLOWED.keys()


@each_task
def test_each_hint_says_something_more_of_the_solution(step: Step, exercise: str, lang: str) -> None:
    solution = names(step, exercise)
    first, *later = (words(step, exercise, f"hint{number}", lang) for number in range(1, HINTS + 1))

    so_far = solution & first
    for hint in later:
        assert solution & hint - so_far
        so_far |= solution & hint
    assert len(so_far) > len(solution & words(step, exercise, "todo", lang))


@each_task
def test_no_hint_is_the_whole_solution(step: Step, exercise: str, lang: str) -> None:
    solution = "".join(solved(step)[exercise].split()).removeprefix("return")

    for number in range(1, HINTS + 1):
        hint = text(f"lab.{step.name}.{exercise}.hint{number}", lang)
        assert solution not in re.sub(r"\s|/(?=\s)", "", hint)
