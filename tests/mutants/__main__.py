"""`make mutants`: breaks a sample of the product, and shows which tests noticed.

Nothing of the working tree is touched: it works in a copy of what git tracks. After Ctrl-C, it resumes when
called again with the same seed.
"""

import json
import sys
from collections.abc import Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from brakepoint.cores import available_cores
from mutants.changes import Change
from mutants.copies import Copies, copy_of
from mutants.reach import Measurements, Reach, blobs
from mutants.sample import PRODUCT, KeptOut, draw
from mutants.trials import Trial, Verdict, attempt, nearest

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "runs" / "mutants"
FILES_AT_ONCE = 10
"""So many files of tests are measured, and kept, together."""
COLOURS = {Verdict.CAUGHT: "green", Verdict.SURVIVED: "red", Verdict.EQUIVALENT: "dim"}

console = Console(highlight=False)


def main(
    seed: Annotated[int, typer.Option(help="Which sample.")] = 1,
    count: Annotated[int, typer.Option(help="How many changes.")] = 60,
    least: Annotated[float, typer.Option(help="The share that must be caught, in percent.")] = 95.0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what earlier calls have found.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="How many run at the same time.")] = available_cores(),
) -> None:
    """Breaks a sample of the product, one small thing at a time: do its tests notice?"""
    kept_out = KeptOut.load()
    changes = draw(ROOT, seed, count, kept_out)
    with ExitStack() as stack:
        copies = Copies([stack.enter_context(copy_of(ROOT)) for _ in range(jobs)])
        pool = stack.enter_context(ThreadPoolExecutor(jobs))
        stack.callback(pool.shutdown, cancel_futures=True)
        reach = measured(copies, pool)
        trials = list(try_all(changes, reach, kept_out, copies, pool, KEPT / f"seed-{seed}.jsonl", fresh))
    console.print(table_of(trials))
    matter = [trial for trial in trials if trial.verdict is not Verdict.EQUIVALENT]
    caught = sum(trial.verdict is Verdict.CAUGHT for trial in matter)
    share = 100 * caught / len(matter) if matter else 100.0
    equivalent = len(trials) - len(matter)
    console.print(
        f"Caught {caught} of {len(matter)} that matter: {share:.1f} % ({equivalent} make no difference)."
    )
    sys.exit(share < least)


def measured(copies: Copies, pool: Executor) -> Reach:
    """Which test runs which line; the first time, this takes as long as all tests."""
    measurements = Measurements(KEPT / "reach", PRODUCT)
    with copies.lent() as copy:
        now = blobs(copy)
    reach, stale = measurements.reach(now)
    batches = [stale[begin : begin + FILES_AT_ONCE] for begin in range(0, len(stale), FILES_AT_ONCE)]

    def measure(batch: list[str]) -> tuple[int, int]:
        with copies.lent() as copy:
            return len(batch), measurements.measure(copy, batch, now)

    done = 0
    for count, code in pool.map(measure, batches):
        done += count
        console.print(f"Measured what the tests run: {done} of {len(stale)} files.")
        if code:
            console.print("[red]Not every test passes as it is; those that fail are not asked.")
    return measurements.reach(now)[0] if stale else reach


def try_all(
    changes: list[Change],
    reach: Reach,
    kept_out: KeptOut,
    copies: Copies,
    pool: Executor,
    file: Path,
    fresh: bool,
) -> Iterable[Trial]:
    """Tries each change, and records its verdict.

    What was caught before is not tried again, as long as the module's text is the same; what survived is.
    """
    known = {} if fresh else {trial.change: trial for trial in read(file)}
    file.unlink(missing_ok=True)

    def trial_of(change: Change) -> Trial:
        if reason := kept_out.reason(change):
            return Trial(change, Verdict.EQUIVALENT, reason)
        before = known.get(change)
        if before is not None and before.verdict is Verdict.CAUGHT:
            return before
        tests = nearest(change, reach)
        with copies.lent() as copy:
            return attempt(change, tests, sum(reach.seconds[test] for test in tests), copy)

    for number, trial in enumerate(pool.map(trial_of, changes), 1):
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(trial), ensure_ascii=False) + "\n")
        console.print(
            f"{number:4}/{len(changes)} [{COLOURS[trial.verdict]}]{trial.verdict:10}[/]"
            f" {trial.seconds:5.0f} s  {trial.change.path}:{trial.change.line}"
        )
        yield trial


def read(file: Path) -> Iterable[Trial]:
    """The verdicts recorded so far."""
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        said = json.loads(line)
        yield Trial(Change(**said["change"]), Verdict(said["verdict"]), said["why"], said["seconds"])


def table_of(trials: list[Trial]) -> Table:
    """A row for each change, those that survived at the end."""
    table = Table(show_lines=True)
    for column in ("where", "before → after", "verdict", "why", "s"):
        table.add_column(column, overflow="fold", justify="right" if column == "s" else "left")
    for trial in sorted(trials, key=lambda trial: trial.verdict is Verdict.SURVIVED):
        change = trial.change
        where = f"{change.path}:{change.line}"
        what = f"{short(change.before)}\n→ {short(change.after)}"
        table.add_row(
            where, what, trial.verdict, trial.why, f"{trial.seconds:.0f}", style=COLOURS[trial.verdict]
        )
    return table


def short(line: str, most: int = 160) -> str:
    """A line, shortened if it is too long; brackets are not markup."""
    cut = line if len(line) <= most else line[: most - 1] + "…"
    return cut.replace("[", "\\[")


if __name__ == "__main__":
    typer.run(main)
