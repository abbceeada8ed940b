"""`brakepoint train`: trains a detector on datasets of pictures and exports it."""

from pathlib import Path
from typing import Annotated

import typer

from brakepoint.steps import load_step
from brakepoint.texts import text

CROPS_A_PICTURE = 3
DEFAULT_OUT = Path("runs/train")


def train_command(
    data: Annotated[list[Path], typer.Option("--data", metavar="DIR", help=text("cli.train.data"))],
    val: Annotated[list[Path], typer.Option("--val", metavar="DIR", help=text("cli.train.val"))],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help=text("cli.train.out"))] = DEFAULT_OUT,
    start: Annotated[
        Path | None, typer.Option("--start", metavar="CHECKPOINT.pt", help=text("cli.train.start"))
    ] = None,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help=text("cli.train.epochs"))] = 4,
    learning_rate: Annotated[
        float, typer.Option("--learning-rate", help=text("cli.train.learning_rate"))
    ] = 2e-3,
    seed: Annotated[int, typer.Option("--seed", min=0, help=text("cli.train.seed"))] = 0,
    steps: Annotated[
        str | None, typer.Option("--steps", metavar="solutions|labs", help=text("cli.train.steps"))
    ] = None,
) -> None:
    """Cuts the datasets into crops, trains, and leaves `track.pt` and `track.onnx` in the run's folder.

    Raises:
        UserError: A dataset or the checkpoint is missing, empty or invalid.
    """
    from brakepoint.training import cut_crops

    step = load_step("step3_training", steps)
    crops = {folder: out / "crops" / f"{number}-{folder.name}" for number, folder in enumerate([*data, *val])}
    for folder, cut in crops.items():
        cut_crops(folder, cut, 1 if folder in val else CROPS_A_PICTURE, seed)
    recipe = step.Recipe(epochs=epochs, learning_rate=learning_rate, seed=seed)
    checkpoint = step.train([crops[f] for f in data], [crops[f] for f in val], out / "run", start, recipe)
    model = step.export(checkpoint, out / "track.onnx")
    typer.echo(text("training.done", checkpoint=checkpoint, model=model))
