"""Helpers with which the checks of several steps examine answers."""

import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np


def kind(answer: object) -> str:
    """The name of an answer's type."""
    return "None" if answer is None else type(answer).__name__


def numbers(answer: Any, count: int) -> tuple[float, ...] | None:
    """An answer as this many finite numbers; None if the answer is something else."""
    try:
        parts = tuple(answer)
        found = tuple(float(part) for part in parts)
    except (TypeError, ValueError):
        return None
    are_numbers = not any(isinstance(part, str) for part in parts)
    return found if are_numbers and len(found) == count and all(map(math.isfinite, found)) else None


def not_decisions(answers: list[object]) -> str | None:
    """The type of answers that should be yes, if they are neither yes nor no; None otherwise.

    A function that ends without `return` answers no, but a function that always ends like this has no answer.
    """
    kinds = [kind(answer) for answer in answers if not isinstance(answer, int | np.bool_)]
    others = [name for name in kinds if name != "None"] or (kinds if len(kinds) == len(answers) else [])
    return others[0] if others else None


@contextmanager
def replaced(lab: Any, **stand_ins: Any) -> Iterator[None]:
    """Replaces some functions of the attendee's module with substitutes for the duration of the context."""
    originals = {name: getattr(lab, name) for name in stand_ins}
    vars(lab).update(stand_ins)
    try:
        yield
    finally:
        vars(lab).update(originals)


@dataclass
class Touched:
    """What happened to files, in order.

    Attributes:
        written: Paths that were opened for writing.
        renamed: Old and new path of each file that was renamed.
    """

    written: list[Path] = field(default_factory=list)
    renamed: list[tuple[Path, Path]] = field(default_factory=list)


@contextmanager
def touched_files() -> Iterator[Touched]:
    """Records which files any Python function writes and renames while the context lasts."""
    touched = Touched()
    _watchers().append(touched)
    try:
        yield touched
    finally:
        _watchers().remove(touched)


@cache
def _watchers() -> list[Touched]:
    """The active watchers, which share one audit hook: Python keeps a hook until the process ends."""
    watchers: list[Touched] = []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not watchers:
            return
        if event == "os.rename":
            moved = Path(os.fsdecode(arguments[0])).absolute(), Path(os.fsdecode(arguments[1])).absolute()
            watchers[-1].renamed.append(moved)
        elif event == "open" and isinstance(arguments[0], str | bytes) and arguments[2] & _WRITING:
            watchers[-1].written.append(Path(os.fsdecode(arguments[0])).absolute())

    sys.addaudithook(hook)
    return watchers


_WRITING = os.O_WRONLY | os.O_RDWR
