"""`brakepoint incident`: breaks a train on purpose, so that a person finds the cause and fixes it."""

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from brakepoint import extras
from brakepoint.cli.screen import print_table
from brakepoint.cli.service import Page
from brakepoint.cli.usage import CommandLine
from brakepoint.errors import UserError
from brakepoint.incidents.casebook import SITE_DIR, Case, Record, open_case, path_shown, take_down
from brakepoint.incidents.causes import HINTS, INCIDENTS
from brakepoint.incidents.site import Site
from brakepoint.room import in_a_room
from brakepoint.services import ServiceSettings, run_service
from brakepoint.texts import text

incident_app = CommandLine(help="cli.incident.help", no_args_is_help=True)


@incident_app.command("start", help="cli.incident.start.help")
def start_command(
    number: Annotated[
        int | None, typer.Argument(metavar="N", show_default=False, help="cli.incident.start.number")
    ] = None,
) -> None:
    """Breaks a train, and shows the symptoms."""
    case = open_case(number)
    typer.echo(text("incident.started", number=case.incident.number))
    typer.echo(text(f"incident.symptom.{case.incident.name}"))
    typer.echo(text("incident.then", folder=path_shown(SITE_DIR)))


@incident_app.command("up", help="cli.incident.up.help")
def up_command(page: Page = "") -> None:
    """Drives the train with the live services until Ctrl-C or SIGTERM."""
    from brakepoint.cli.up import run_until_stopped

    extras.require("live")
    from brakepoint.incidents.wiring import SiteServices

    Case.load()
    site = Site.load(SITE_DIR)
    run_until_stopped(
        ServiceSettings.given(page=page), lambda settings, *how: SiteServices(site, settings, *how)
    )


@incident_app.command("service", hidden=True, help="cli.incident.service.help")
def service_command(name: str) -> None:
    """Runs one service of the train, as `brakepoint incident up` starts it."""
    extras.require("live")
    from brakepoint.incidents.wiring import runs_of

    run_service(name, ServiceSettings.given(), runs_of(SITE_DIR).get(name))


@incident_app.command("check", help="cli.incident.check.help")
def check_command(
    cause: Annotated[str, typer.Option("--cause", metavar="LETTER", help="cli.incident.check.cause")] = "",
) -> None:
    """Checks train and cause; exit status 1 if one of them is not right yet."""
    from brakepoint.incidents.probes import PROBES

    case, console = Case.load(), Console(highlight=False)
    named = _cause(case, cause)
    site = Site.load(SITE_DIR)
    findings = [probe(site) for probe in PROBES.values()]
    for finding in findings:
        state = "well" if finding.well else "ill"
        told = text(f"incident.finding.{finding.name}.{state}", None, **finding.values)
        console.print(f"{_mark(finding.well)} {escape(told)}")
    healthy = all(finding.well for finding in findings)
    found = take_down(case, named, healthy)
    _share_times()
    state = "right" if found else "wrong" if named else "open"
    console.print(f"{_mark(found)} {escape(text(f'incident.diagnosis.{state}'))}")
    if not found:
        for letter, name in case.suspects.items():
            console.print(f"  {letter}  {escape(text(f'incident.cause.{name}'))}", soft_wrap=True)
    elif healthy:
        entry = Record.load().of(case)
        console.print(text("incident.done", found=entry.found_min, mended=entry.mended_min))
    raise typer.Exit(0 if healthy and found else 1)


@incident_app.command("hint", help="cli.incident.hint.help")
def hint_command() -> None:
    """Gives the next hint."""
    case, record = Case.load(), Record.load()
    entry = record.of(case)
    entry.hints = min(entry.hints + 1, HINTS)
    record.save()
    hint = text(f"incident.hints.{case.incident.name}.{entry.hints}")
    typer.echo(text("incident.hint", number=entry.hints, count=HINTS, hint=hint))


@incident_app.command("list", help="cli.incident.list.help")
def list_command() -> None:
    """Shows a row for each incident: the symptom, and how long finding and fixing the cause took."""
    record, table = Record.load(), Table(box=None, pad_edge=False, header_style="bold")
    for column in ("number", "symptom", "found", "mended", "hints"):
        table.add_column(text(f"incident.table.{column}"), justify="left" if column == "symptom" else "right")
    for incident in INCIDENTS:
        entry = record.incidents.get(incident.number)
        times = (entry.found_min, entry.mended_min) if entry else (None, None)
        shown = ("–" if minutes is None else text("incident.minutes", minutes=minutes) for minutes in times)
        symptom = text(f"incident.symptom.{incident.name}")
        table.add_row(str(incident.number), symptom, *shown, str(entry.hints if entry else 0))
    print_table(Console(highlight=False), table)


def _share_times() -> None:
    """Sends the times to the room's board; a check does not fail if this is impossible."""
    if not in_a_room():
        return
    from brakepoint.room.sharing import share_incidents
    from brakepoint.workshop.progress import PROGRESS_PATH

    try:
        share_incidents(PROGRESS_PATH)
    except UserError as error:
        typer.echo(text("room.not_shared", why=str(error)), err=True)


def _cause(case: Case, letter: str) -> str:
    """The name of the cause that a person means."""
    letter = letter.strip().lower()
    if letter and letter not in case.suspects:
        raise UserError("incident.error.letter", letter=letter, letters=", ".join(case.suspects))
    return case.suspects[letter] if letter else ""


def _mark(well: bool) -> str:
    return "[green]✓[/]" if well else "[red]✗[/]"
