"""What the checks of several steps look at an answer with."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def kind(answer: object) -> str:
    """What an answer is, as Python calls it."""
    return "None" if answer is None else type(answer).__name__


def numbers(answer: Any, count: int) -> tuple[float, ...] | None:
    """An answer as so many numbers; None if it is something else."""
    try:
        found = tuple(float(part) for part in answer)
    except (TypeError, ValueError):
        return None
    return found if len(found) == count else None


@contextmanager
def replaced(lab: Any, **stand_ins: Any) -> Iterator[None]:
    """Puts stand-ins in the place of some functions of the attendee's module, and takes them away again."""
    originals = {name: getattr(lab, name) for name in stand_ins}
    vars(lab).update(stand_ins)
    try:
        yield
    finally:
        vars(lab).update(originals)
