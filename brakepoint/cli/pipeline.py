"""`brakepoint pipeline`: training as one pipeline, on this machine or on a cluster."""

from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from brakepoint import extras
from brakepoint.cli.screen import print_table
from brakepoint.cli.usage import CommandLine
from brakepoint.pipeline import PIPELINE_NAME
from brakepoint.steps import load_step
from brakepoint.texts import harmless, text

RUNS_DIR = Path("runs/pipeline")

pipeline_app = CommandLine(help="cli.pipeline.help", no_args_is_help=True)

Epochs = Annotated[int, typer.Option("--epochs", min=1, help="cli.pipeline.epochs")]
Pictures = Annotated[int, typer.Option("--pictures", min=1, help="cli.pipeline.pictures")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="cli.pipeline.seed")]
Least = Annotated[float, typer.Option("--least", min=0, max=1, help="cli.pipeline.least")]
Tolerance = Annotated[float, typer.Option("--tolerance", min=0, max=1, help="cli.pipeline.tolerance")]
Steps = Annotated[str | None, typer.Option("--steps", metavar="solutions|labs", help="cli.pipeline.steps")]


@pipeline_app.command("run", help="cli.pipeline.run.help")
def run_command(
    epochs: Epochs = 3,
    pictures: Pictures = 1000,
    seed: Seed = 0,
    least: Least = 0.5,
    tolerance: Tolerance = 0.01,
    steps: Steps = None,
) -> None:
    """Runs the pipeline on this machine; exit status 1 if the gate rejected the model."""
    step = _step(steps)
    from brakepoint.cli.model import open_registry
    from brakepoint.pipeline.local import run

    parameters = {
        "epochs": epochs,
        "pictures": pictures,
        "seed": seed,
        "least": least,
        "tolerance": tolerance,
    }
    outcome = run(step, _tell, RUNS_DIR, **parameters)
    if outcome.compared is not None:
        table = Table(*outcome.compared.heads(), box=None, pad_edge=False)
        for row in outcome.compared.rows():
            table.add_row(*row)
        print_table(Console(highlight=False), table)
        typer.echo(text("cli.pipeline.run.plots", folder=outcome.folder))
    for reason in outcome.refused:
        typer.echo(f"✗ {harmless(reason)}")
    if outcome.refused:
        typer.echo(text("cli.pipeline.run.refused"))
        raise typer.Exit(1)
    with open_registry() as registry:
        typer.echo(text("cli.pipeline.run.done", number=registry.production().number))


@pipeline_app.command("compile", help="cli.pipeline.compile.help")
def compile_command(
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE.yaml", help="cli.pipeline.compile.out")
    ] = RUNS_DIR / f"{PIPELINE_NAME}.yaml",
    steps: Steps = None,
) -> None:
    """Writes the pipeline as YAML."""
    step = _step(steps)
    from brakepoint.pipeline.cluster import compile_to

    compile_to(step, out)
    typer.echo(text("cli.pipeline.compile.done", path=out))


@pipeline_app.command("submit", help="cli.pipeline.submit.help")
def submit_command(
    host: Annotated[str, typer.Option("--host", metavar="URL", help="cli.pipeline.submit.host")] = "",
    epochs: Epochs = 3,
    pictures: Pictures = 1000,
    seed: Seed = 0,
    least: Least = 0.5,
    tolerance: Tolerance = 0.01,
    steps: Steps = None,
) -> None:
    """Starts a run on a cluster."""
    step = _step(steps)
    from brakepoint.pipeline.cluster import server_of_the_namespace, submit

    host = host or server_of_the_namespace()
    run_id = submit(
        step, host, RUNS_DIR, epochs=epochs, pictures=pictures, seed=seed, least=least, tolerance=tolerance
    )
    typer.echo(text("cli.pipeline.submit.done", run=run_id, host=host))


def _step(steps: str | None) -> ModuleType:
    extras.require("workshop", "boto3")
    extras.require("pipeline")
    return load_step("step4_pipeline", steps)


def _tell(what: str, task: str) -> None:
    typer.echo(text(f"pipeline.task.{what}", None, task=task))
