"""`brakepoint prove`: drives every feed in every weather; shows where the detector or the autopilot fails."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from brakepoint.cli.evaluate import progress_on_stderr
from brakepoint.cli.screen import print_table
from brakepoint.detector import SHIPPED_MODEL
from brakepoint.feeds import find_feed
from brakepoint.files import write_whole
from brakepoint.look import points
from brakepoint.steps import SOURCE_VARIABLE, SOURCES
from brakepoint.texts import text

if TYPE_CHECKING:
    from brakepoint.proving.ground import Outcome, Proof

DEFAULT_OUT = Path("runs/proving")
PAGE_NAME = "index.html"


def prove_command(
    model: Annotated[str, typer.Option("--detector", metavar="MODEL.onnx", help="cli.prove.model")] = "",
    steps: Annotated[str, typer.Option("--steps", metavar="solutions|labs", help="cli.mission.steps")] = "",
    feed: Annotated[list[str] | None, typer.Option("--feed", metavar="NAME", help="cli.prove.feed")] = None,
    weather: Annotated[
        list[str] | None, typer.Option("--weather", metavar="NAME", help="cli.prove.weather")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="cli.prove.out")] = DEFAULT_OUT,
) -> None:
    """Tests model and autopilot; exit status 1 if a mission did not pass."""
    from brakepoint.proving.ground import Candidate, Proof, feeds_to_prove, prove, trials_of
    from brakepoint.proving.page import render_proof

    candidate = Candidate(model or str(SHIPPED_MODEL), steps or os.environ.get(SOURCE_VARIABLE) or SOURCES[0])
    trials = trials_of(map(find_feed, feed) if feed else feeds_to_prove(), weather or ())
    outcomes = []
    with progress_on_stderr(text("prove.progress")) as on_progress:
        for outcome in prove(candidate, trials, out):
            outcomes.append(outcome)
            on_progress(len(outcomes), len(trials))
    proof = Proof.of(candidate, trials, outcomes)
    write_whole(out / PAGE_NAME, render_proof(proof).encode())
    print_table(Console(highlight=False), proof_table(proof))
    typer.echo(text("prove.summary", None, **proof.counts()))
    typer.echo(text("mission.page_is", path=out / PAGE_NAME))
    raise typer.Exit(0 if all(outcome.holds for outcome in outcomes) else 1)


def proof_table(proof: "Proof") -> Table:
    """The scores as a table for the terminal: a row for each weather condition, a column for each feed."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(text("prove.weather"), no_wrap=True)
    for name in proof.feeds:
        table.add_column(escape(name.replace("-", "-\n")), justify="right")
    for name in proof.weathers:
        row = (proof.outcome(feed, name) for feed in proof.feeds)
        table.add_row(name, *(_cell(outcome) for outcome in row))
    return table


def _cell(outcome: "Outcome") -> str:
    colour, mark = ("green", "") if outcome.holds else ("red", "✗ ")
    return f"[{colour}]{mark}{points(outcome.score.score)}[/]"
