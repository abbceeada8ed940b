"""`brakepoint base-model`: trains the model that fine-tuning starts from."""

from pathlib import Path
from typing import Annotated

import typer

from brakepoint.cores import available_cores
from brakepoint.steps import load_step
from brakepoint.texts import text
from brakepoint.worlds import World

SEED, HELD_OUT_SEED = 1, 999
HELD_OUT_PICTURES = 400
DEFAULT_OUT = Path("runs/base-model")


def base_model_command(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="cli.base-model.out")] = DEFAULT_OUT,
    pictures: Annotated[int, typer.Option("--pictures", min=1, help="cli.base-model.pictures")] = 30_000,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="cli.train.epochs")] = 5,
) -> None:
    """Creates road pictures, trains from scratch, and writes `run/model.pt` and `model.onnx`."""
    from brakepoint.synthesis.engine import synthesise
    from brakepoint.synthesis.materials import Materials
    from brakepoint.training.fine_tuning import learn

    painter, trainer = load_step("step2_synthetic", "solutions"), load_step("step3_training", "solutions")
    materials = Materials(World.ROAD, stickers=True)
    for name, count, seed in (
        ("pictures", pictures, SEED),
        ("held-out", HELD_OUT_PICTURES, HELD_OUT_SEED),
    ):
        synthesise(out / name, count, seed, materials, available_cores(), painter)
    recipe = trainer.Recipe(epochs=epochs, learning_rate=3e-3)
    trained = learn(trainer, [out / "pictures"], [out / "held-out"], out, None, recipe)
    typer.echo(text("training.done", checkpoint=trained.checkpoint, model=trained.model))
