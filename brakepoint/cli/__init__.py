"""The command line `brakepoint`: one module per command, one line for each error.

Exit status: 0 success, 1 done with a negative result, 2 wrong usage or bad input, 130 interrupted.
"""

import importlib
import os
import sys
from importlib.util import find_spec

import typer

from brakepoint.cli.usage import CommandLine, status_of
from brakepoint.errors import UserError
from brakepoint.texts import languages

COMMANDS = (
    "mission",
    "replay",
    "prove",
    "evaluate",
    "dataset",
    "show",
    "signs",
    "backgrounds",
    "synth",
    "base_model",
    "track_model",
    "train",
    "quantise",
    "serve",
    "up",
    "service",
    "deploy",
    "join",
    "submit",
    "board",
    "souvenir",
    "update",
    "doctor",
)
"""Commands in `brakepoint.cli.NAME.NAME_command`; underscores are typed as hyphens."""
LEARNING = ("check", "hint", "explore", "watch", "reset", "progress", "solution", "catch_up", "further")
"""Commands in `brakepoint.cli.workshop.NAME_command`."""
GROUPS = {
    "store": "brakepoint.cli.store",
    "model": "brakepoint.cli.model",
    "footage": "footage.command",
    "hub": "brakepoint.cli.hub",
    "camera": "brakepoint.cli.camera",
    "room": "brakepoint.cli.room_day",
    "pipeline": "brakepoint.cli.pipeline",
    "cluster": "brakepoint.cli.cluster",
    "incident": "brakepoint.cli.incident",
}
"""Command groups: name, and the module with its `NAME_app`. The kit's images do not contain `footage`."""


def _take_language(arguments: list[str]) -> list[str]:
    """Removes `--lang` from the arguments, at any position, and sets the reader's language accordingly."""
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        name, equals, value = argument.partition("=")
        if name != "--lang":
            rest.append(argument)
            continue
        lang = value if equals else next(remaining, "")
        if lang not in languages():
            raise UserError("cli.error.lang", wanted=lang, choices=", ".join(languages()))
        os.environ["BRAKEPOINT_LANG"] = lang
    return rest


def build_app(called: str | None = None) -> typer.Typer:
    """Defines the commands; each shows its help in the reader's language.

    Args:
        called: The only command to load; the others have only name and help text. By default all are loaded.
    """
    app = CommandLine(name="brakepoint", help="cli.help", rich_markup_mode="rich")

    @app.callback()
    def globals_(
        lang: str = typer.Option("", "--lang", metavar="|".join(languages()), help="cli.lang"),
    ) -> None:
        """`--lang` has already been handled; it is defined here for `--help`."""

    for name, module in _modules().items():
        typed = name.replace("_", "-")
        loaded = importlib.import_module(module) if called in (None, typed) else None
        if name in GROUPS:
            app.add_typer(getattr(loaded, f"{name}_app", CommandLine()), name=name, help=f"cli.{name}.help")
        else:
            app.command(typed, help=f"cli.{typed}.help")(getattr(loaded, f"{name}_command", _not_called))
    return app


def _modules() -> dict[str, str]:
    """The module of each command."""
    alone = {name: f"brakepoint.cli.{name}" for name in COMMANDS}
    learning = dict.fromkeys(LEARNING, "brakepoint.cli.workshop")
    groups = {name: module for name, module in GROUPS.items() if find_spec(module.partition(".")[0])}
    return alone | learning | groups


def _not_called() -> None:
    """A placeholder for a command in the list of all commands."""


def run(arguments: list[str]) -> int:
    """Runs one command line and returns its exit status.

    Args:
        arguments: The arguments after `brakepoint`.
    """

    def command_line() -> object:
        words = _take_language(arguments) or ["--help"]
        return build_app(words[0])(words, prog_name="brakepoint", standalone_mode=False)

    return status_of(command_line)


def main() -> None:
    """The entry point of earlier installations; the current one is in `brakepoint.__main__`."""
    sys.exit(run(sys.argv[1:]))
