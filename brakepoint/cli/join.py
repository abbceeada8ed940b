"""`brakepoint join`: a laptop works in a room from then on, by the code on the attendee's card."""

from typing import Annotated

import typer

from brakepoint import extras
from brakepoint.texts import text


def join_command(
    code: Annotated[str, typer.Argument(metavar="[CODE]", help="cli.join.code", show_default=False)] = "",
) -> None:
    """Tries the code, and keeps what it stands for in a private file.

    Raises:
        UserError: It is no code, or the store does not let it in.
    """
    extras.require("workshop", "boto3")
    from brakepoint.room.joining import join

    bucket = join(code or typer.prompt(text("cli.join.prompt")))
    typer.echo(text("cli.join.done", bucket=bucket))
