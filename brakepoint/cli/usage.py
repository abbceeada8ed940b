"""A command line in the reader's language: each help text is a key of the catalogue, each error is one line.

typer itself supports only English. For each command line, it builds its commands from their functions, and
the commands then look up their texts.
"""

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from brakepoint.errors import UserError, system_says
from brakepoint.texts import text

INTERRUPTED = 130
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NOT_ALLOWED = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EISDIR,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ENAMETOOLONG,
}
VALUE_WORD = re.compile("[A-Z]{2,}")
"""A word in the name of a value, as in HOST:PORT."""
PLACEHOLDERS = {int: "N", float: "X", str: "TEXT", Path: "PATH"}
"""The name of an option's value, by type, where the command gives none."""
NUMBERS = {int: "whole_number", float: "number"}


class CommandLine(typer.Typer):
    """Commands in the reader's language."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(cls=Commands, add_completion=False, **settings)

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        """Turns a function into a command, whose `help` is a key of the catalogue."""
        return super().command(name, cls=Command, **settings)


class Command(TyperCommand):
    """A command."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        _look_up_help(self)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Shows the help."""
        _translate_frame(self, ctx)
        super().format_help(ctx, formatter)

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Shows how the command is called."""
        _write_usage(self, ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses the arguments after the command.

        Raises:
            UserError: There are more arguments than the command accepts.
        """
        ctx.allow_extra_args = True
        with _blamed_on(ctx):
            extra = super().parse_args(ctx, args)
        if extra:
            raise _refusal(text("cli.usage.extra", words=" ".join(extra)), [], ctx.command_path)
        return extra


class Commands(TyperGroup):
    """A group of commands that suggests the one that was probably meant."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.subcommand_metavar = text("cli.usage.subcommand")
        _look_up_help(self)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Shows the help."""
        _translate_frame(self, ctx)
        super().format_help(ctx, formatter)

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Shows how the command is called."""
        _write_usage(self, ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses the arguments after the group; without any, it shows the help."""
        with _blamed_on(ctx):
            return super().parse_args(ctx, args or ["--help"])

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Finds the command that the first argument names.

        Raises:
            UserError: There is no command of that name.
        """
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            why = text("cli.usage.command", name=name)
            raise _refusal(why, get_close_matches(name, self.commands), ctx.command_path)
        return super().resolve_command(ctx, args)


@contextmanager
def _blamed_on(ctx: Any) -> Iterator[None]:
    """Adds the command to typer's errors, so that they can point to its help; typer's parser does not."""
    try:
        yield
    except typer.TyperException as error:
        error.ctx = ctx  # type: ignore[attr-defined]
        raise


def _look_up_help(command: TyperCommand | TyperGroup) -> None:
    """Replaces the keys in a command's help with their texts, and translates the names of its values."""
    parameters: list[Any] = list(command.params)
    for each in [command, *parameters]:
        if each.help:
            each.help = text(each.help)
    for each in parameters:
        _name_value(each)


def _name_value(parameter: Any) -> None:
    """Names the value of a parameter in the reader's language; a flag has no value and shows no name."""
    if getattr(parameter, "is_flag", False):
        parameter.metavar = ""
    elif parameter.metavar is None and parameter.param_type_name == "option":
        parameter.metavar = PLACEHOLDERS.get(parameter.type_descriptor.annotation)
    if parameter.metavar:
        parameter.metavar = VALUE_WORD.sub(lambda word: text(f"cli.value.{word[0]}"), parameter.metavar)


def _write_usage(command: TyperCommand | TyperGroup, ctx: Any, formatter: Any) -> None:
    """Writes the line that shows how a command is called; typer would begin this line in English."""
    pieces = " ".join(command.collect_usage_pieces(ctx))
    formatter.write_usage(ctx.command_path, pieces, prefix=text("cli.usage.prefix") + " ")


def _translate_frame(command: TyperCommand | TyperGroup, ctx: Any) -> None:
    """Translates the help's titles, which typer stores globally."""
    from typer import rich_utils

    option = command.get_help_option(ctx)
    if option is not None:
        option.help = text("cli.usage.help")
        _name_value(option)
    rich_utils.ARGUMENTS_PANEL_TITLE = text("cli.panel.arguments")
    rich_utils.OPTIONS_PANEL_TITLE = text("cli.panel.options")
    rich_utils.COMMANDS_PANEL_TITLE = text("cli.panel.commands")
    rich_utils.DEFAULT_STRING = text("cli.panel.default")
    rich_utils.REQUIRED_LONG_STRING = text("cli.panel.required")


def status_of(command_line: Callable[[], Any]) -> int:
    """Runs a command line, reports an error in one line, and returns its exit status.

    Args:
        command_line: Calls a `CommandLine` that must not exit by itself.
    """
    try:
        status = command_line()
    except UserError as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(_about_disk(error))
    except NotImplementedError:
        return _refuse(text("cli.error.not_written"))
    except typer.TyperException as error:
        return _refuse(str(_explain(error)))
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    if status == INTERRUPTED:
        typer.echo(text("cli.interrupted"), err=True)
    return status if isinstance(status, int) else 0


def _about_disk(error: OSError) -> str:
    """What failed because of the disk or its permissions.

    Raises:
        OSError: The error has another cause.
    """
    if error.errno in NO_ROOM:
        return text("cli.error.disk_full")
    if error.errno not in NOT_ALLOWED or error.filename is None:
        raise error
    return text("cli.error.file", path=error.filename, why=system_says(error))


def run_alone(function: Callable[..., None], help_key: str, arguments: list[str]) -> int:
    """Runs a function that is a whole command line, and returns its exit status."""
    app = CommandLine()
    app.command(help=help_key)(function)
    return status_of(lambda: app(arguments, standalone_mode=False))


def _refuse(line: str) -> int:
    typer.echo(line, err=True)
    return 2


def _explain(error: Any) -> UserError:
    """Explains in the reader's language what typer rejected.

    Args:
        error: A `TyperException`. Its kinds are internal to typer, so they are recognised by their
            attributes.
    """
    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    command = context.command_path if context else "brakepoint"
    if hasattr(error, "possibilities"):
        return _refusal(text("cli.usage.option", name=error.option_name), error.possibilities or [], command)
    if hasattr(error, "option_name"):
        flags = [name for each in _flags(context) for name in each.opts]
        why = "flag" if error.option_name in flags else "no_value"
        return _refusal(text(f"cli.usage.{why}", name=error.option_name), [], command)
    if parameter is None:
        return _refusal(" ".join(error.format_message().split()).removesuffix("."), [], command)
    name = parameter.get_error_hint().replace("'", "")
    if hasattr(error, "param_type"):
        return _refusal(text("cli.usage.missing", name=name), [], command)
    number = NUMBERS.get(parameter.type_descriptor.annotation)
    kind = text(f"cli.usage.{number}") if number else parameter.display_type(context)
    if limits := _range(parameter):
        kind = f"{kind} ({limits})"
    return _refusal(text("cli.usage.value", name=name, kind=kind), [], command)


def _flags(context: Any) -> list[Any]:
    """The options of a command that take no value."""
    options = context.command.get_params(context) if context else []
    return [each for each in options if getattr(each, "is_flag", False)]


def _range(parameter: Any) -> str:
    """The valid range of a number, as `1…`, `…9` or `1…9`."""
    bounds = [getattr(parameter, name, None) for name in ("min", "max")]
    return (
        "…".join("" if bound is None else f"{bound:g}" for bound in bounds) if bounds != [None, None] else ""
    )


def _refusal(why: str, meant: list[str], command: str) -> UserError:
    if meant:
        why = text("cli.usage.meant", why=why, meant=", ".join(sorted(meant)))
    return UserError("cli.error.usage", why=why, command=command)
