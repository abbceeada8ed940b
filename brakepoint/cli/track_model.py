"""`brakepoint track-model`: trains the mission's model, starting from the base model alone."""

from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from brakepoint.cores import available_cores
from brakepoint.models import BASE_CHECKPOINT
from brakepoint.steps import load_step
from brakepoint.texts import text
from brakepoint.worlds import World

DEFAULT_OUT = Path("runs/track-model")
BACKDROP_SHARE = 1 / 6
"""Share of the track's pictures that are painted on frames of the feeds."""
ROADS_PER_TRACK = 2 / 3
"""Pictures of roads for each picture of the track: more than in step 3, as long training forgets more."""
HELD_OUT = {World.TRACK: (300, 999), World.ROAD: (200, 998)}
"""Validation pictures of each world: how many, and their seed."""


def track_model_command(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="cli.base-model.out")] = DEFAULT_OUT,
    start: Annotated[
        Path, typer.Option("--start", metavar="CHECKPOINT.pt", help="cli.train.start")
    ] = BASE_CHECKPOINT,
    pictures: Annotated[int, typer.Option("--pictures", min=6, help="cli.track-model.pictures")] = 24_000,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="cli.train.epochs")] = 2,
) -> None:
    """Creates all pictures, trains, and writes `run/model.pt` and `model.onnx`.

    Raises:
        UserError: The checkpoint or a part of the kit is missing or invalid.
    """
    from brakepoint.cli.backgrounds import backgrounds_command
    from brakepoint.store.building import build_dataset
    from brakepoint.store.content import CONTENT_DIR, STILLS_PREFIX
    from brakepoint.training.fine_tuning import learn

    stills, painter, trainer = (
        load_step(name, "solutions") for name in ("step1_dataset", "step2_synthetic", "step3_training")
    )
    build_dataset(CONTENT_DIR / STILLS_PREFIX, stills, out / "dataset")
    backgrounds_command(out / "backgrounds")
    backdrops = round(pictures * BACKDROP_SHARE)
    learnt = [
        _painted(out / "track", pictures - backdrops, 1, World.TRACK, painter),
        _painted(out / "backdrops", backdrops, 3, World.TRACK, painter, out / "backgrounds"),
        _painted(out / "roads", round(pictures * ROADS_PER_TRACK), 2, World.ROAD, painter),
    ]
    held_out = [_painted(out / f"val-{world}", *given, world, painter) for world, given in HELD_OUT.items()]
    data, val = [*learnt, out / "dataset"], [out / "dataset", *held_out]
    trained = learn(trainer, data, val, out, start, trainer.Recipe(epochs=epochs))
    typer.echo(text("training.done", checkpoint=trained.checkpoint, model=trained.model))


def _painted(
    folder: Path, count: int, seed: int, world: World, painter: ModuleType, backgrounds: Path | None = None
) -> Path:
    """Creates the missing pictures of a dataset, and returns its folder."""
    from brakepoint.synthesis.backgrounds import list_backgrounds
    from brakepoint.synthesis.cutouts import SHIPPED_CUTOUTS, load_cutouts
    from brakepoint.synthesis.engine import synthesise
    from brakepoint.synthesis.materials import Materials

    materials = Materials(world, list_backgrounds(backgrounds), load_cutouts(SHIPPED_CUTOUTS))
    synthesise(folder, count, seed, materials, available_cores(), painter)
    return folder
