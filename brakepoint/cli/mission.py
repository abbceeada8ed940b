"""`brakepoint mission`: drives the recorded feeds on a virtual clock, and scores the runs."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TextColumn
from rich.table import Table

from brakepoint import extras
from brakepoint.adapters import SIMULATED_HUB
from brakepoint.bars import progress_bar
from brakepoint.cli.screen import print_table
from brakepoint.cli.service import Hub, TrainAt, check_train
from brakepoint.detector import SHIPPED_MODEL
from brakepoint.errors import UserError
from brakepoint.feeds import feed_names, find_feed
from brakepoint.look import ORDER_COLOURS, order_text, points
from brakepoint.mission.drive import ORACLE, Assignment, Driven, Finished, News, check, drive_all, finish
from brakepoint.mission.page import render_page
from brakepoint.mission.report import PAGE_NAME, REPORT_NAME, Mission, Report, publishing
from brakepoint.services import ServiceSettings
from brakepoint.steps import SOURCE_VARIABLE, SOURCES
from brakepoint.texts import number, text
from brakepoint.train_file import Drive, chosen_train

ALL = "all"
DEFAULT_OUT = Path("runs/mission")


def mission_command(
    feed: Annotated[str, typer.Option("--feed", metavar="NAME|all", help="cli.mission.feed")] = ALL,
    steps: Annotated[str, typer.Option("--steps", metavar="solutions|labs", help="cli.mission.steps")] = "",
    detector: Annotated[
        str, typer.Option("--detector", metavar="MODEL.onnx|oracle", help="cli.mission.detector")
    ] = "",
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="cli.mission.out")] = DEFAULT_OUT,
    as_json: Annotated[bool, typer.Option("--json", help="cli.mission.json")] = False,
    live: Annotated[bool, typer.Option("--live", help="cli.mission.live")] = False,
    broker: Annotated[str, typer.Option("--broker", metavar="URL", help="live.option.broker")] = "",
    hub: Hub = "",
    link: TrainAt = "",
) -> None:
    """Drives and scores missions, and writes a report; exit status 1 if one was not accomplished."""
    source = steps or os.environ.get(SOURCE_VARIABLE) or SOURCES[0]
    model = detector or str(SHIPPED_MODEL)
    if (hub or link) and not live:
        raise UserError("live.error.train_not_live")
    check_train(hub, link)
    with publishing(out) as scratch:
        assignments = [Assignment(find_feed(name), source, model, scratch) for name in _chosen(feed)]
        with show_progress(assignments, as_json) as tell:
            if live:
                settings = ServiceSettings.given(
                    feed=feed, detector=detector, steps=source, broker=broker, hub=hub, link=link
                )
                finished = [_drive_live(assignments, settings, tell)]
            else:
                finished = drive_all(assignments, tell)
        report = make_report(source, model, finished)
        write_report(scratch, report, finished)
    if as_json:
        typer.echo(report.to_json(), nl=False)
    else:
        print_table(Console(highlight=False), report_table(report))
        typer.echo(text("mission.page_is", path=out / PAGE_NAME))
    raise typer.Exit(0 if report.accomplished else 1)


def _drive_live(
    assignments: list[Assignment], settings: ServiceSettings, tell: Callable[[Driven], None]
) -> Finished:
    """Drives one feed with the services; their output appears between the orders."""
    if len(assignments) != 1:
        raise UserError("live.error.one_feed")
    extras.require("live")
    from brakepoint.services.live_mission import drive_live

    assignment = assignments[0]
    check(assignments)
    run = drive_live(assignment, settings, tell)
    is_simulated = not settings.link and settings.hub.startswith(SIMULATED_HUB)
    drive = Drive() if is_simulated else chosen_train(settings.hub).drive
    news = News(assignment.feed, run.ticks[-1].position_cm, tell)
    return finish(run, assignment, news, drive.full_speed_cm_s)


def _chosen(feed: str) -> list[str]:
    names = feed_names() if feed == ALL else [feed]
    if not names:
        raise UserError("mission.error.no_feeds")
    return names


def make_report(steps: str, model: str, finished: list[Finished]) -> Report:
    """The report of all runs."""
    missions = tuple(run.recording.mission for run in finished)
    return Report(
        steps=steps,
        detector=model if model == ORACLE else Path(model).name,
        accomplished=all(mission.accomplished for mission in missions),
        missions=missions,
    )


def write_report(folder: Path, report: Report, finished: list[Finished]) -> None:
    """Writes page and report to a folder."""
    stills = {run.recording.feed: run.still for run in finished if run.still is not None}
    page = render_page(report, [run.recording for run in finished], stills)
    (folder / PAGE_NAME).write_text(page, encoding="utf-8")
    (folder / REPORT_NAME).write_text(report.to_json(), encoding="utf-8")


@contextmanager
def show_progress(assignments: list[Assignment], as_json: bool) -> Iterator[Callable[[Driven], None]]:
    """Shows a line for each train, and above these lines the orders as they are printed."""
    width = max(len(assignment.feed) for assignment in assignments)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        TextColumn("{task.fields[place]}", justify="right"),
        TextColumn("{task.fields[order]}"),
    )
    console = Console(stderr=as_json, highlight=False)
    with progress_bar(*columns, console=console, transient=True) as progress:
        tasks = {
            assignment.feed: progress.add_task(
                escape(assignment.feed), total=1.0, place="", order=text("mission.waiting")
            )
            for assignment in assignments
        }

        def tell(news: Driven) -> None:
            if news.printed is None:
                task = tasks[news.feed]
                progress.update(task, completed=news.share, place=_place(news), order=_order(news))
            elif not as_json:
                line = f"[bold]{escape(f'{news.feed:<{width}}')}[/]  {escape(news.printed)}"
                progress.console.print(line, soft_wrap=True)

        yield tell


def _place(news: Driven) -> str:
    place, speed = number(news.position_cm), number(news.speed_cm_s)
    return f"{place:>4} {text('unit.cm')}  {speed:>3} {text('unit.cm_s')}"


def _order(news: Driven) -> str:
    if news.note is not None:
        return news.note
    return f"[{ORDER_COLOURS[news.order]}]●[/] {order_text(news.order)}" if news.order else ""


def report_table(report: Report) -> Table:
    """The report as a table for the terminal."""
    drove = text("page.steps", steps=report.steps), text("page.detector", detector=report.detector)
    table = Table(
        title=escape(" · ".join(drove)),
        title_justify="left",
        title_style="dim",
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
    )
    table.add_column(text("mission.table.feed"), no_wrap=True)
    table.add_column(text("mission.table.verdict"), no_wrap=True)
    for column in ("score", "signs", "false_stops", "perception", "control"):
        heading = text(f"mission.table.{column}")
        table.add_column(heading, justify="right", width=max(map(len, heading.split())))
    for mission in report.missions:
        table.add_row(*_row(mission))
    return table


def _row(mission: Mission) -> tuple[str, ...]:
    obeyed = sum(sign.obeyed for sign in mission.signs)
    if mission.accomplished:
        verdict = f"[green]✓ {text('page.accomplished')}[/]"
    else:
        verdict = f"[red]✗ {text('page.failed')}[/]"
    return (
        f"[bold]{escape(mission.feed)}[/]",
        verdict,
        f"[bold]{points(mission.score)}[/]",
        f"{obeyed}/{len(mission.signs)}",
        str(mission.false_stops),
        points(mission.lost.perception),
        points(mission.lost.control),
    )
