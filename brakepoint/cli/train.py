"""`brakepoint train`: trains a detector on datasets of pictures and exports it."""

from pathlib import Path
from typing import Annotated

import typer

from brakepoint.models import BASE_CHECKPOINT
from brakepoint.steps import load_step
from brakepoint.texts import text

DEFAULT_OUT = Path("runs/train")


def train_command(
    data: Annotated[list[Path], typer.Option("--data", metavar="DIR", help="cli.train.data")],
    val: Annotated[list[Path], typer.Option("--val", metavar="DIR", help="cli.train.val")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="cli.train.out")] = DEFAULT_OUT,
    start: Annotated[
        Path, typer.Option("--start", metavar="CHECKPOINT.pt", help="cli.train.start")
    ] = BASE_CHECKPOINT,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="cli.train.epochs")] = 3,
    learning_rate: Annotated[
        float, typer.Option("--learning-rate", min=1e-6, max=1, help="cli.train.learning_rate")
    ] = 2e-3,
    seed: Annotated[int, typer.Option("--seed", min=0, help="cli.train.seed")] = 0,
    steps: Annotated[
        str | None, typer.Option("--steps", metavar="solutions|labs", help="cli.train.steps")
    ] = None,
) -> None:
    """Cuts the datasets into crops, trains, and writes `run/model.pt` and `model.onnx`.

    Raises:
        UserError: A dataset or the checkpoint is missing, empty or invalid.
    """
    from brakepoint.training.fine_tuning import learn

    step = load_step("step3_training", steps)
    recipe = step.Recipe(epochs=epochs, learning_rate=learning_rate, seed=seed)
    trained = learn(step, data, val, out, start, recipe)
    typer.echo(text("training.done", checkpoint=trained.checkpoint, model=trained.model))
