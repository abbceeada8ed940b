"""Gives a check an answer, and reports the verdict."""

import json
import os
import signal
import tempfile
import textwrap
from dataclasses import dataclass
from pathlib import Path

from answers.mutations import Mutation, mutations, yaml_mutations
from brakepoint.course import Step
from brakepoint.workshop.examination import examine_exercise, load
from brakepoint.workshop.labs import filled, solved
from brakepoint.workshop.verdicts import Verdict

LIMIT_S = 60
"""A check that takes longer is ended, as it would be for an attendee."""
ENDED = "check.too_long"


@dataclass(frozen=True)
class Trial:
    """A check's verdict on an answer.

    Attributes:
        passed: Whether it let it pass.
        key: Of its message.
        message: In the reader's language.
    """

    passed: bool
    key: str
    message: str


def mutations_of(step: Step, exercise: str) -> list[Mutation]:
    """Every mutation of an exercise's solution."""
    code = textwrap.dedent(solved(step)[exercise]).strip("\n")
    return yaml_mutations(code) if step.files else mutations(code)


def attempt(step: Step, exercise: str, code: str) -> Verdict:
    """Puts an answer into the solution, and checks its exercise alone.

    Args:
        step: The step.
        exercise: One of its exercises.
        code: The lines of its gap.
    """
    with tempfile.TemporaryDirectory() as folder:
        answers = {**solved(step), exercise: code}
        for part in step.parts:
            file = Path(folder, part)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(filled(step, answers, part), encoding="utf-8")
        path = Path(folder, step.lab.name)
        try:
            module = load(path, step)
        except Exception as error:
            return Verdict(exercise=exercise, key="check.said", values={"message": repr(error)})
        return examine_exercise(exercise, module, step, path)


def attempt_apart(step: Step, exercise: str, code: str, folder: Path) -> Trial:
    """The same in a separate process, which is killed after `LIMIT_S` and prints nothing.

    Args:
        step: The step.
        exercise: One of its exercises.
        code: The lines of its gap.
        folder: Where a broken answer may leave files.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(LIMIT_S)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os.chdir(tempfile.mkdtemp(dir=folder))
        verdict = attempt(step, exercise, code)
        os.write(writer, json.dumps([verdict.passed, verdict.key, verdict.message]).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return Trial(*json.loads(said)) if said else Trial(False, ENDED, "")
