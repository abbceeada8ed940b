"""`brakepoint evaluate`: measures how good a detector is on labelled pictures."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from brakepoint.bars import progress_bar
from brakepoint.cli.screen import print_table
from brakepoint.detector import SHIPPED_MODEL, Detector
from brakepoint.errors import UserError
from brakepoint.evaluation import Evaluation, examine, measure
from brakepoint.labels.signs import Note, told
from brakepoint.texts import number, text

SHEETS_DIR = Path("runs/evaluation")
PATIENCE_S = 2.0
"""After this time, a person wants to see progress."""


def evaluate_command(
    images: Annotated[Path, typer.Option("--images", metavar="DIR", help="cli.evaluate.images")],
    model: Annotated[
        str,
        typer.Option("--detector", metavar="MODEL.onnx", show_default=False, help="cli.evaluate.model"),
    ] = str(SHIPPED_MODEL),
    confidence: Annotated[
        float, typer.Option("--confidence", min=0, max=1, help="cli.evaluate.confidence")
    ] = 0.25,
    least_px: Annotated[float, typer.Option("--least-px", min=0, help="cli.evaluate.least_px")] = 0,
    weather: Annotated[str, typer.Option("--weather", metavar="NAME", help="cli.evaluate.weather")] = "clear",
    sheet: Annotated[
        Path | None, typer.Option("--sheet", metavar="FILE.png", help="cli.evaluate.sheet")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="cli.evaluate.json")] = False,
) -> None:
    """Evaluates a detector, prints a table or one JSON object, and draws a sheet of pictures.

    Raises:
        UserError: The model, pictures or labels are missing or invalid, the weather is unknown, or the sheet
            cannot be written.
    """
    from brakepoint.evaluation.sheet import save_sheet

    change, name = _weather(weather), Path(model).name
    detector = Detector(model, confidence)
    with progress_on_stderr(text("cli.evaluate.progress")) as on_progress:
        notes: list[Note] = []
        examined = examine(images, detector, on_progress, notes, change)
    for line in told(notes):
        typer.echo(line, err=True)
    evaluation = measure(examined, confidence, least_px)
    if as_json:
        typer.echo(evaluation.model_dump_json(indent=2))
    else:
        print_table(Console(), as_table(evaluation, name))
        print_table(Console(), heights_table(evaluation))
    sheet = sheet or SHEETS_DIR / f"{Path(model).stem}-{images.resolve().name}.png"
    save_sheet(examined, confidence, _title(evaluation, name), sheet)
    typer.echo(text("evaluation.sheet.saved", path=sheet), err=as_json)


@contextmanager
def progress_on_stderr(description: str) -> Iterator[Callable[[int, int], None]]:
    """Provides a function that takes the number done and the total; a bar appears if it takes a while."""
    started_at = time.monotonic()
    with_bar = progress_bar(console=Console(stderr=True))
    task = with_bar.add_task(description)

    def on_progress(done: int, total: int) -> None:
        if time.monotonic() - started_at > PATIENCE_S:
            with_bar.start()
        with_bar.update(task, completed=done, total=total)

    try:
        yield on_progress
    finally:
        if with_bar.live.is_started:
            with_bar.stop()


def as_table(evaluation: Evaluation, model_name: str) -> Table:
    """Formats an evaluation as a table: a row for each class, and one for all classes."""
    low, high = map(_figure, evaluation.map50_interval)
    table = Table(
        title=escape(_title(evaluation, model_name)),
        caption=text(
            "cli.evaluate.caption",
            percent=round(100 * evaluation.confidence),
            false_alarms=evaluation.false_alarms,
            images=evaluation.images,
            low=low,
            high=high,
        ),
    )
    signs = text("cli.evaluate.truths")
    if evaluation.least_px:
        signs = text("cli.evaluate.truths_from", least_px=evaluation.least_px)
    table.add_column(text("cli.evaluate.class"))
    precision, recall = text("cli.evaluate.precision"), text("cli.evaluate.recall")
    for header in (signs, precision, recall, "mAP50", "mAP50-95"):
        table.add_column(header, justify="right")
    for sign_class, metrics in evaluation.per_class.items():
        figures = metrics.precision, metrics.recall, metrics.ap50, metrics.ap50_95
        table.add_row(sign_class, str(metrics.truths), *map(_figure, figures))
    table.add_section()
    truths = sum(metrics.truths for metrics in evaluation.per_class.values())
    overall = None, None, evaluation.map50, evaluation.map50_95
    table.add_row(text("cli.evaluate.all"), str(truths), *map(_figure, overall))
    return table


def heights_table(evaluation: Evaluation) -> Table:
    """Formats how many signs of each height in the picture were found: small signs are far away."""
    columns = [text("cli.evaluate.height"), text("cli.evaluate.truths"), text("cli.evaluate.found")]
    table = Table(*columns, text("cli.evaluate.recall"))
    for column in table.columns[1:]:
        column.justify = "right"
    for band in evaluation.by_height:
        key = "cli.evaluate.higher" if band.below_px is None else "cli.evaluate.between"
        height = text(key, low=band.from_px, high=band.below_px)
        table.add_row(height, str(band.signs), str(band.found), _figure(band.found / band.signs))
    return table


def _weather(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """A function that applies a weather condition to one picture after another.

    Raises:
        UserError: There is no such weather condition, or the condition moves the signs away from their
            labels.
    """
    from brakepoint.proving.weather import MOVING, WEATHERS, random_for

    usable = [each for each in WEATHERS if each not in MOVING]
    if name not in usable:
        raise UserError("cli.evaluate.no_weather", weather=name, weathers=", ".join(usable))
    random = random_for(name)
    return lambda picture: WEATHERS[name](picture, random)


def _title(evaluation: Evaluation, model_name: str) -> str:
    return text("cli.evaluate.title", model=model_name, images=evaluation.images)


def _figure(value: float | None) -> str:
    return "–" if value is None else number(value, 3)
