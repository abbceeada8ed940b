"""`brakepoint backgrounds`: saves what the recorded feeds show where no sign stands."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from brakepoint.texts import text


def backgrounds_command(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help=text("cli.backgrounds.out"))] = Path(
        "runs/backgrounds"
    ),
) -> None:
    """Writes the pictures; those that are there are made anew.

    Raises:
        UserError: A feed is damaged, or its ground truth is that of another.
    """
    from brakepoint.synthesis.feed_frames import save_signless_frames

    saved = sum(1 for _ in track(save_signless_frames(out), text("synthesis.saving_backgrounds"), total=None))
    typer.echo(text("synthesis.backgrounds_saved", count=saved, path=out))
