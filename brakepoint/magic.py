"""The learning loop in a notebook: `%load_ext brakepoint.magic`, then `%check 1`, `%hint 1`, `%explore 1`."""

import html
import os
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.display import HTML, display

from brakepoint.cli.workshop import (
    check_and_record,
    explore,
    hint_command,
    leave_out_what_goes_further,
    what_next,
)
from brakepoint.course import ROOT, Step, find_step
from brakepoint.errors import UserError
from brakepoint.room import take_joined
from brakepoint.steps import SOURCE_VARIABLE
from brakepoint.texts import languages, text
from brakepoint.workshop.checking import check
from brakepoint.workshop.explanations import explain
from brakepoint.workshop.verdicts import Result

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

FOLDER_VARIABLE = "BRAKEPOINT_FOLDER"
"""Folder for a notebook's output; by default the project's root."""
LANGUAGE_VARIABLE = "BRAKEPOINT_LANG"
GREEN, RED = "#1a7f37", "#cf222e"
NOTE = '<span style="opacity:.75;margin-left:1.2em">{words}</span>'
CARD = "border-left:4px solid {colour};padding:.4em 1em;margin:.5em 0;line-height:1.6"


def load_ipython_extension(shell: "InteractiveShell") -> None:
    """Defines the magics, selects the attendee's labs, and reloads them whenever they are saved."""
    os.environ.setdefault(SOURCE_VARIABLE, "labs")
    take_joined()
    if Path.cwd().name in languages():  # A notebook uses the language of its folder.
        os.environ[LANGUAGE_VARIABLE] = Path.cwd().name
    os.chdir(os.environ.get(FOLDER_VARIABLE, ROOT))
    if os.environ[SOURCE_VARIABLE] == "labs":
        leave_out_what_goes_further()
    shell.run_line_magic("load_ext", "autoreload")
    shell.run_line_magic("autoreload", "2")
    shell.run_line_magic("matplotlib", "inline")
    shell.set_custom_exc((UserError, NotImplementedError), say)
    assert shell.magics_manager is not None
    shell.magics_manager.register_function(check_magic, magic_name="check")
    shell.magics_manager.register_function(hint_command, magic_name="hint")
    shell.magics_manager.register_function(explore_magic, magic_name="explore")


def say(shell: object, kind: type, error: Exception, trace: object, tb_offset: object = None) -> None:
    """Shows, in one line and without a stack trace, an error that the user can fix."""
    print(str(error) or text("notebook.not_written"))  # noqa: T201


def check_magic(line: str) -> None:
    """`%check 1` checks a step and shows the result; `%check 1 --explain` repeats the explanations."""
    number, *options = line.split() or [""]
    step = find_step(number)
    checks_labs = os.environ[SOURCE_VARIABLE] == "labs"
    result = check_and_record(step, "--explain" in options) if checks_labs else check(step, step.solution)
    display(HTML(as_html(step, result)))


def explore_magic(line: str) -> None:
    """`%explore 3` asks the open question of a step, and `%explore 3 0.5` tries an answer."""
    number, *choices = line.split() or [""]
    explore(find_step(number), " ".join(choices), os.environ[SOURCE_VARIABLE])


def as_html(step: Step, result: Result) -> str:
    """A check's outcome as a card: what passed, what did not and why, and what to do next."""
    title = text("workshop.step", number=step.number, title=text(f"course.{step.name}.title"))
    lines = [f"<b>{html.escape(title)}</b>"]
    for verdict in result.verdicts:
        colour, mark = (GREEN, "✓") if verdict.passed else (RED, "✗")
        name = text(f"lab.{step.name}.{verdict.exercise}.title") if verdict.exercise else step.lab.name
        lines.append(f'<span style="color:{colour}"><b>{mark}</b></span> {html.escape(name)}')
        if verdict.exercise in result.explained:
            lines += [NOTE.format(words=html.escape(words)) for words in explain(step, verdict.exercise)]
    if result.printed:
        lines.append(f"{text('workshop.printed')}<pre>{html.escape(result.printed)}</pre>")
    failure = result.failure
    if failure is None:
        lines.append(f"<b>{html.escape(text(f'course.{step.name}.done'))}</b>")
    else:
        lines += [
            f"<b>{html.escape(failure.message)}</b>",
            *html.escape(what_next(step, failure, "%")).splitlines(),
        ]
    card = CARD.format(colour=RED if failure else GREEN)
    return f'<div style="{card}">{"<br>".join(lines)}</div>'
