"""`brakepoint backgrounds`: saves frames without signs from the recorded feeds."""

from pathlib import Path
from typing import Annotated

import typer

from brakepoint.bars import progress_bar
from brakepoint.texts import text


def backgrounds_command(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="cli.backgrounds.out")] = Path(
        "runs/backgrounds"
    ),
) -> None:
    """Writes the pictures, replacing existing ones.

    Raises:
        UserError: A feed is damaged, or its ground truth belongs to another feed.
    """
    from brakepoint.synthesis.feed_frames import save_signless_frames

    with progress_bar() as bar:
        frames = bar.track(
            save_signless_frames(out), total=None, description=text("synthesis.saving_backgrounds")
        )
        saved = sum(1 for _ in frames)
    typer.echo(text("synthesis.backgrounds_saved", count=saved, path=out))
