"""The instructor's commands during the day: `brakepoint room password`, `card`, `add`, `move` and more."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from brakepoint import extras
from brakepoint.cli.room import (
    DEFAULT_FILE,
    Attendees,
    Handle,
    RoomFile,
    Yes,
    apply_changes,
    open_provisioner,
    open_room,
    room_app,
    say,
)
from brakepoint.errors import UserError
from brakepoint.texts import number, text

Undo = Annotated[bool, typer.Option("--undo", help="cli.room.undo")]
NewHandle = Annotated[str, typer.Argument(metavar="HANDLE", help="cli.room.add.handle", show_default=False)]
BackupFile = Annotated[Path, typer.Argument(metavar="BACKUP", help="cli.room.backup.file")]
File = Annotated[Path, typer.Option("--room", metavar="ROOM.yaml", help="cli.room.file")]


@room_app.command("prewarm", help="cli.room.prewarm.help")
def prewarm_command(file: RoomFile = DEFAULT_FILE) -> None:
    """Prints the DaemonSet that makes every node pull the room's images."""
    from brakepoint.room.prewarm import prewarm_manifest

    typer.echo(prewarm_manifest(open_room(file)), nl=False)


@room_app.command("card", help="cli.room.card.help")
def card_command(handle: Handle, file: RoomFile = DEFAULT_FILE, attendees: Attendees = None) -> None:
    """Writes a page with one card."""
    from brakepoint.room.config import require_attendee

    provisioner = open_provisioner(file, attendees)
    path = provisioner.print_cards((require_attendee(provisioner.room, handle),))
    typer.echo(text("room.print", None, path=path))


@room_app.command("password", help="cli.room.password.help")
def password_command(handle: Handle, file: RoomFile = DEFAULT_FILE, attendees: Attendees = None) -> None:
    """Replaces one attendee's password and key; the work is kept."""
    from brakepoint.room.config import require_attendee

    provisioner = open_provisioner(file, attendees)
    require_attendee(provisioner.room, handle)
    apply_changes(provisioner, lambda progress: provisioner.replace_account(handle, progress))
    path = provisioner.print_cards((handle,))
    typer.echo(text("room.password", None, handle=handle, path=path, folder=provisioner.folder))


@room_app.command("reset", help="cli.room.reset.help")
def reset_command(
    handle: Handle, file: RoomFile = DEFAULT_FILE, attendees: Attendees = None, yes: Yes = False
) -> None:
    """Resets one attendee.

    Raises:
        UserError: There is no such attendee, or the loss of the work was not confirmed.
    """
    from brakepoint.room.config import require_attendee

    provisioner = open_provisioner(file, attendees)
    place = provisioner.room.place_of(require_attendee(provisioner.room, handle))
    if not yes:
        raise UserError("room.error.would_reset", handle=handle, bucket=place)
    apply_changes(provisioner, lambda progress: provisioner.reset(handle, progress))
    path = provisioner.print_cards((handle,))
    typer.echo(text("room.reset", None, handle=handle, namespace=place, path=path, folder=provisioner.folder))


@room_app.command("add", help="cli.room.add.help")
def add_command(handle: NewHandle = "", file: RoomFile = DEFAULT_FILE) -> None:
    """Adds a late arrival to the room's file, and creates everything that this attendee needs."""
    from brakepoint.room.late import add_attendee

    before = open_room(file).everybody
    add_attendee(file, handle)
    provisioner = open_provisioner(file, None)
    apply_changes(provisioner, provisioner.apply)
    new = tuple(name for name in provisioner.room.everybody if name not in before)
    path = provisioner.print_cards(new)
    typer.echo(text("room.added", None, handle=", ".join(new), path=path, folder=provisioner.folder))


@room_app.command("move", help="cli.room.move.help")
def move_command(
    handle: Handle,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="cli.room.move.other")],
    file: RoomFile = DEFAULT_FILE,
    attendees: Attendees = None,
) -> None:
    """Swaps everything that belongs to two attendees.

    Raises:
        UserError: One of the attendees is not in the room, or both are the same.
    """
    from brakepoint.room.config import require_attendee

    provisioner = open_provisioner(file, attendees)
    for name in (handle, other):
        require_attendee(provisioner.room, name)
    if handle == other:
        raise UserError("room.error.same", handle=handle)
    began_at = time.monotonic()
    provisioner.move(handle, other)
    say("room.moved", began_at, handle=handle, other=other)


@room_app.command("rescore", help="cli.room.rescore.help")
def rescore_command(handle: Handle, file: RoomFile = DEFAULT_FILE, attendees: Attendees = None) -> None:
    """Has one submission scored again, although it has not changed."""
    from brakepoint.room.config import require_attendee
    from brakepoint.room.rulings import Rulings

    room = open_room(file, attendees)
    with Rulings.changing(room.folder) as rulings:
        rulings.again[require_attendee(room, handle)] = datetime.now(UTC)
    typer.echo(text("room.rescored", None, handle=handle))


@room_app.command("freeze", help="cli.room.freeze.help")
def freeze_command(file: RoomFile = DEFAULT_FILE, attendees: Attendees = None, undo: Undo = False) -> None:
    """Freezes the submissions, or unfreezes them."""
    from brakepoint.room.rulings import freeze, thaw
    from brakepoint.room.stores import open_store

    room = open_room(file, attendees)
    if undo:
        thaw(room)
        typer.echo(text("room.thawed"))
        return
    now = datetime.now(UTC)
    count = freeze(room, open_store(room), now)
    typer.echo(text("room.frozen", None, count=count, at=f"{now.astimezone():%H:%M:%S}"))


@room_app.command("disqualify", help="cli.room.disqualify.help")
def disqualify_command(
    handle: Handle, file: RoomFile = DEFAULT_FILE, attendees: Attendees = None, undo: Undo = False
) -> None:
    """Excludes one attendee from the scoring, or includes them again."""
    from brakepoint.room.config import require_attendee
    from brakepoint.room.rulings import Rulings

    room = open_room(file, attendees)
    require_attendee(room, handle)
    with Rulings.changing(room.folder) as rulings:
        if undo:
            rulings.disqualified.discard(handle)
        else:
            rulings.disqualified.add(handle)
    typer.echo(text("room.qualified" if undo else "room.disqualify", None, handle=handle))


@room_app.command("backup", help="cli.room.backup.help")
def backup_command(backup: BackupFile, file: RoomFile = DEFAULT_FILE) -> None:
    """Backs the room up to one private file."""
    from brakepoint.room.backup import save

    began_at, room = time.monotonic(), open_room(file)
    megabytes = save(room, file, backup)
    say("room.backed_up", began_at, path=backup, megabytes=number(megabytes, 1))


@room_app.command("restore", help="cli.room.restore.help")
def restore_command(backup: BackupFile, file: File = DEFAULT_FILE) -> None:
    """Restores the room on this machine from a backup."""
    from brakepoint.room.backup import restore
    from brakepoint.room.findings import findings

    extras.require("room")
    began_at = time.monotonic()
    room = restore(backup, file)
    say("room.restored", began_at, room=room.name, file=file, folder=room.folder)
    for finding in findings(room):
        typer.echo(f"! {finding}")


@room_app.command("report", help="cli.room.report.help")
def report_command(
    file: RoomFile = DEFAULT_FILE,
    attendees: Attendees = None,
) -> None:
    """Writes a page about how the day went."""
    from brakepoint.room.files import write
    from brakepoint.room.report import REPORT_NAME, report

    room = open_room(file, attendees)
    path = room.folder / REPORT_NAME
    write(path, report(room))
    typer.echo(text("room.reported", None, path=path))


@room_app.command("race", help="cli.room.race.help")
def race_command(
    file: RoomFile = DEFAULT_FILE,
    attendees: Attendees = None,
    final: Annotated[bool, typer.Option("--final", help="cli.room.race.final")] = False,
) -> None:
    """Writes a page on which the best submissions race."""
    from brakepoint.mission.page.race import render_race
    from brakepoint.room.files import write
    from brakepoint.room.race import PAGE_NAME, racers

    room = open_room(file, attendees)
    path = room.folder / PAGE_NAME
    write(path, render_race(racers(room, final)))
    typer.echo(text("race.written", None, path=path))


@room_app.command("souvenirs", help="cli.room.souvenirs.help")
def souvenirs_command(
    file: RoomFile = DEFAULT_FILE,
    attendees: Attendees = None,
    films: Annotated[bool, typer.Option("--films/--no-films", help="cli.room.souvenirs.films")] = True,
) -> None:
    """Writes the pages that the attendees take home."""
    from brakepoint.cli.evaluate import progress_on_stderr
    from brakepoint.room.souvenirs import FOLDER, write_souvenirs

    room = open_room(file, attendees)
    filmless = []
    with progress_on_stderr(text("cli.room.souvenirs.progress")) as on_progress:
        for done, total, without in write_souvenirs(room, films):
            filmless.append(without)
            on_progress(done, total)
    for handle in filter(None, filmless):
        typer.echo(text("cli.room.souvenirs.no_film", None, handle=handle))
    written = text("cli.room.souvenirs.written", None, count=len(filmless), folder=room.folder / FOLDER)
    typer.echo(written)
    if films:
        typer.echo(text("cli.room.souvenirs.shown"))
