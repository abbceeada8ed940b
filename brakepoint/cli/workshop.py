"""The learning loop: `brakepoint check`, `hint`, `explore`, `watch`, `reset`, `progress` and so on."""

import difflib
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table

from brakepoint.cli.screen import print_table
from brakepoint.course import LABS_DIR, TRACK_VARIABLE, Step, Track, chosen_track, course, find_step
from brakepoint.errors import UserError
from brakepoint.files import put_in_place
from brakepoint.room import in_a_room
from brakepoint.texts import number, text
from brakepoint.workshop.artefacts import install
from brakepoint.workshop.checking import check
from brakepoint.workshop.explanations import explain
from brakepoint.workshop.further import fill_in_course, open_up
from brakepoint.workshop.keyboard import Keyboard, keyboard
from brakepoint.workshop.labs import lab_text, make_package, part_with, without_marks
from brakepoint.workshop.progress import Attempt, Progress
from brakepoint.workshop.verdicts import Result, Verdict

HINTS = 3
"""Number of hints for each exercise; after the hints comes the solution."""
POLL_S = 0.5
BACKUPS_DIR = LABS_DIR / "backups"

StepArgument = Annotated[str, typer.Argument(metavar="STEP", help="cli.check.step")]
Choice = Annotated[str, typer.Argument(metavar="NUMBER", help="cli.explore.choice", show_default=False)]


def check_command(
    step: StepArgument = "",
    again: Annotated[bool, typer.Option("--explain", help="cli.check.explain")] = False,
) -> None:
    """Checks a step; exit status 1 if something is not right yet."""
    wanted = _step(step)
    result = check_and_record(wanted, again)
    show(wanted, result, Console(highlight=False))
    raise typer.Exit(0 if result.passed else 1)


def check_and_record(step: Step, again: bool = False) -> Result:
    """Checks a step and writes the outcome to the attendee's progress.

    Args:
        step: The step.
        again: Whether to explain passed exercises again.
    """
    leave_out_what_goes_further()
    result = check(step)
    progress = Progress.load()
    entry = progress.touch(step)
    own = tuple(one for one in result.verdicts if not (one.passed and one.exercise in entry.filled))
    passed = {verdict.exercise for verdict in own if verdict.passed}
    if result.failure is not None and result.failure.exercise in step.further and entry.is_over(step):
        passed |= set(entry.done)  # Core exercises after the failed one stay done.
    entry.failing = result.failure.exercise if result.failure is not None else ""
    if entry.failing:  # Exercises before the failing one that were not reached this time stay done.
        passed |= set(step.exercises[: step.exercises.index(entry.failing)]) & set(entry.done)
    entry.done = [name for name in step.exercises if name in passed]
    news = tuple(name for name in entry.done if again or name not in entry.explained)
    entry.explained += [name for name in news if name not in entry.explained]
    if result.failure is not None and result.failure.key:
        entry.wrong[result.failure.key] = entry.wrong.get(result.failure.key, 0) + 1
    progress.save()
    if in_a_room():
        share_progress(step)
    return replace(result, verdicts=own, explained=news)


def leave_out_what_goes_further() -> None:
    """Fills in the exercises that the attendee's track omits, and says so."""
    if count := fill_in_course():
        typer.echo(text("workshop.filled_in", None, count=count))


def share_progress(step: Step) -> None:
    """Uploads progress and lab, for the room's instructor; a failed upload never makes a check fail."""
    from brakepoint.room.sharing import share
    from brakepoint.workshop.progress import PROGRESS_PATH

    try:
        share(step, PROGRESS_PATH)
    except UserError as error:
        typer.echo(text("room.not_shared", why=str(error)), err=True)


def show(step: Step, result: Result, console: Console) -> None:
    """Shows what a check found, and what to do next; commands are not wrapped, so that they can be copied."""
    title = text(f"course.{step.name}.title")
    console.print(f"[bold]{text('workshop.step', number=step.number, title=title)}[/]")
    for verdict in result.verdicts:
        mark = "[green]✓[/]" if verdict.passed else "[red]✗[/]"
        name = text(f"lab.{step.name}.{verdict.exercise}.title") if verdict.exercise else step.lab.name
        console.print(f"{mark} {name}")
        if verdict.exercise in result.explained:
            for words in explain(step, verdict.exercise):
                console.print(Padding(escape(words), (0, 0, 0, 2)), style="dim")
    if result.printed:
        console.print(text("workshop.printed"), style="dim")
        console.print(escape(result.printed), style="dim")
    failure = result.failure
    if failure is None:
        console.print(f"[green]{escape(_what_then(step))}[/]", soft_wrap=True)
        console.print(text("question.waiting", number=step.number), style="cyan", soft_wrap=True)
        return
    console.print(Padding(escape(failure.message), (0, 0, 0, 2), expand=False), style="bold")
    console.print(what_next(step, failure, "brakepoint "), style="cyan", soft_wrap=True)


def _what_then(step: Step) -> str:
    """What to do once a step is right: use it, or, after an earlier step, return to the current one."""
    progress = Progress.load()
    if not any(progress.of(later).done for later in course() if later.number > step.number):
        return text(f"course.{step.name}.done")
    current = progress.current()
    is_over = progress.of(current).is_over(current)
    return text("workshop.all_done" if is_over else "workshop.still_right", None, number=current.number)


def what_next(step: Step, failure: Verdict, command: str) -> str:
    """The next action.

    Args:
        step: The current step.
        failure: The failed exercise.
        command: Prefix of `check` and `hint`: a program's name, or a percent sign in a notebook.
    """
    part = part_with(step, failure.exercise)
    names = {"file": part.as_posix(), "number": step.number, "command": command}
    if "line" in failure.values:
        return text("workshop.next_line", None, line=failure.values["line"], **names)
    if not failure.exercise:
        return text("workshop.next_file", None, **names)
    line = _task_line(step.lab.parent / part, failure.exercise)
    key = "workshop.next_check" if line else "workshop.next_exercise"
    words = text(key, None, exercise=failure.exercise, line=line, **names)
    if failure.exercise in step.further and chosen_track() is Track.FULL and not in_a_room():
        setting = f"{'%env' if command == '%' else 'export'} {TRACK_VARIABLE}={Track.CORE}"
        words += "\n" + text("workshop.beyond", None, exercise=failure.exercise, setting=setting)
    return words


def _task_line(file: Path, exercise: str) -> int | None:
    """The line of an exercise's task in an attendee's file; None if it was deleted or filled in."""
    task = text("workshop.task", None, name=exercise, todo="").strip()
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
    return next((number for number, line in enumerate(lines, 1) if task in line), None)


def watch_command(step: StepArgument = "") -> None:
    """Checks a step now, and again whenever its file changes; in a terminal, single keys run commands."""
    wanted: Step | None = _step(step)
    with keyboard() as keys:
        while wanted is not None:
            wanted = _watch(wanted, keys, Console(highlight=False))


def _saved_at_ns(file: Path) -> int:
    """When a file was saved; 0 while there is no file, as at the moment when an editor replaces it."""
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _watch(step: Step, keys: Keyboard, console: Console) -> Step | None:
    """Watches one step by polling, which also works on network drives, and returns the next step to watch."""
    seen: object = None
    leave_out_what_goes_further()  # Otherwise the file would seem to have been saved by the attendee.
    while True:
        files = [step.lab.parent / part for part in step.parts]
        stamp = [_saved_at_ns(file) for file in files]
        if stamp != seen:
            seen = stamp
            console.clear()
            result = check_and_record(step)
            show(step, result, console)
            if result.passed and not keys.is_there:
                return None
            console.print(text("workshop.watching", file=step.lab.name), style="dim")
            if keys.is_there:
                console.print(text("workshop.keys"), style="dim")
        match keys.wait(POLL_S):
            case "h":
                hint_command(step.name)
            case "s":
                solution_command(step.name)
            case "r":
                seen = None
            case "n":
                return next((later for later in course() if later.number > step.number), None)
            case "q":
                return None


def hint_command(step: StepArgument = "") -> None:
    """Gives the next hint for the exercise named by the last check, or else for the first unfinished one."""
    wanted = _step(step)
    entry = Progress.load().of(wanted)
    if set(entry.done) >= set(entry.asked(wanted)):
        check_and_record(wanted)  # The lab may have been changed since it passed.
    progress = Progress.load()
    entry = progress.touch(wanted)
    open_ones = [name for name in entry.asked(wanted) if name not in entry.done]
    exercise = entry.failing if entry.failing in open_ones else next(iter(open_ones), None)
    if exercise is None:
        typer.echo(text("workshop.no_hint", number=wanted.number))
        return
    number = min(entry.hints.get(exercise, 0) + 1, HINTS)
    if entry.hints.get(exercise, 0) >= HINTS:
        typer.echo(text("workshop.last_hint", number=wanted.number))
    entry.hints[exercise] = number
    progress.save()
    hint = text(f"lab.{wanted.name}.{exercise}.hint{number}")
    typer.echo(text("workshop.hint", number=number, count=HINTS, exercise=exercise, hint=hint))


def explore_command(step: StepArgument = "", choice: Choice = "") -> None:
    """Asks the open question of a step, or tries an answer to the question."""
    explore(_step(step), choice, "labs")


def explore(step: Step, typed: str, source: str) -> None:
    """Tries an answer, if given, and shows all attempts; attempts with the learner's own code are saved.

    Raises:
        UserError: The answer isn't a number, or is out of range.
    """
    from brakepoint.workshop.questions import QUESTIONS, attempt, unbeaten

    new = attempt(step, _number(typed), source) if typed else None
    progress, question = Progress.load(), QUESTIONS[step.name]  # A check may have run during the attempt.
    entry = progress.touch(step)
    if new is not None:
        entry.attempts = [tried for tried in entry.attempts if tried.choice != new.choice]
        entry.attempts.append(new)
        if source == "labs":
            progress.save()
    if new is None or len(entry.attempts) == 1:
        typer.echo(text(f"question.{step.name}.ask"))
    if entry.attempts:
        _show_attempts(step, entry.attempts, unbeaten(question, entry.attempts))
    values = {"number": step.number, "least": question.least, "most": question.most}
    typer.echo(text("question.next", None, **values))


def _number(typed: str) -> float:
    """Reads a number with a decimal point or comma; other input becomes NaN, which is out of every range."""
    try:
        return float(typed.replace(",", "."))
    except ValueError:
        return math.nan


def _show_attempts(step: Step, attempts: list[Attempt], best: list[Attempt]) -> None:
    """Shows a row for each chosen number, in order."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("")
    table.add_column(text(f"question.{step.name}.choice"), justify="right")
    for name in attempts[0].figures:
        table.add_column(text(f"question.figure.{name}"), justify="right")
    for tried in sorted(attempts, key=lambda tried: tried.choice):
        figures = (number(value, 1) for value in tried.figures.values())
        table.add_row("★" if tried in best else "", number(tried.choice, 2), *figures)
    print_table(Console(highlight=False), table)
    typer.echo(text("question.unbeaten"))


def reset_command(step: StepArgument = "") -> None:
    """Rewrites the lab and keeps a copy of the old one."""
    wanted = _step(step)
    _put(wanted, lab_text)
    progress = Progress.load()
    entry = progress.touch(wanted)
    entry.done, entry.filled, entry.further = [], [], False
    progress.save()


def catch_up_command(step: StepArgument = "") -> None:
    """Replaces the attendee's file and its outcome with complete ones, so that the next step can start."""
    wanted = _step(step)
    folder = install(wanted)
    _put(wanted, without_marks)
    progress = Progress.load()
    entry = progress.touch(wanted)
    entry.done = list(entry.asked(wanted))
    entry.filled = [name for name in wanted.exercises if name not in entry.done]
    progress.save()
    if folder is None:
        typer.echo(text(f"course.{wanted.name}.done"))
    else:
        typer.echo(text("workshop.installed", folder=folder, number=wanted.number, later=wanted.number + 1))


def further_command(step: StepArgument = "") -> None:
    """Opens the exercises of a step that the core omits."""
    wanted = _step(step)
    progress = Progress.load()
    opened = open_up(wanted, progress.of(wanted))
    progress.save()
    names = ", ".join(opened or wanted.further)
    typer.echo(text("workshop.opened", number=wanted.number, names=names, lab=wanted.lab))


def progress_command() -> None:
    """Shows a row for each step."""
    progress = Progress.load()
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for column in ("step", "core", "further", "minutes", "plan", "hints", "answers"):
        table.add_column(text(f"workshop.table.{column}"), justify="left" if column == "step" else "right")
    for step in course():
        entry = progress.of(step)
        title = text("workshop.step", number=step.number, title=text(f"course.{step.name}.title"))
        core, further = (
            f"{len(set(part) & set(entry.done))}/{len(part)}" for part in (step.core, step.further)
        )
        counts = str(sum(entry.hints.values())), str(len(entry.attempts))
        plan = str(step.minutes_of(chosen_track()))
        table.add_row(title, core, further, f"{entry.minutes:.0f}", plan, *counts)
    print_table(Console(highlight=False), table)
    if not any(entry.last_at for entry in progress.steps.values()):
        typer.echo(text("workshop.begin"))


def solution_command(step: StepArgument = "") -> None:
    """Shows the difference between the attendee's file and the solution."""
    wanted = _step(step)
    lines = [line for part in wanted.parts for line in _difference(wanted, part)]
    if not lines:
        typer.echo(text("workshop.same"))
        return
    Console().print(Syntax("\n".join(lines), "diff", background_color="default", word_wrap=True))


def _difference(step: Step, part: Path) -> Iterator[str]:
    """The differences in one of the attendee's files."""
    path = step.lab.parent / part
    own = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    names = (f"{text('workshop.yours')} {part.name}", f"{text('workshop.solution')} {part.name}")
    return difflib.unified_diff(own, without_marks(step, part).splitlines(), *names, n=1, lineterm="")


def _put(step: Step, content: Callable[[Step, Path], str]) -> None:
    """Replaces a lab, keeps a copy of the old one, and prints the path of the copy."""
    key = "workshop.put" if step.lab.exists() else "workshop.put_new"
    BACKUPS_DIR.mkdir(parents=True, exist_ok=True)
    backup = BACKUPS_DIR / f"{step.name}-{datetime.now():%Y%m%d-%H%M%S-%f}{step.lab.suffix}"
    step.lab.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".", dir=step.lab.parent) as beginning:
        for part in step.parts:
            path = Path(beginning, part)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content(step, part), encoding="utf-8")
        put_in_place(Path(beginning, step.lab.name), step.lab, backup)
    make_package(step.lab.parent)
    typer.echo(text(key, lab=step.lab, backup=backup))


def _step(wanted: str) -> Step:
    return find_step(wanted) if wanted else Progress.load().current()
