"""`brakepoint cluster`: checks the kit against a cluster's rules, before there is a cluster."""

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from brakepoint import extras
from brakepoint.cli.cluster_doctor import doctor_command
from brakepoint.cli.usage import CommandLine
from brakepoint.errors import UserError
from brakepoint.texts import text

if TYPE_CHECKING:
    from brakepoint.cluster.admission import Admitted

PROFILES = ("openshift", "microshift", "kind")

cluster_app = CommandLine(help="cli.cluster.help", no_args_is_help=True)


cluster_app.command("doctor", help="cli.cluster.doctor.help")(doctor_command)


@cluster_app.command("rehearse", help="cli.cluster.rehearse.help")
def rehearse_command(
    file: Annotated[Path | None, typer.Argument(metavar="ROOM.yaml", help="cli.cluster.file")] = None,
    attendees: Annotated[
        int | None, typer.Option("--attendees", metavar="N", help="cli.room.attendees")
    ] = None,
    profile: Annotated[
        str, typer.Option("--profile", metavar="|".join(PROFILES), help="cli.cluster.profile")
    ] = PROFILES[0],
) -> None:
    """Prints a table of pods, what you must provide, and the findings; exit status 1 if there are findings.

    Raises:
        UserError: There is no such profile, or a manifest cannot be rendered.
    """
    for extra in ("room", "pipeline"):
        extras.require(extra)
    if profile not in PROFILES:
        raise UserError("cluster.error.profile", given=profile, known=", ".join(PROFILES))
    from brakepoint.cluster.findings import merged
    from brakepoint.cluster.kit import collect, default_room
    from brakepoint.cluster.rehearsal import rehearse
    from brakepoint.room.config import load_room

    room = load_room(file, attendees) if file else default_room(attendees)
    rehearsal = rehearse(collect(profile, room))
    console = Console(highlight=False)
    console.print(_table(rehearsal.admitted))
    if rehearsal.yours:
        console.print(f"\n{text('cluster.yours.heading')}", style="bold")
    for line in rehearsal.yours:
        console.print(f"  – {escape(line)}", soft_wrap=True)
    found = merged(rehearsal.findings)
    console.print()
    for finding, places in found:
        where = f"{_places(places)}: " if places != [""] else ""
        console.print(f"[red]✗[/] [dim]{escape(where)}[/]{escape(finding.sentence)}", soft_wrap=True)
    key = "cluster.findings" if found else "cluster.clean"
    console.print(text(key, None, count=len(found), pods=len(rehearsal.admitted), profile=profile))
    raise typer.Exit(1 if found else 0)


def _table(admitted: list["Admitted"]) -> Table:
    """A row for each kind of pod; identical pods of a room's attendees share one row."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for column in ("pod", "made_by", "namespace", "account", "constraint", "level"):
        table.add_column(text(f"cluster.table.{column}"))

    def row(one: "Admitted") -> tuple[str, ...]:
        mark = "[red]✗[/]" if one.findings else "[green]✓[/]"
        constraint = escape(one.constraint) or "[red]✗[/]"
        return (
            f"{mark} {escape(one.pod.name)}",
            one.pod.made_by,
            escape(one.pod.account),
            constraint,
            one.level,
        )

    for cells, group in groupby(sorted(admitted, key=lambda one: (row(one), one.pod.namespace)), key=row):
        name, made_by, account, constraint, level = cells
        places = list(dict.fromkeys(one.pod.namespace for one in group))
        table.add_row(name, made_by, escape(_places(places)), account, constraint, level)
    return table


def _places(places: list[str]) -> str:
    """Namespaces in short form: the first, and how many more."""
    return (
        places[0]
        if len(places) == 1
        else text("cluster.and_more", None, first=places[0], more=len(places) - 1)
    )
