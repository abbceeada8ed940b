"""What typer itself says of a command line, in the reader's language: it knows English only."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from brakepoint.errors import UserError
from brakepoint.texts import text


class CommandLine(typer.Typer):
    """Commands, each of which speaks the reader's language."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(cls=Commands, **settings)

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        """Makes a function a command."""
        return super().command(name, cls=Command, **settings)


class Command(TyperCommand):
    """A command."""

    def get_help_option(self, ctx: Any) -> Any:
        """The option that shows the help."""
        return _translated(super().get_help_option(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads what stands behind the command.

        Raises:
            UserError: More stands there than it takes.
        """
        ctx.allow_extra_args = True
        if extra := super().parse_args(ctx, args):
            raise _refusal(text("cli.usage.extra", words=" ".join(extra)), [], ctx.command_path)
        return extra


class Commands(TyperGroup):
    """A group of commands that knows which one was probably meant."""

    def get_help_option(self, ctx: Any) -> Any:
        """The option that shows the help."""
        return _translated(super().get_help_option(ctx))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Finds the command that stands first.

        Raises:
            UserError: There is none of that name.
        """
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            why = text("cli.usage.command", name=name)
            raise _refusal(why, get_close_matches(name, self.commands), ctx.command_path)
        return super().resolve_command(ctx, args)


def explain(error: Any) -> UserError:
    """Says in the reader's language what typer refused.

    Args:
        error: A `TyperException`. Its kinds are typer's own affair, so they are told by what they know.
    """
    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    command = context.command_path if context else "brakepoint"
    if hasattr(error, "possibilities"):
        return _refusal(text("cli.usage.option", name=error.option_name), error.possibilities or [], command)
    if hasattr(error, "option_name"):
        return _refusal(text("cli.usage.no_value", name=error.option_name), [], command)
    if parameter is None:
        return _refusal(" ".join(error.format_message().split()).removesuffix("."), [], command)
    name = parameter.get_error_hint().replace("'", "")
    if hasattr(error, "param_type"):
        return _refusal(text("cli.usage.missing", name=name), [], command)
    kind = " ".join(filter(None, [parameter.display_type(context), _range(parameter)]))
    return _refusal(text("cli.usage.value", name=name, kind=kind), [], command)


def _translated(option: Any) -> Any:
    if option is not None:
        option.help = text("cli.usage.help")
    return option


def _range(parameter: Any) -> str:
    """What a number may be, as `1…`, `…9` or `1…9`."""
    bounds = [getattr(parameter, name, None) for name in ("min", "max")]
    return "…".join("" if bound is None else f"{bound:g}" for bound in bounds) if any(bounds) else ""


def _refusal(why: str, meant: list[str], command: str) -> UserError:
    if meant:
        why = text("cli.usage.meant", why=why, meant=", ".join(sorted(meant)))
    return UserError("cli.error.usage", why=why, command=command)
