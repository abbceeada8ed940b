"""The command line `brakepoint`: one module a command, one line for what went wrong.

Exit status: 0 it went well, 1 it was done and the answer is no, 2 wrong usage or bad input, 130 interrupted.
"""

import importlib
import os
import sys
from importlib.util import find_spec

import typer

from brakepoint.cli.usage import CommandLine, explain
from brakepoint.errors import UserError
from brakepoint.texts import LANGUAGES, text

INTERRUPTED = 130
COMMANDS = (
    "mission",
    "replay",
    "evaluate",
    "dataset",
    "backgrounds",
    "synth",
    "base_model",
    "train",
    "quantise",
    "serve",
    "up",
    "service",
    "deploy",
    "submit",
    "board",
    "doctor",
)
"""Each is `brakepoint.cli.NAME.NAME_command`; underscores are typed as hyphens."""
LEARNING = ("check", "hint", "watch", "reset", "progress", "solution", "catch_up")
"""Each is `brakepoint.cli.workshop.NAME_command`."""
GROUPS = {
    "store": "brakepoint.cli.store",
    "model": "brakepoint.cli.model",
    "footage": "footage.command",
    "hub": "brakepoint.cli.hub",
    "room": "brakepoint.cli.room",
    "pipeline": "brakepoint.cli.pipeline",
}
"""Commands of commands: name, and the module whose `NAME_app` it is. The kit's images have no `footage`."""


def _take_language(arguments: list[str]) -> list[str]:
    """Takes `--lang` out of the arguments, wherever it stands, and sets the reader's language by it.

    It comes first because the help texts are looked up when the commands are defined.
    """
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        name, equals, value = argument.partition("=")
        if name != "--lang":
            rest.append(argument)
            continue
        lang = value if equals else next(remaining, "")
        if lang not in LANGUAGES:
            raise UserError("cli.error.lang", wanted=lang, choices=", ".join(LANGUAGES))
        os.environ["BRAKEPOINT_LANG"] = lang
    return rest


def build_app(called: str | None = None) -> typer.Typer:
    """Defines the commands, in the reader's language.

    Args:
        called: The one command that is loaded; of the others there are name and help. By default all are.
    """
    _translate_panels()
    app = CommandLine(
        name="brakepoint",
        help=text("cli.help"),
        add_completion=False,
        rich_markup_mode="rich",
    )

    @app.callback()
    def globals_(lang: str = typer.Option("", "--lang", metavar="en|fr", help=text("cli.lang"))) -> None:
        """`--lang` was taken before; it is here for `--help`."""

    for name, module in _modules().items():
        typed = name.replace("_", "-")
        loaded = importlib.import_module(module) if called in (None, typed) else None
        if name in GROUPS:
            group = getattr(loaded, f"{name}_app", CommandLine())
            app.add_typer(group, name=typed, help=text(f"cli.{name}.help"))
        else:
            command = getattr(loaded, f"{name}_command", _not_called)
            key = f"cli.{name if name in LEARNING else typed}.help"
            app.command(typed, help=text(key))(command)
    return app


def _modules() -> dict[str, str]:
    """Where each command is."""
    alone = {name: f"brakepoint.cli.{name}" for name in COMMANDS}
    learning = dict.fromkeys(LEARNING, "brakepoint.cli.workshop")
    groups = {name: module for name, module in GROUPS.items() if find_spec(module.partition(".")[0])}
    return alone | learning | groups


def _not_called() -> None:
    """Stands for a command in the list of all."""


def _translate_panels() -> None:
    from typer import rich_utils

    rich_utils.ARGUMENTS_PANEL_TITLE = text("cli.panel.arguments")
    rich_utils.OPTIONS_PANEL_TITLE = text("cli.panel.options")
    rich_utils.COMMANDS_PANEL_TITLE = text("cli.panel.commands")
    rich_utils.DEFAULT_STRING = text("cli.panel.default")
    rich_utils.REQUIRED_LONG_STRING = text("cli.panel.required")


def run(arguments: list[str]) -> int:
    """Runs one command line and says what its exit status is.

    Args:
        arguments: What stands behind `brakepoint`.
    """
    try:
        arguments = _take_language(arguments)
        arguments = arguments or ["--help"]
        status = build_app(arguments[0])(arguments, prog_name="brakepoint", standalone_mode=False)
    except UserError as error:
        return _refuse(str(error))
    except NotImplementedError:
        return _refuse(text("cli.error.not_written"))
    except typer.TyperException as error:
        return _refuse(str(explain(error)))
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    if status == INTERRUPTED:
        typer.echo(text("cli.interrupted"), err=True)
    return status if isinstance(status, int) else 0


def _refuse(line: str) -> int:
    typer.echo(line, err=True)
    return 2


def main() -> None:
    """Entry point of the command `brakepoint`."""
    sys.exit(run(sys.argv[1:]))
