"""`brakepoint signs`: paper signs to print and to cut out."""

from pathlib import Path
from typing import Annotated

import typer

from brakepoint import extras
from brakepoint.texts import text

DEFAULT_OUT = Path("runs/signs.pdf")


def signs_command(
    out: Annotated[Path, typer.Option("--out", metavar="FILE.pdf", help="cli.signs.out")] = DEFAULT_OUT,
) -> None:
    """Writes the sheet."""
    extras.require("workshop", "matplotlib")
    from brakepoint.synthesis.sign_sheet import printed, write_sheet

    out.parent.mkdir(parents=True, exist_ok=True)
    write_sheet(out)
    typer.echo(text("signs.written", path=out, count=len(printed())))
