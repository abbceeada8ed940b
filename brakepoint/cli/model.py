"""`brakepoint model`: the model registry in the bucket."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from brakepoint import extras
from brakepoint.bars import progress_bar
from brakepoint.cli.screen import print_table
from brakepoint.cli.usage import CommandLine
from brakepoint.models import SHIPPED_MODEL
from brakepoint.texts import harmless, number, text
from brakepoint.worlds import World

if TYPE_CHECKING:
    from brakepoint.registry.bucket import Registry
    from brakepoint.registry.version import Version

FINGERPRINT_SHOWN = 8
"""Number of characters that a person needs to distinguish two fingerprints."""

model_app = CommandLine(help="cli.model.help", no_args_is_help=True)

Number = Annotated[int, typer.Argument(metavar="VERSION", min=1, help="cli.model.number")]


@contextmanager
def open_registry() -> "Iterator[Registry]":
    """The registry in the store named by the environment, or in the kit's own."""
    extras.require("workshop", "boto3")
    from brakepoint.registry.bucket import Registry
    from brakepoint.store import object_store

    with object_store() as store:
        yield Registry(store)


@model_app.command("list", help="cli.model.list.help")
def list_command() -> None:
    """Prints a row for each version."""
    with open_registry() as registry:
        versions, production = registry.versions(), registry.production().number
    if not versions:
        typer.echo(text("cli.model.empty"))
        return
    print_table(Console(highlight=False), as_table(versions, production))


@model_app.command("publish", help="cli.model.publish.help")
def publish_command(
    model: Annotated[Path, typer.Argument(metavar="MODEL.onnx", help="cli.model.model")],
) -> None:
    """Publishes a model that was trained by hand."""
    with open_registry() as registry:
        typer.echo(text("cli.model.publish.done", number=registry.publish(model).number))


@model_app.command("promote", help="cli.model.promote.help")
def promote_command(number: Number) -> None:
    """Puts another version into production."""
    with open_registry() as registry:
        registry.promote(number)
    typer.echo(text("cli.model.promote.done", number=number))


@model_app.command("rollback", help="cli.model.rollback.help")
def rollback_command() -> None:
    """Puts the previous version into production again."""
    with open_registry() as registry:
        number = registry.rollback()
    typer.echo(text("cli.model.promote.done", number=number))


@model_app.command("prepare", help="cli.model.prepare.help")
def prepare_command(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL.onnx", show_default=False, help="cli.model.prepare.model")
    ] = SHIPPED_MODEL,
) -> None:
    """Loads a model with TensorRT, which prints nothing while it builds an engine; shows the elapsed time."""
    from brakepoint.detector.runtime import TENSORRT_NAME, load_runtime

    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with progress_bar(*columns) as progress:
        progress.add_task(text("cli.model.prepare.building"), total=None)
        load_runtime(model, TENSORRT_NAME)
    typer.echo(text("cli.model.prepare.done", path=model))


def as_table(versions: "list[Version]", production: int | None) -> Table:
    """A row for each version; the one in production is marked with a dot."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for column in ("version", "published"):
        table.add_column(text(f"cli.model.list.{column}"))
    for world in World:
        table.add_column(f"mAP50 {text(f'world.{world}')}", justify="right")
    for column in ("data", "code"):
        table.add_column(text(f"cli.model.list.{column}"))
    for version in versions:
        measured = (version.metrics.get(world) for world in World)
        table.add_row(
            "[green]●[/]" if version.number == production else "",
            str(version.number),
            f"{version.published_at.astimezone():%Y-%m-%d %H:%M}",
            *("–" if value is None else number(value, 3) for value in measured),
            *(
                escape(harmless(fingerprint[:FINGERPRINT_SHOWN])) or "–"
                for fingerprint in (version.data, version.code)
            ),
        )
    return table
