"""`brakepoint deploy`: runs an overlay on this machine, and scores a mission with it."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from brakepoint import extras
from brakepoint.cli.mission import make_report, report_table, show_progress, write_report
from brakepoint.cli.screen import print_table
from brakepoint.cli.up import teller
from brakepoint.course import LABS_DIR, SOLUTIONS_DIR
from brakepoint.detector import SHIPPED_MODEL
from brakepoint.errors import UserError
from brakepoint.feeds import find_feed
from brakepoint.mission.drive import Assignment, News, finish
from brakepoint.mission.report import PAGE_NAME, Report, publishing
from brakepoint.steps import SOURCE_VARIABLE, SOURCES
from brakepoint.texts import text

if TYPE_CHECKING:
    from brakepoint.delivery.running import Pods

DEFAULT_OUT = Path("runs/deploy")
FOLDERS = {"labs": LABS_DIR, "solutions": SOLUTIONS_DIR}


def deploy_command(
    steps: Annotated[str, typer.Option("--steps", metavar="solutions|labs", help="cli.deploy.steps")] = "",
    overlay: Annotated[
        Path | None, typer.Option("--overlay", metavar="DIR", help="cli.deploy.overlay")
    ] = None,
    detector: Annotated[
        Path, typer.Option("--detector", metavar="MODEL.onnx", help="cli.deploy.detector")
    ] = SHIPPED_MODEL,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="cli.deploy.out")] = DEFAULT_OUT,
    as_json: Annotated[bool, typer.Option("--json", help="cli.mission.json")] = False,
    secrets: Annotated[bool, typer.Option("--secrets", help="cli.deploy.secrets")] = False,
    pushed: Annotated[bool, typer.Option("--from-push", help="cli.deploy.from_push")] = False,
) -> None:
    """Deploys an overlay, and drives and scores a mission; exit status 1 if the mission failed."""
    from brakepoint.delivery.credentials import as_manifests, make_secrets

    if secrets:
        typer.echo(as_manifests(make_secrets()), nl=False)
        return
    extras.require("live")
    from brakepoint.cluster.shapes import object_of
    from brakepoint.delivery.rendering import render, render_step
    from brakepoint.delivery.running import Pods, entry_point

    source = steps or os.environ.get(SOURCE_VARIABLE) or SOURCES[0]
    if source not in SOURCES:
        raise UserError("steps.unknown_source", source=source, sources=", ".join(SOURCES))
    if pushed and (overlay or detector != SHIPPED_MODEL):
        raise UserError("cli.deploy.push.decided", option="--overlay" if overlay else "--detector")
    console = Console(stderr=as_json, highlight=False)
    with ExitStack() as stack:
        if pushed:
            from brakepoint.cli.from_push import from_push

            manifests, launch = stack.enter_context(from_push(source, console))
        else:
            folder = FOLDERS[source] / "step7_delivery"
            rendered = render(overlay) if overlay else render_step(folder, "overlay")
            manifests = [object_of(one, str(overlay or folder / "overlay")) for one in rendered]
            launch = entry_point(source, str(detector.resolve()))
        report = _drive(Pods(manifests, launch, teller(console)), source, detector, out, as_json)
    if as_json:
        typer.echo(report.to_json(), nl=False)
    else:
        print_table(Console(highlight=False), report_table(report))
        typer.echo(text("mission.page_is", path=out / PAGE_NAME))
    raise typer.Exit(0 if report.accomplished else 1)


def _drive(pods: "Pods", source: str, detector: Path, out: Path, as_json: bool) -> Report:
    """Drives the overlay's feed once, and writes the report."""
    from brakepoint.delivery.running import drive

    with publishing(out) as scratch:
        assignment = Assignment(find_feed(pods.settings.feed), source, str(detector), scratch)
        with show_progress([assignment], as_json) as tell:
            run = drive(pods, tell)
            finished = finish(run, assignment, News(assignment.feed, run.ticks[-1].position_cm, tell))
        report = make_report(source, str(detector), [finished])
        write_report(scratch, report, [finished])
    return report
