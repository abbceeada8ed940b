"""`brakepoint dataset`: creates a dataset from the store, or from the user's labelled pictures."""

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from brakepoint import extras
from brakepoint.files import write_whole
from brakepoint.labels.signs import told
from brakepoint.steps import load_step
from brakepoint.texts import text

if TYPE_CHECKING:
    from brakepoint.store.building import Dataset

DEFAULT_OUT = Path("runs/dataset")
SAMPLES_NAME = "samples.jpg"


def dataset_command(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="cli.dataset.out")] = DEFAULT_OUT,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", show_default=False, help="cli.dataset.from")
    ] = None,
    steps: Annotated[
        str | None, typer.Option("--steps", metavar="solutions|labs", help="cli.dataset.steps")
    ] = None,
) -> None:
    """Fetches, converts and splits the pictures, and draws a few samples.

    Raises:
        UserError: The store or the disk failed, or the annotations are invalid.
    """
    extras.require("workshop", "boto3")
    import cv2

    from brakepoint.store.building import draw_samples

    step = load_step("step1_dataset", steps)
    said, dataset = _imported(source, step, out) if source else _fetched(step, out)
    write_whole(out / SAMPLES_NAME, cv2.imencode(".jpg", draw_samples(out / "train"))[1].tobytes())
    for line in told(dataset.notes):
        typer.echo(line, err=True)
    typer.echo(
        text(
            "cli.dataset.done",
            source=said,
            training=dataset.training,
            validation=dataset.validation,
            unlabelled=dataset.unlabelled,
            folder=out,
            samples=out / SAMPLES_NAME,
        )
    )


def _fetched(step: ModuleType, out: Path) -> tuple[str, "Dataset"]:
    """Creates the dataset from the store."""
    from brakepoint.cli.evaluate import progress_on_stderr
    from brakepoint.store import STILLS_PREFIX, object_store
    from brakepoint.store.building import build_dataset
    from brakepoint.store.fetching import fetch_content

    with object_store() as store, progress_on_stderr(text("cli.dataset.progress")) as on_progress:
        fetched = fetch_content(store, step, out / "downloads", on_progress)
    dataset = build_dataset(out / "downloads" / STILLS_PREFIX, step, out)
    return text("cli.dataset.fetched", fetched=fetched), dataset


def _imported(source: Path, step: ModuleType, out: Path) -> tuple[str, "Dataset"]:
    """Creates the dataset from a folder."""
    from brakepoint.store.building import import_dataset

    dataset = import_dataset(source, step, out)
    return text("cli.dataset.imported", folder=source), dataset
