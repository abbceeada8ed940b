"""Adds up wall and processor time by stage, by wrapping functions of the kit from outside."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any
from unittest import mock

from rich.table import Table

from brakepoint.texts import text

COLUMNS = ("stage", "wall_ms", "processor_ms")


@dataclass
class Spent:
    """Time spent in a stage.

    Attributes:
        wall_s: Seconds that passed; None for a stage that runs beside others.
        processor_s: Processor time of all threads of this process, or of the process that does the work.
    """

    wall_s: float | None = 0.0
    processor_s: float = 0.0


class Stopwatch:
    """Measures stages, each without the stages inside it.

    Attributes:
        spent: The time by stage, in the order of their first appearance.
    """

    def __init__(self) -> None:
        self.spent: dict[str, Spent] = {}
        self._running: list[str] = []
        self._marked = self._clocks()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measures a block; the clock of the surrounding stage stops meanwhile."""
        self._mark()
        self._running.append(name)
        self.spent.setdefault(name, Spent())
        try:
            yield
        finally:
            self._mark()
            self._running.pop()

    def timed(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """Wraps a function so that its time counts as a stage."""

        @wraps(function)
        def call(*args: Any, **options: Any) -> Any:
            with self.stage(name):
                return function(*args, **options)

        return call

    @contextmanager
    def watching(self, *stages: tuple[Any, str, str]) -> Iterator[None]:
        """Measures functions wherever they are called within the context.

        Args:
            stages: For each function: the module, class or object that contains the function, the function's
                name there, and the name of the stage.
        """
        (owner, function, name), *others = stages
        with mock.patch.object(owner, function, self.timed(getattr(owner, function), name)):
            if others:
                with self.watching(*others):
                    yield
            else:
                yield

    def _clocks(self) -> tuple[float, float]:
        return time.perf_counter(), time.process_time()

    def _mark(self) -> None:
        before, self._marked = self._marked, self._clocks()
        if self._running:
            spent = self.spent[self._running[-1]]
            spent.wall_s = (spent.wall_s or 0.0) + self._marked[0] - before[0]
            spent.processor_s += self._marked[1] - before[1]


def stages_table(title: str, spent: dict[str, Spent], times: int = 1) -> Table:
    """Formats a row for each stage, and their sum.

    Args:
        title: Title of the table.
        spent: The time by stage, from a stopwatch.
        times: Number of repetitions, over which the times are averaged.
    """
    table = Table(title=title)
    for column in COLUMNS:
        table.add_column(text(f"bench.stages.{column}"), justify="left" if column == "stage" else "right")
    for name, each in spent.items():
        table.add_row(text(f"bench.stages.{name}"), *_figures(each, times))
    together = Spent(
        sum(each.wall_s or 0.0 for each in spent.values()), sum(each.processor_s for each in spent.values())
    )
    table.add_section()
    table.add_row(text("bench.stages.together"), *_figures(together, times))
    return table


def _figures(spent: Spent, times: int) -> tuple[str, str]:
    wall = "–" if spent.wall_s is None else f"{1000 * spent.wall_s / times:.2f}"
    return wall, f"{1000 * spent.processor_s / times:.2f}"
