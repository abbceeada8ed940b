"""`brakepoint replay`: plays a finished run again in the terminal."""

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from brakepoint.cli.mission import DEFAULT_OUT
from brakepoint.errors import UserError
from brakepoint.files import write_whole
from brakepoint.look import (
    ORDER_COLOURS,
    SIGN_LOOKS,
    order_text,
    points,
    reason_text,
)
from brakepoint.messages import Light
from brakepoint.mission.records import Tick
from brakepoint.mission.report import PAGE_NAME, Recording, load_run
from brakepoint.rules import CONTROL_RATE_HZ, FULL_SPEED_CM_S
from brakepoint.texts import number, text

DEFAULT_RACE = Path("runs/race.html")
LINE_CELLS, GAUGE_CELLS = 72, 30
BLINK_S = 0.5
SLEEP_MAX_S = 60.0
"""The system cannot sleep for as long as the slowest speeds would require."""


def replay_command(
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="RUN", help="cli.replay.run", show_default=False)
    ] = None,
    speed: Annotated[float, typer.Option("--speed", metavar="X", help="cli.replay.speed")] = 1.0,
    feed: Annotated[str, typer.Option("--feed", metavar="NAME", help="cli.replay.feed")] = "",
    out: Annotated[Path, typer.Option("--out", metavar="FILE.html", help="cli.replay.out")] = DEFAULT_RACE,
) -> None:
    """Plays each feed of a run in order; several runs become a race."""
    if not (speed >= 0 and math.isfinite(speed)):
        raise UserError("replay.error.speed", speed=speed)
    runs = runs or [DEFAULT_OUT]
    recordings = [_recordings(run, feed) for run in runs]
    if len(runs) > 1:
        _race(runs, recordings, out)
        return
    console = Console(highlight=False)
    for recording in recordings[0]:
        _play(recording, speed, console)
    typer.echo(text("mission.page_is", path=runs[0] / PAGE_NAME))


def _recordings(run: Path, feed: str) -> list[Recording]:
    """The recordings of a run, or the recording of one feed."""
    _, recordings = load_run(run)
    chosen = [recording for recording in recordings if feed in ("", recording.feed)]
    if not chosen:
        feeds = ", ".join(recording.feed for recording in recordings)
        raise UserError("replay.error.feed", feed=feed, feeds=feeds)
    return chosen


def _race(runs: list[Path], recordings: list[list[Recording]], out: Path) -> None:
    from brakepoint.mission.page.race import Racer, render_race

    racers = [Racer(str(run), one) for run, found in zip(runs, recordings, strict=True) for one in found]
    page = render_race(racers)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, page.encode())
    typer.echo(text("race.written", path=out))


def _play(recording: Recording, speed: float, console: Console) -> None:
    last = recording.run.ticks[-1]
    with Live(console=console, auto_refresh=False) as live:
        for tick in _paced(recording.run.ticks, speed):
            live.update(_dashboard(recording, tick, over=tick is last), refresh=True)


def _paced(ticks: tuple[Tick, ...], speed: float) -> Iterator[Tick]:
    """The ticks, each when it is due; skips some if the terminal cannot keep up."""
    begin = time.monotonic()
    shown = -1
    while speed > 0 and shown < len(ticks) - 2:
        due = int(min((time.monotonic() - begin) * speed * CONTROL_RATE_HZ, len(ticks)))
        if due <= shown:
            left_s = begin + (shown + 1) / (speed * CONTROL_RATE_HZ) - time.monotonic()
            time.sleep(min(max(left_s, 0), SLEEP_MAX_S))
            continue
        shown = min(due, len(ticks) - 2)
        yield ticks[shown]
    yield ticks[-1]


def _dashboard(recording: Recording, tick: Tick, over: bool) -> RenderableType:
    """A few lines that show one moment of a run."""
    colour = ORDER_COLOURS[tick.order.kind]
    lit = tick.light is Light.ON or (tick.light is Light.BLINK and tick.time_s % BLINK_S < BLINK_S / 2)
    title = Text.assemble(
        (f"{recording.feed}  ", "bold"),
        f"{number(tick.time_s, 1)} s  {number(tick.position_cm)} {text('unit.cm')}  ",
        (f"{text('page.orders.light')} {text(f'light.{tick.light}')} ", "dim"),
        ("☀" if lit else "·", "yellow" if lit else "dim"),
    )
    filled = round(GAUGE_CELLS * min(tick.speed_cm_s / FULL_SPEED_CM_S, 1.0))
    gauge = Text.assemble(
        ("█" * filled, colour),
        ("░" * (GAUGE_CELLS - filled), "dim"),
        f" {number(tick.speed_cm_s):>3} {text('unit.cm_s')}   ",
        (order_text(tick.order.kind), f"bold {colour}"),
        f"  {reason_text(tick.order.reason)}",
    )
    return Group(title, gauge, _line(recording, tick.position_cm), _verdict(recording) if over else Text())


def _line(recording: Recording, position_cm: float) -> Text:
    """The line with its signs and the train on it."""

    def cell(at_cm: float) -> int:
        return round(min(max(at_cm / recording.length_cm, 0.0), 1.0) * (LINE_CELLS - 1))

    train = cell(position_cm)
    cells = [("━", "bold" if i < train else "dim") for i in range(LINE_CELLS)]
    for sign in sorted(recording.signs, key=lambda sign: sign.counts):
        look = SIGN_LOOKS[sign.sign_class] if sign.counts and sign.sign_class else None
        cells[cell(sign.at_cm)] = (look.character, look.colour) if look else ("·", "dim")
    cells[train] = ("▶", "bold reverse")
    return Text.assemble(*cells)


def _verdict(recording: Recording) -> Text:
    mission = recording.mission
    words = text("film.accomplished") if mission.accomplished else text("film.failed")
    score = text("mission.scored", score=points(mission.score))
    return Text(f"{words} · {score}\n", "bold green" if mission.accomplished else "bold red")
