"""`brakepoint update`: fetches a newer kit, and keeps the work in the labs."""

import typer

from brakepoint.cli.workshop import BACKUPS_DIR
from brakepoint.course import ROOT
from brakepoint.texts import text
from brakepoint.workshop.renewal import renew


def update_command() -> None:
    """Fetches the newer kit and prints what happened to each begun lab.

    Raises:
        UserError: The kit isn't a clone, or Git could not fetch or merge.
    """
    renewed = renew(ROOT, BACKUPS_DIR)
    if renewed is None:
        typer.echo(text("update.nothing"))
        return
    for each in renewed:
        lab = each.lab.relative_to(ROOT)
        typer.echo(text(f"update.{each.fate}", lab=lab, backup=each.backup.relative_to(ROOT)))
    typer.echo(text("update.done"))
