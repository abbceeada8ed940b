"""`brakepoint quantise`: quantises a detector to eight bits."""

from pathlib import Path
from typing import Annotated

import typer

from brakepoint import extras
from brakepoint.texts import number, text


def quantise_command(
    model: Annotated[Path, typer.Argument(metavar="MODEL.onnx", help="cli.quantise.model")],
    pictures: Annotated[Path, typer.Option("--pictures", metavar="DIR", help="cli.quantise.pictures")],
    val: Annotated[Path, typer.Option("--val", metavar="DIR", help="cli.quantise.val")],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="cli.quantise.out")] = None,
) -> None:
    """Quantises, and evaluates both models on the same pictures.

    Raises:
        UserError: The extra `quantise`, the model or a folder is missing, or one of them is invalid.
    """
    from brakepoint.detector import Detector
    from brakepoint.evaluation import evaluate
    from brakepoint.training.quantise import CALIBRATION_PICTURES, quantise

    extras.require("quantise")

    def report(key: str, file: Path) -> None:
        map50 = evaluate(val, Detector(file, confidence=0.001)).map50
        typer.echo(text(key, map50=number(map50, 3), kilobytes=file.stat().st_size // 1000))

    target = out or model.with_name(f"{model.stem}-int8.onnx")
    report("quantise.before", model)
    typer.echo(text("quantise.calibrating", count=CALIBRATION_PICTURES))
    quantise(model, pictures, target)
    report("quantise.after", target)
    typer.echo(text("quantise.done", path=target))
