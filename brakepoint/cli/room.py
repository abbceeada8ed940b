"""`brakepoint room`: an instructor's room of attendees, from one YAML file."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import count, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from brakepoint import extras
from brakepoint.cli.screen import print_table
from brakepoint.cli.usage import CommandLine
from brakepoint.errors import UserError, system_says
from brakepoint.look import points
from brakepoint.systems import stop_event
from brakepoint.texts import number, text

if TYPE_CHECKING:
    from brakepoint.room.config import Room
    from brakepoint.room.outcomes import SubmissionOutcome
    from brakepoint.room.provisioning import CardChanges, Change, OnProgress, Provisioner

COLOURS = {"+": "green", "~": "yellow", "-": "red"}

room_app = CommandLine(help="cli.room.help", no_args_is_help=True)

RoomFile = Annotated[Path, typer.Argument(metavar="ROOM.yaml", help="cli.room.file")]
Attendees = Annotated[int | None, typer.Option("--attendees", metavar="N", help="cli.room.attendees")]
Yes = Annotated[bool, typer.Option("--yes", help="cli.room.yes")]
Handle = Annotated[str, typer.Argument(metavar="HANDLE", help="cli.room.handle")]
LOOK_EVERY_S = 10.0
SHOWN = 8
"""Maximum number of handles named in a line."""
DEFAULT_FILE = Path("room.yaml")


def open_room(path: Path, attendees: int | None = None) -> "Room":
    """Reads a room, after checking that everything that a room needs is installed.

    Raises:
        UserError: A package is not installed, or the file is missing or invalid.
    """
    extras.require("room")
    from brakepoint.room.config import load_room

    return load_room(path, attendees)


def open_provisioner(path: Path, attendees: int | None) -> "Provisioner":
    """Reads a room and opens its store."""
    from brakepoint.room.provisioning import Provisioner
    from brakepoint.room.stores import open_store

    room = open_room(path, attendees)
    return Provisioner(room, open_store(room))


@room_app.command("plan", help="cli.room.plan.help")
def plan_command(file: RoomFile = DEFAULT_FILE, attendees: Attendees = None) -> None:
    """Shows what `apply` would change, and what would keep the room from working on the day."""
    from brakepoint.room.findings import findings

    provisioner = open_provisioner(file, attendees)
    began_at = time.monotonic()
    changes = provisioner.plan()
    console = Console(highlight=False)
    show_changes(changes, provisioner.room.name, console)
    for line in _about_cards(provisioner.card_changes()):
        console.print(line, soft_wrap=True)
    for finding in findings(provisioner.room):
        console.print(f"[yellow]![/] {escape(finding)}", soft_wrap=True)
    say("room.planned" if changes else "room.as_it_should_be", began_at, **_counts(changes))


@room_app.command("apply", help="cli.room.apply.help")
def apply_command(file: RoomFile = DEFAULT_FILE, attendees: Attendees = None, yes: Yes = False) -> None:
    """Brings the room to the state described by its file.

    Raises:
        UserError: Cards that were handed out would become invalid, and the user did not confirm this.
    """
    provisioner = open_provisioner(file, attendees)
    cards = provisioner.card_changes()
    if (cards.again or cards.void) and not yes:
        raise UserError("room.error.cards", cards=" ".join(_about_cards(cards)))
    changes = apply_changes(provisioner, provisioner.apply)
    for line in _about_cards(cards):
        typer.echo(line)
    if changes:
        typer.echo(text("room.what_next", folder=provisioner.folder))
    wanted = cards.new + cards.again
    if wanted and wanted != provisioner.room.everybody:
        typer.echo(text("room.print", None, path=provisioner.print_cards(wanted)))


def apply_changes(
    provisioner: "Provisioner", apply: Callable[["OnProgress"], list["Change"]]
) -> list["Change"]:
    """Applies the changes, shows progress, and prints what was done."""
    from brakepoint.cli.evaluate import progress_on_stderr

    began_at = time.monotonic()
    with progress_on_stderr(text("room.progress")) as on_progress:
        changes = apply(on_progress)
    say("room.applied" if changes else "room.as_it_should_be", began_at, **_counts(changes))
    return changes


def _about_cards(cards: "CardChanges") -> list[str]:
    """One line each: cards to print, to reprint, to withdraw."""
    kinds = {"new": cards.new, "again": cards.again, "void": cards.void}
    return [
        text(f"room.cards.{kind}", None, handles=_some(handles)) for kind, handles in kinds.items() if handles
    ]


def _some(handles: tuple[str, ...]) -> str:
    """All handles; if there are many, only the first ones and their number."""
    return (
        ", ".join(handles) if len(handles) <= SHOWN else f"{', '.join(handles[:SHOWN])}, … ({len(handles)})"
    )


@room_app.command("status", help="cli.room.status.help")
def status_command(file: RoomFile = DEFAULT_FILE, attendees: Attendees = None) -> None:
    """Shows a row for each attendee."""
    from brakepoint.room.status import statuses

    provisioner = open_provisioner(file, attendees)
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for column in ("handle", "ready", "objects", "megabytes", "last"):
        table.add_column(
            text(f"room.table.{column}"), justify="right" if column in ("objects", "megabytes") else "left"
        )
    for status in statuses(provisioner):
        ready = "[green]✓[/]" if not status.missing else f"[red]✗[/] {_names(status.missing)}"
        last = f"{status.last_at.astimezone():%d.%m. %H:%M}" if status.last_at else "–"
        table.add_row(status.handle, ready, str(status.objects), number(status.megabytes, 1), last)
    print_table(Console(highlight=False), table)


@room_app.command("remove", help="cli.room.remove.help")
def remove_command(file: RoomFile = DEFAULT_FILE, yes: Yes = False) -> None:
    """Removes the whole room.

    Raises:
        UserError: The loss of the attendees' work was not confirmed.
    """
    from brakepoint.cli.evaluate import progress_on_stderr

    provisioner = open_provisioner(file, None)
    room = provisioner.room
    if provisioner.store.buckets() and not yes:
        raise UserError("room.error.would_delete", buckets=f"{room.name}-*")
    began_at = time.monotonic()
    with progress_on_stderr(text("room.progress")) as on_progress:
        provisioner.remove(on_progress)
    say("room.removed", began_at, room=room.name)


@room_app.command("serve", help="cli.room.serve.help")
def serve_command(file: RoomFile = DEFAULT_FILE, attendees: Attendees = None) -> None:
    """Runs the embedded store's server until Ctrl-C or SIGTERM.

    Raises:
        UserError: The room has a store with its own server, or the embedded one fails to start.
    """
    from brakepoint.room.config import EmbeddedSettings
    from brakepoint.room.stores import serving

    room = open_room(file, attendees)
    if not isinstance(room.store, EmbeddedSettings):
        raise UserError("room.error.serves_itself", endpoint=room.store.endpoint)
    stopping = stop_event()

    def tell_full(bucket: str) -> None:
        typer.echo(text("room.full", bucket=bucket, limit=room.store.limit_mb), err=True)

    with serving(room, tell_full):
        typer.echo(text("room.serving", host=room.store.host, port=room.store.port))
        stopping.wait()


@room_app.command("score", help="cli.room.score.help")
def score_command(
    file: RoomFile = DEFAULT_FILE,
    attendees: Attendees = None,
    watch: Annotated[bool, typer.Option("--watch", help="cli.room.watch")] = False,
    final: Annotated[bool, typer.Option("--final", help="cli.room.final")] = False,
) -> None:
    """Scores new submissions; those that are already scored are left alone.

    Raises:
        UserError: There is no sandbox or no hidden feed, so nothing is scored; or the scores cannot be
            written, which with `--watch` is reported and retried.
    """
    from brakepoint.room.outcomes import Scores
    from brakepoint.room.sandbox import protections
    from brakepoint.room.scoring import score_final, score_room
    from brakepoint.room.stores import open_store

    room = open_room(file, attendees)
    store, scores = open_store(room), Scores.load(room.folder)
    stopping = stop_event(also_ctrl_c=False)
    for protection in protections():
        _say_if_possible(text(f"room.protection.{protection}"), err=True)
    for round_ in count():
        told = 0
        try:
            room = open_room(file, attendees)  # People join and leave.
            scored = (
                score_final(room, scores, stopping) if final else score_room(room, store, scores, stopping)
            )
            for outcome in scored:
                told += 1
                tell_outcome(outcome)
        except OSError as error:
            trouble = UserError("room.error.disk", why=system_says(error))
            if not watch:
                raise trouble from error
            _say_if_possible(str(trouble), err=True)
        except UserError as error:
            if not watch or (round_ == 0 and not told):
                raise
            _say_if_possible(str(error), err=True)  # The store may come back: continue.
        if not watch:
            if not told:
                typer.echo(text("room.nothing_new"))
            return
        if stopping.wait(LOOK_EVERY_S):
            return


def tell_outcome(scored: tuple[str, "SubmissionOutcome"]) -> None:
    """Prints the outcome of a submission in one line."""
    handle, outcome = scored
    map50 = "–" if outcome.map50 is None else number(outcome.map50, 2)
    key = "room.not_scored" if outcome.reason else "room.scored"
    why = outcome.words()
    _say_if_possible(text(key, None, handle=handle, score=points(outcome.score), map50=map50, why=why))


def _say_if_possible(line: str, err: bool = False) -> None:
    """Prints a message; if the output is a file on a full disk, scoring continues."""
    with suppress(OSError):
        typer.echo(line, err=err)


@room_app.command("rehearse", help="cli.room.rehearse.help")
def rehearse_command(file: RoomFile = DEFAULT_FILE, attendees: Attendees = None) -> None:
    """Rehearses the room; exit status 1 if something failed.

    Raises:
        UserError: The room has not been applied, or its store fails to start.
    """
    from brakepoint.room.rehearsal import PATIENCE_S, rehearse
    from brakepoint.room.stores import open_store, serving

    room = open_room(file, attendees)
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for column in ("phase", "median", "slowest", "patience", "remark"):
        side: Literal["left", "right"] = "left" if column in ("phase", "remark") else "right"
        table.add_column(text(f"room.table.{column}"), justify=side)
    failed = False
    console = Console(highlight=False)
    with serving(room):
        for phase in rehearse(room, open_store(room)):
            slow = text("room.slow", handle=phase.slowest) if phase.is_slow else ""
            remarks = [f"{handle}: {why}" for handle, why in phase.failures.items()] or [slow]
            failed = failed or bool(phase.failures)
            colour = "red" if phase.failures else "yellow" if phase.is_slow else "green"
            seconds = (phase.median_s, phase.slowest_s, PATIENCE_S[phase.name])
            name = text(f"room.phase.{phase.name}")
            table.add_row(
                f"[{colour}]●[/] {name}",
                *(f"{number(one, 1)} s" for one in seconds),
                escape("\n".join(remarks[:3])),
            )
            console.print(text("room.rehearsed", phase=name, seconds=number(phase.slowest_s, 1)), style="dim")
    print_table(console, table)
    raise typer.Exit(1 if failed else 0)


def show_changes(changes: list["Change"], room: str, console: Console) -> None:
    """Prints a line for each attendee and kind of change, and the diff of manifests."""

    def whose(change: "Change") -> tuple[str, str]:
        return change.handle, change.action

    for (handle, action), group in groupby(sorted(changes, key=whose), key=whose):
        own = list(group)
        things = _names([change.what for change in own])
        console.print(f"[{COLOURS[action]}]{action} {handle or room:<22}[/] {things}", soft_wrap=True)
        for change in own:
            if change.diff:
                console.print(escape(change.diff), style="dim")


def say(key: str, began_at: float, **values: object) -> None:
    """Prints what was done, and how many seconds it took."""
    typer.echo(text(key, None, seconds=number(time.monotonic() - began_at, 1), **values))


def _names(whats: Iterable[object]) -> str:
    return ", ".join(text(f"room.what.{what}") for what in dict.fromkeys(whats))


def _counts(changes: list["Change"]) -> dict[str, object]:
    from brakepoint.room.provisioning import DiffAction

    return {name.name.lower(): sum(change.action is name for change in changes) for name in DiffAction}
