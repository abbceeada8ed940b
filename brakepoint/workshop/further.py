"""The exercises beyond the core: filled in for attendees who take the core, and opened on demand."""

from collections.abc import Callable, Iterable
from pathlib import Path

from brakepoint.course import Step, Track, chosen_track, course
from brakepoint.files import write_whole
from brakepoint.workshop.labs import closed, reopened
from brakepoint.workshop.progress import Progress, StepProgress


def fill_in_course(track: Track | None = None) -> int:
    """Fills in the exercises that the attendee's track omits, in every step, before an editor opens a file.

    Args:
        track: The track; by default the chosen one.

    Returns:
        How many exercises were filled in.
    """
    progress = Progress.load()
    filled = sum(len(fill_in(step, progress.of(step), track)) for step in course())
    if filled:
        progress.save()
    return filled


def fill_in(step: Step, entry: StepProgress, track: Track | None = None) -> tuple[str, ...]:
    """Fills in the untouched exercises that the attendee's track omits, so that the code runs.

    Args:
        step: The step.
        entry: The attendee's progress in the step, which records the exercises that were filled in.
        track: The track; by default the chosen one.

    Returns:
        The exercises that were filled in.
    """
    if (track or chosen_track()) is not Track.CORE or entry.further:
        return ()
    filled = tuple(name for name in step.further if _change(step, (name,), closed))
    entry.filled += [name for name in filled if name not in entry.filled]
    return filled


def open_up(step: Step, entry: StepProgress) -> tuple[str, ...]:
    """Restores the tasks of exercises that the kit had filled in; from then on the attendee must do them.

    Returns:
        The exercises that were opened.
    """
    opened = tuple(name for name in entry.filled if _change(step, (name,), reopened))
    entry.further, entry.filled = True, []
    return opened


def _change(
    step: Step, exercises: Iterable[str], rewrite: Callable[[Step, Path, str, Iterable[str]], str]
) -> bool:
    """Rewrites the attendee's files, and returns whether anything changed."""
    changed = False
    for part in step.parts:
        path = step.lab.parent / part
        if path.is_file():
            before = path.read_text(encoding="utf-8", errors="surrogateescape")
            if (after := rewrite(step, part, before, exercises)) != before:
                write_whole(path, after.encode(errors="surrogateescape"))
                changed = True
    return changed
