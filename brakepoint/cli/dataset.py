"""`brakepoint dataset`: downloads what the kit has in the store and makes a dataset of them."""

from pathlib import Path
from typing import Annotated

import typer

from brakepoint import extras
from brakepoint.steps import load_step
from brakepoint.texts import text

DEFAULT_OUT = Path("runs/dataset")
SAMPLES_NAME = "samples.jpg"


def dataset_command(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="cli.dataset.out")] = DEFAULT_OUT,
    steps: Annotated[
        str | None, typer.Option("--steps", metavar="solutions|labs", help="cli.dataset.steps")
    ] = None,
) -> None:
    """Fetches, converts, splits, and draws a few samples.

    Raises:
        UserError: The store, the disk or the annotations are not as they should be.
    """
    extras.require("workshop", "boto3")
    import cv2

    from brakepoint.cli.evaluate import progress_on_stderr
    from brakepoint.store import STILLS_PREFIX, object_store
    from brakepoint.store.building import build_dataset, draw_samples
    from brakepoint.store.fetching import fetch_content

    step = load_step("step1_dataset", steps)
    with object_store() as store, progress_on_stderr(text("cli.dataset.progress")) as on_progress:
        fetched = fetch_content(store, step, out / "downloads", on_progress)
    dataset = build_dataset(out / "downloads" / STILLS_PREFIX, step, out)
    cv2.imwrite(str(out / SAMPLES_NAME), draw_samples(out / "train"))
    typer.echo(
        text(
            "cli.dataset.done",
            fetched=fetched,
            training=dataset.training,
            validation=dataset.validation,
            unlabelled=dataset.unlabelled,
            folder=out,
            samples=out / SAMPLES_NAME,
        )
    )
