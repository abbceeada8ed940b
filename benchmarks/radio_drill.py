"""Causes everything that can go wrong on the radio: `make radio-drill`.

The drill uses the real driver and the real guard, with bleak's own Linux code, and a hub on a fake BlueZ
(`tests/fake_bluez.py`) that records its motor commands. From these commands, the kit's model computes the
train's motion at full speed.
"""

import json
import random
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.radio_stage import FAULTS, Fault, Stage
from brakepoint.cli.usage import run_alone
from brakepoint.errors import UserError
from brakepoint.locomotive import Motion, braking_distance_cm
from brakepoint.systems import require_linux
from brakepoint.texts import languages, number, text
from hardware.lwp3 import BRAKE

STRIKE_S = (2.5, 4.0)
"""When the fault may occur, counted from full power: the train has full speed by then."""
DEFAULT_OUT = Path("runs/radio-drill.json")
DOCS = Path(__file__).parent.parent / "docs"
MARKS = "<!-- radio drill -->", "<!-- end of radio drill -->"
AT_ONCE = 6
"""Number of trains that are tested at the same time; they mostly wait."""


@dataclass(frozen=True)
class Round:
    """One occurrence of a fault.

    Attributes:
        fault: The fault.
        braked_after_s: Time from the fault until the hub received a brake; None if the train must drive on.
        rest_after_cm: Distance from the fault until the train was at rest.
        failure: What did not happen, or should not have.
    """

    fault: str
    braked_after_s: float | None = None
    rest_after_cm: float | None = None
    failure: str = ""


def play(fault: str, moments_s: list[float]) -> list[Round]:
    """Causes a fault at several moments, each a while after full power, each with its own train."""
    rounds = []
    for moment_s in moments_s:
        with tempfile.TemporaryDirectory() as folder, Stage(Path(folder)) as stage:
            try:
                rounds.append(_play_one(stage, fault, FAULTS[fault], moment_s))
            except TimeoutError as error:
                rounds.append(Round(fault, failure=str(error)))
    return rounds


def _play_one(stage: Stage, name: str, fault: Fault, moment_s: float) -> Round:
    stage.set_off()
    time.sleep(moment_s)
    struck_at = time.monotonic()
    fault.strike(stage)
    if fault.drives_on:
        time.sleep(1.5)
        drives = stage.hub.motor == 100 and stage.device.connects == 1
        return Round(name, failure="" if drives else text("bench.radio.stopped"))
    stage.until(lambda: any(value == BRAKE and at > struck_at for at, value in stage.hub.history))
    if fault.wakes_guard:
        stage.until(lambda: bool(stage.braked_at))
        time.sleep(1.5)
    history = list(stage.hub.history)
    braked_at = next(at for at, value in history if value == BRAKE and at > struck_at)
    motion, later = motion_at(history, struck_at), motion_at(history, braked_at)
    rest_cm = later.position_cm + braking_distance_cm(later.speed_cm_s) - motion.position_cm
    return Round(name, round(braked_at - struck_at, 3), round(rest_cm, 1), _what_is_false(stage, history))


def _what_is_false(stage: Stage, history: list[tuple[float, int]]) -> str:
    """Compares the guard's report with the motor commands after the report."""
    for said_at in stage.braked_at:
        before = [value for at, value in history if at <= said_at]
        after = [value for at, value in history if at > said_at]
        if before[-1] != BRAKE or {*after} - {BRAKE}:
            return text("bench.radio.false_word")
    return ""


def motion_at(history: list[tuple[float, int]], until: float) -> Motion:
    """Position and speed of a train whose motor received these values at these times."""
    motion = Motion()
    for (at, value), (following, _) in pairwise([*history, (until, 0)]):
        seconds = min(following, until) - at
        if seconds > 0:
            motion = motion.braked(seconds) if value == BRAKE else motion.pulled(value, seconds)
    return motion


def write_pages(rounds: list[Round], docs: Path = DOCS) -> None:
    """Writes the worst result of each fault into the safety page, in each language, between two marks."""
    for lang in languages():
        page = docs / lang / "safety.md"
        head, _, rest = page.read_text("utf-8").partition(MARKS[0])
        _, _, tail = rest.partition(MARKS[1])
        page.write_text(f"{head}{MARKS[0]}\n\n{as_markdown(rounds, lang)}\n\n{MARKS[1]}{tail}", "utf-8")


def as_markdown(rounds: list[Round], lang: str) -> str:
    """Formats a row for each fault: how often it occurred, and the worst result."""
    columns = [
        text(f"bench.{key}", lang) for key in ("drill.fault", "drill.times", "radio.braked", "radio.rest")
    ]
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)]]
    for name in FAULTS:
        of_it = [each for each in rounds if each.fault == name]
        worst = max(of_it, key=lambda each: each.rest_after_cm or 0.0, default=None)
        if worst is None:
            continue
        figures = ["–", "–"]
        if worst.braked_after_s is not None and worst.rest_after_cm is not None:
            figures = [number(worst.braked_after_s, 2, lang), number(worst.rest_after_cm, 0, lang)]
        lines.append([text(f"bench.radio.faults.{name}", lang), str(len(of_it)), *figures])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def as_table(rounds: list[Round], seed: int) -> Table:
    """Formats the drill as a table: a row for each fault."""
    table = Table(title=text("bench.radio.title", seed=seed))
    table.add_column(text("bench.drill.fault"))
    for column in ("times", "brake_median", "brake_worst", "rest_median", "rest_worst", "failures"):
        group = "radio" if column.startswith("brake") else "drill"
        table.add_column(text(f"bench.{group}.{column}"), justify="right")
    for name in FAULTS:
        of_it = [each for each in rounds if each.fault == name]
        if of_it:
            table.add_row(text(f"bench.radio.faults.{name}"), str(len(of_it)), *_figures(of_it))
    return table


def _figures(rounds: list[Round]) -> list[str]:
    times = [each.braked_after_s for each in rounds if each.braked_after_s is not None]
    rests = [each.rest_after_cm for each in rounds if each.rest_after_cm is not None]
    failures = sum(bool(each.failure) for each in rounds)
    figures = [
        f"{summary(values):.{digits}f}" if values else "–"
        for values, digits in ((times, 2), (rests, 0))
        for summary in (median, max)
    ]
    return [*figures, f"[red]{failures}[/]" if failures else "0"]


def main(
    times: Annotated[int, typer.Option(min=1, help="bench.drill.option.times")] = 20,
    seed: Annotated[int, typer.Option(help="bench.drill.option.seed")] = 1,
    fault: Annotated[
        list[str] | None, typer.Option(show_default=False, help="bench.drill.option.fault")
    ] = None,
    out: Annotated[Path, typer.Option(help="bench.drill.option.out")] = DEFAULT_OUT,
    write: Annotated[bool, typer.Option("--write", help="bench.radio.write")] = False,
) -> None:
    """Runs the drill, prints the table and writes the rounds; exit status 1 if a train did not stop."""
    require_linux("make radio-drill")
    chosen = fault or [*FAULTS]
    if unknown := {*chosen} - {*FAULTS}:
        raise UserError("bench.drill.unknown", fault=min(unknown), faults=", ".join(FAULTS))
    chance, console = random.Random(seed), Console(highlight=False)
    moments = {name: [chance.uniform(*STRIKE_S) for _ in range(times)] for name in chosen}
    rounds: list[Round] = []
    with (
        console.status(text("bench.measuring")) as status,
        ProcessPoolExecutor(AT_ONCE, get_context("spawn")) as pool,
    ):
        jobs = [pool.submit(play, name, [moment]) for name in chosen for moment in moments[name]]
        for job in jobs:
            rounds += job.result()
            status.update(f"{len(rounds)}/{len(jobs)}")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"seed": seed, "rounds": [asdict(each) for each in rounds]}, indent=1), "utf-8")
    console.print(as_table(rounds, seed))
    if write:
        write_pages(rounds)
    holds = not any(each.failure for each in rounds)
    typer.echo(text("bench.radio.holds" if holds else "bench.radio.fails", path=out))
    raise typer.Exit(0 if holds else 1)


if __name__ == "__main__":
    sys.exit(run_alone(main, "bench.radio.help", sys.argv[1:]))
