"""`brakepoint join`: joins a laptop to a room with the code on the attendee's card."""

from typing import Annotated

import typer

from brakepoint import extras
from brakepoint.texts import text


def join_command(
    code: Annotated[str, typer.Argument(metavar="CODE", help="cli.join.code", show_default=False)] = "",
    work: Annotated[bool, typer.Option("--work", help="cli.join.work")] = False,
) -> None:
    """Tries the code, and saves its contents in a private file.

    Raises:
        UserError: The code is invalid, or the store refuses access.
    """
    extras.require("workshop", "boto3")
    from brakepoint.cli.workshop import BACKUPS_DIR
    from brakepoint.course import TRACK_VARIABLE, Track
    from brakepoint.room import joined
    from brakepoint.room.joining import join
    from brakepoint.room.sharing import take_work
    from brakepoint.workshop.further import fill_in_course
    from brakepoint.workshop.progress import PROGRESS_PATH

    store = join(code or typer.prompt(text("cli.join.prompt")))
    typer.echo(text("cli.join.done", bucket=store.bucket))
    if work:
        brought = take_work(store, PROGRESS_PATH, BACKUPS_DIR)
        typer.echo(text("cli.join.brought", count=len(brought), backups=BACKUPS_DIR))
    fill_in_course(Track(joined().get(TRACK_VARIABLE, Track.FULL)))
