"""`brakepoint footage`: renders feeds and stills; needs the extra `footage`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from brakepoint.bars import progress_bar
from brakepoint.cli.usage import CommandLine
from brakepoint.errors import UserError

footage_app = CommandLine(help="cli.footage.help", no_args_is_help=True)


def _progress() -> Progress:
    return progress_bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        speed_estimate_period=600,
    )


def _require_blender() -> None:
    try:
        import bpy  # noqa: F401
    except ImportError:
        raise UserError("footage.no_blender") from None


@footage_app.command("render", help="cli.footage.render.help")
def render_command(
    scenario: Annotated[Path, typer.Argument(help="cli.footage.render.scenario")],
    out: Annotated[Path, typer.Option(help="cli.footage.render.out")],
) -> None:
    """Renders one scenario into a video and its ground truth."""
    from footage.render import render_feed, scenario_for

    scenario_for(scenario, out)
    _require_blender()
    with _progress() as progress:
        bar = progress.add_task(scenario.stem)
        render_feed(scenario, out, lambda done, total: progress.update(bar, completed=done, total=total))


@footage_app.command("stills", help="cli.footage.stills.help")
def stills_command(
    out: Annotated[Path, typer.Option(help="cli.footage.stills.out")],
    scenes: Annotated[int, typer.Option(min=1, help="cli.footage.stills.scenes")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="cli.footage.stills.seed")] = 1,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="DIR", help="cli.footage.stills.export")
    ] = None,
) -> None:
    """Renders labelled stills of random scenes."""
    _require_blender()
    from footage.stills import render_stills

    with _progress() as progress:
        bar = progress.add_task("stills")
        render_stills(
            out, seed, scenes, lambda done, total: progress.update(bar, completed=done, total=total)
        )
    if export is not None:
        from footage.exported_project import export_stills

        export_stills(out, export)


@footage_app.command("cutouts", help="cli.footage.cutouts.help")
def cutouts_command(
    out: Annotated[Path, typer.Option(help="cli.footage.cutouts.out")],
    views: Annotated[int, typer.Option(min=1, max=99, help="cli.footage.cutouts.views")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="cli.footage.cutouts.seed")] = 1,
) -> None:
    """Renders sign cut-outs."""
    _require_blender()
    from footage.cutouts import render_cutouts

    with _progress() as progress:
        bar = progress.add_task("cutouts")
        render_cutouts(
            out, views, seed, lambda done, total: progress.update(bar, completed=done, total=total)
        )
