"""`python -m answers`: breaks every solution in every small way, and tries right answers in other styles.

For each exercise: the number of mutants, how many its check rejects, and how many are equivalent (listed with
the reason in `equivalent.toml`); and how many of the styles pass.
"""

import importlib
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from answers.catalogues import equivalents, styles
from answers.trials import attempt_apart, mutations_of
from brakepoint.course import Step, course

console = Console(highlight=False)


def main(
    steps: Annotated[list[str] | None, typer.Argument(help="Numbers of steps; all by default.")] = None,
) -> None:
    """Do the checks refuse what is wrong, and nothing else?"""
    chosen = [step for step in course() if not steps or str(step.number) in steps]
    table = Table("exercise", "mutants", "refused", "equivalent", "styles", "pass", box=None)
    faults: list[str] = []
    for step in chosen:
        load_libraries(step)
        for exercise in track(step.exercises, f"Step {step.number}", console=console, transient=True):
            row, found = proof(step, exercise)
            table.add_row(f"{step.number} {exercise}", *map(str, row))
            faults += found
    console.print(table)
    for fault in faults:
        console.print(f"[red]{fault}", soft_wrap=True)
    sys.exit(bool(faults))


def load_libraries(step: Step) -> None:
    """Imports here what every answer imports, so that each process of a trial has it when it begins."""
    importlib.import_module(f"brakepoint.workshop.checks.{step.name}")
    if not step.files:
        importlib.import_module(f"solutions.{step.name}")


def proof(step: Step, exercise: str) -> tuple[tuple[int, ...], list[str]]:
    """The figures of one exercise, and the faults of its check."""
    faults: list[str] = []
    refused = equivalent = passing = 0
    mutants, right = mutations_of(step, exercise), styles(step, exercise)
    with tempfile.TemporaryDirectory() as folder:
        for mutation in mutants:
            same = (mutation.before, mutation.after) in equivalents(step, exercise)
            passed = attempt_apart(step, exercise, mutation.code, Path(folder)).passed
            refused, equivalent = refused + (not passed), equivalent + (passed and same)
            if same and not passed:
                faults.append(f"{step.number} {exercise}: listed as equivalent, and refused: {mutation}")
            if passed and not same:
                faults.append(f"{step.number} {exercise}: passes, and is wrong: {mutation}")
        for name, code in right.items():
            trial = attempt_apart(step, exercise, code, Path(folder))
            passing += trial.passed
            if not trial.passed:
                faults.append(f"{step.number} {exercise}: {name} is right, and refused: {trial.message}")
    return (len(mutants), refused, equivalent, len(right), passing), faults


if __name__ == "__main__":
    typer.run(main)
