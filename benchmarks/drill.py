"""Causes every fault repeatedly, at random moments: `python -m benchmarks.drill`.

The drill measures how far the train rolled from each fault until it was at rest, and whether it drove on. It
also looks for processes that are left over or whose memory grows.
"""

import json
import os
import random
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.processes import left_behind, memory_mb, zombies
from brakepoint.cli.usage import run_alone
from brakepoint.detector import SHIPPED_MODEL
from brakepoint.errors import UserError
from brakepoint.locomotive import STOPPING_LIMIT_CM
from brakepoint.rules import AT_REST_CM_S
from brakepoint.services import ServiceSettings
from brakepoint.services.faults import FAULTS, TRAIN_KILLED, Stage, is_at_rest, position_now_cm
from brakepoint.services.live_mission import DRIVING
from brakepoint.systems import require_linux
from brakepoint.texts import text

FEED = "track-empty"
"""A feed on which no sign counts, so whatever the train does is due to the fault."""
STRIKE_CM = (5.0, 120.0)
"""Where the fault may occur: while the train accelerates, which takes about 60 cm, or at full speed."""
SETTLED_AFTER = 3
"""After this many rounds, a process has allocated the memory that it needs."""
GROWTH_MAX_MB = 30.0
"""A larger increase counts as growth, not as fluctuation of the allocator."""
DEFAULT_OUT = Path("runs/drill.json")
INTERRUPTED = 128 + signal.SIGINT


@dataclass(frozen=True)
class Round:
    """One occurrence of a fault.

    Attributes:
        fault: The fault.
        struck_at_cm: Position of the train when the fault occurred.
        speed_cm_s: Speed of the train at that moment.
        rest_after_cm: Distance that the train rolled before it was at rest; None if the train itself was
            lost.
        drives_after_s: Time from the fault until the train drove again; for a lost train, until the verdict.
        failure: What did not happen in time.
    """

    fault: str
    struck_at_cm: float
    speed_cm_s: float
    rest_after_cm: float | None = None
    drives_after_s: float | None = None
    failure: str = ""


Plan = list[tuple[str, float]]
"""For each round: the fault, and the train's position in centimetres when the fault occurs."""


@dataclass
class Report:
    """The results of the whole drill.

    Attributes:
        seed: Seed of the moments.
        limit_cm: The stopping limit.
        rounds: The rounds in order.
        growth_mb: Memory growth of each process that lived long enough, by `service pid`.
        zombies: Dead child processes that were not reaped.
        left_behind: Processes that survived the end.
    """

    seed: int
    limit_cm: float = STOPPING_LIMIT_CM
    rounds: list[Round] = field(default_factory=list)
    growth_mb: dict[str, float] = field(default_factory=dict)
    zombies: int = 0
    left_behind: int = 0

    @classmethod
    def load(cls, path: Path, seed: int, plan: Plan) -> "Report":
        """Resumes an interrupted drill with the same plan, or begins a new one."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            written = json.loads(path.read_text(encoding="utf-8"))
            written["rounds"] = [Round(**each) for each in written["rounds"]]
            report = cls(**written)
            done = [each.fault for each in report.rounds]
            is_interrupted = len(done) < len(plan) and done == [fault for fault, _ in plan[: len(done)]]
            if report.seed == seed and is_interrupted:
                return report
        return cls(seed)

    def save(self, path: Path) -> None:
        """Writes everything as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        part.replace(path)

    @property
    def holds(self) -> bool:
        """Whether the train was safe, recovered, and left nothing behind."""
        return (
            all(is_good(each, self.limit_cm) for each in self.rounds)
            and all(growth <= GROWTH_MAX_MB for growth in self.growth_mb.values())
            and not self.zombies
            and not self.left_behind
        )


def is_good(each: Round, limit_cm: float) -> bool:
    """Whether a round complied with the safety rules."""
    return not each.failure and (each.rest_after_cm is None or each.rest_after_cm <= limit_cm)


def make_plan(times: int, seed: int, faults: list[str]) -> Plan:
    """Plans each fault this many times, in an order and at places drawn from the seed."""
    chance = random.Random(seed)
    order = [fault for fault in faults for _ in range(times)]
    chance.shuffle(order)
    return [(fault, chance.uniform(*STRIKE_CM)) for fault in order]


def drill(
    plan: Plan, report: Report, settings: ServiceSettings, tell: Callable[[], None] = lambda: None
) -> None:
    """Runs the rounds that the report still lacks; Ctrl-C ends the drill without the current round.

    Args:
        plan: The faults, and the train's position when each occurs.
        report: Receives the rounds.
        settings: Settings of the services.
        tell: Called after each round.
    """
    taken: dict[str, list[float]] = defaultdict(list)
    with Stage(settings) as stage:
        link = stage.services.settings.link
        with suppress(KeyboardInterrupt):
            for fault, strike_cm in plan[len(report.rounds) :]:
                report.rounds.append(_play(stage, fault, strike_cm))
                report.zombies += zombies()
                for service in DRIVING:
                    if pid := stage.services.pid(service):
                        taken[f"{service} {pid}"].append(memory_mb(pid))
                tell()
    report.growth_mb |= {
        process: round(figures[-1] - figures[SETTLED_AFTER], 1)
        for process, figures in taken.items()
        if len(figures) > SETTLED_AFTER + 1
    }
    report.left_behind += left_behind(link)


def _play(stage: Stage, fault: str, strike_cm: float) -> Round:
    """Causes one fault when the train is at a position on the line."""
    each = Round(fault, struck_at_cm=0.0, speed_cm_s=0.0)
    try:
        stage.begin(FEED)
        before = stage.await_train(lambda state: state.position_cm >= strike_cm)
        struck_at = time.monotonic()
        struck_cm = position_now_cm(before)
        each = replace(each, struck_at_cm=round(struck_cm, 1), speed_cm_s=round(before.speed_cm_s, 1))
        if fault == TRAIN_KILLED:
            return replace(each, drives_after_s=_lose_train(stage, struck_at))
        with FAULTS[fault](stage):
            rest_cm = stage.await_train(is_at_rest).position_cm - struck_cm
        each = replace(each, rest_after_cm=round(rest_cm, 1))
        stage.await_train(lambda state: state.speed_cm_s > AT_REST_CM_S)
    except (TimeoutError, UserError) as error:
        return replace(each, failure=str(error))
    return replace(each, drives_after_s=round(time.monotonic() - struck_at, 2))


def _lose_train(stage: Stage, struck_at: float) -> float:
    """Kills the train itself: its run must end with the right verdict, and the next must begin as usual."""
    os.kill(stage.services.pid("train"), signal.SIGKILL)
    stage.await_loss()
    told_after_s = round(time.monotonic() - struck_at, 2)
    if stage.await_train(lambda state: True).speed_cm_s > 0:
        raise TimeoutError(text("bench.drill.set_off"))
    return told_after_s


def as_table(report: Report) -> Table:
    """Formats the drill as a table: a row for each fault."""
    table = Table(title=text("bench.drill.title", limit=report.limit_cm, seed=report.seed))
    table.add_column(text("bench.drill.fault"))
    for column in ("times", "rest_median", "rest_worst", "drives_median", "drives_worst", "failures"):
        title = text(f"bench.drill.{column}")
        table.add_column(title, justify="right", min_width=max(map(len, title.split())))
    by_fault: dict[str, list[Round]] = defaultdict(list)
    for each in report.rounds:
        by_fault[each.fault].append(each)
    for fault in (name for name in (*FAULTS, TRAIN_KILLED) if name in by_fault):
        table.add_row(*_row(fault, by_fault[fault], report.limit_cm))
    return table


def _row(fault: str, rounds: list[Round], limit_cm: float) -> tuple[str, ...]:
    rests = [each.rest_after_cm for each in rounds if each.rest_after_cm is not None]
    drives = [each.drives_after_s for each in rounds if each.drives_after_s is not None]
    failures = sum(not is_good(each, limit_cm) for each in rounds)
    return (
        text(f"bench.drill.faults.{fault}"),
        str(len(rounds)),
        *((f"{median(rests):.1f}", f"{max(rests):.1f}") if rests else ("–", "–")),
        *((f"{median(drives):.1f}", f"{max(drives):.1f}") if drives else ("–", "–")),
        f"[red]{failures}[/]" if failures else "0",
    )


def main(
    times: Annotated[int, typer.Option(min=1, help="bench.drill.option.times")] = 20,
    seed: Annotated[int, typer.Option(help="bench.drill.option.seed")] = 1,
    fault: Annotated[
        list[str] | None, typer.Option(show_default=False, help="bench.drill.option.fault")
    ] = None,
    detector: Annotated[str, typer.Option(show_default=False, help="live.option.detector")] = str(
        SHIPPED_MODEL
    ),
    out: Annotated[Path, typer.Option(help="bench.drill.option.out")] = DEFAULT_OUT,
) -> None:
    """Runs the drill, prints the table and writes the rounds; exit status 1 if a safety rule was violated."""
    console = Console(highlight=False)
    chosen = fault or [*FAULTS, TRAIN_KILLED]
    require_linux("make drill")
    if unknown := set(chosen) - {*FAULTS, TRAIN_KILLED}:
        known = ", ".join((*FAULTS, TRAIN_KILLED))
        raise UserError("bench.drill.unknown", fault=min(unknown), faults=known)
    plan = make_plan(times, seed, chosen)
    report = Report.load(out, seed, plan)
    with console.status(text("bench.measuring")) as status:

        def tell() -> None:
            report.save(out)
            last = report.rounds[-1]
            said = text(f"bench.drill.faults.{last.fault}")
            status.update(f"{len(report.rounds)}/{len(plan)} · {said}")
            if last.failure:
                console.print(f"[red]✗[/] {said}: {last.failure}")

        drill(plan, report, ServiceSettings(feed=FEED, detector=detector), tell)
    report.save(out)
    console.print(as_table(report))
    growth = max(report.growth_mb.values(), default=0.0)
    console.print(
        text("bench.drill.processes", zombies=report.zombies, left=report.left_behind, growth=growth)
    )
    if len(report.rounds) < len(plan):
        typer.echo(text("bench.drill.interrupted", done=len(report.rounds), planned=len(plan), path=out))
        raise typer.Exit(INTERRUPTED)
    typer.echo(text("bench.drill.holds" if report.holds else "bench.drill.fails", path=out))
    raise typer.Exit(0 if report.holds else 1)


if __name__ == "__main__":
    sys.exit(run_alone(main, "bench.drill.help", sys.argv[1:]))
