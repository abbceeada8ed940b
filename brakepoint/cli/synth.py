"""`brakepoint synth`: creates a dataset of synthetic pictures."""

from pathlib import Path
from typing import Annotated

import typer

from brakepoint.cores import available_cores
from brakepoint.steps import load_step
from brakepoint.texts import text
from brakepoint.worlds import World


def synth_command(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="cli.synth.out")],
    count: Annotated[int, typer.Option("--count", help="cli.synth.count")] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="cli.synth.seed")] = 0,
    backgrounds: Annotated[
        Path | None, typer.Option("--backgrounds", metavar="DIR", help="cli.synth.backgrounds")
    ] = None,
    cutouts: Annotated[
        Path | None, typer.Option("--cutouts", metavar="DIR", help="cli.synth.cutouts")
    ] = None,
    world: Annotated[World, typer.Option("--world", help="cli.synth.world")] = World.TRACK,
    workers: Annotated[int, typer.Option("--workers", help="cli.synth.workers")] = available_cores(),
    steps: Annotated[
        str | None, typer.Option("--steps", metavar="solutions|labs", help="cli.synth.steps")
    ] = None,
) -> None:
    """Creates the missing pictures.

    Raises:
        UserError: The settings are impossible, a background is invalid, or the folder was begun with other
            settings.
    """
    from brakepoint.synthesis.backgrounds import list_backgrounds
    from brakepoint.synthesis.cutouts import SHIPPED_CUTOUTS, load_cutouts
    from brakepoint.synthesis.engine import synthesise
    from brakepoint.synthesis.materials import Materials

    materials = Materials(world, list_backgrounds(backgrounds), load_cutouts(cutouts or SHIPPED_CUTOUTS))
    made = synthesise(out, count, seed, materials, workers, load_step("step2_synthetic", steps))
    typer.echo(text("synthesis.done", made=made, count=count, path=out))
