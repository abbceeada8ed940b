"""`brakepoint cluster doctor`: checks whether an existing cluster is ready for a room."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from brakepoint import extras
from brakepoint.texts import text


def doctor_command(
    file: Annotated[Path | None, typer.Argument(metavar="ROOM.yaml", help="cli.cluster.doctor.file")] = None,
    attendees: Annotated[
        int | None, typer.Option("--attendees", metavar="N", help="cli.room.attendees")
    ] = None,
) -> None:
    """Prints a line for each check; exit status 1 if one fails.

    Raises:
        UserError: The cluster does not answer.
    """
    for extra in ("room", "pipeline"):
        extras.require(extra)
    from brakepoint.cluster.api import Kubectl
    from brakepoint.cluster.health import examine, require_answer
    from brakepoint.cluster.kit import collect, default_room
    from brakepoint.room.config import load_room

    api = Kubectl()
    require_answer(api)
    room = load_room(file, attendees) if file else None
    kit = collect("openshift", room or default_room(attendees))
    console = Console(highlight=False)
    wrong = 0
    for answer in examine(api, room, kit.pods):
        wrong += bool(answer.remedy)
        console.print(
            f"{'[red]✗[/]' if answer.remedy else '[green]✓[/]'} {escape(answer.what)}", soft_wrap=True
        )
        if answer.remedy:
            console.print(f"  → {escape(answer.remedy)}", soft_wrap=True)
    console.print(text("cluster.doctor.summary" if wrong else "cluster.doctor.well", None, count=wrong))
    raise typer.Exit(1 if wrong else 0)
