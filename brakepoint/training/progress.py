"""Shows the progress of training: a bar with the time left, a line per epoch, and the curves as a picture."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from brakepoint.bars import progress_bar
from brakepoint.files import whole_file
from brakepoint.texts import number, text

CURVES_NAME = "curves.png"
LOSSES = {"train/box_loss": "training.loss_box", "train/cls_loss": "training.loss_class"}
SCORES = {"metrics/mAP50(B)": "training.map50", "metrics/mAP50-95(B)": "training.map50_95"}


@contextmanager
def watched(model: Any, out_dir: Path) -> Iterator[None]:
    """Shows the training run within the context: in a terminal or a notebook, and in `out_dir/curves.png`.

    Args:
        model: The ultralytics model that is about to be trained.
        out_dir: Folder of the run, where ultralytics keeps `results.csv`.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = progress_bar(*columns)
    task = bar.add_task(text("training.preparing"), total=None)

    def begin(trainer: Any) -> None:
        done = trainer.start_epoch * len(trainer.train_loader)
        bar.update(task, total=trainer.epochs * len(trainer.train_loader), completed=done)

    def step(trainer: Any) -> None:
        epoch = text("training.epoch", epoch=trainer.epoch + 1, epochs=trainer.epochs)
        bar.update(task, advance=1, description=epoch)

    def end_epoch(trainer: Any) -> None:
        score = trainer.metrics["metrics/mAP50(B)"]
        bar.console.print(text("training.epoch_done", epoch=trainer.epoch + 1, map50=number(score, 3)))
        draw_curves(out_dir / "results.csv", out_dir / CURVES_NAME)

    model.add_callback("on_train_start", begin)
    model.add_callback("on_train_batch_end", step)
    model.add_callback("on_model_save", end_epoch)
    with bar:
        yield


def draw_curves(results: Path, target: Path) -> None:
    """Draws losses and mAP by epoch.

    Args:
        results: `results.csv` as ultralytics writes it.
        target: The PNG file.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with results.open(encoding="utf-8", newline="") as file:
        rows = [{name.strip(): float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    for axes, curves in zip(figure.subplots(1, 2), (LOSSES, SCORES), strict=True):
        for column, label in curves.items():
            axes.plot(
                [row["epoch"] for row in rows], [row[column] for row in rows], marker="o", label=text(label)
            )
        axes.set_xlabel(text("training.epochs"))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.legend()
    with whole_file(target) as part:
        figure.savefig(part, dpi=110)
