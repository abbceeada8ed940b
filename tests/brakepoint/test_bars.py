import io
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import rich
from rich.file_proxy import FileProxy
from rich.progress import Progress, TextColumn

from brakepoint.bars import progress_bar


@pytest.fixture
def console():
    """Rich's global console, restored after the test."""
    before = rich.get_console().__dict__.copy()
    yield rich
    rich.get_console().__dict__ = before


def test_in_a_notebook_half_a_line_is_left_to_the_kernel(console):
    console.reconfigure(force_jupyter=True)

    with progress_bar():
        assert not isinstance(sys.stdout, FileProxy)
        assert not isinstance(sys.stderr, FileProxy)


def test_in_a_terminal_output_appears_above_the_bar(console):
    console.reconfigure(force_terminal=True, force_jupyter=False)

    with progress_bar():
        assert isinstance(sys.stdout, FileProxy)


@pytest.fixture
def log(console):
    """The content of a file to which the output is redirected."""
    console.reconfigure(file=io.StringIO(), force_terminal=False, force_jupyter=False, width=80)
    return console.get_console().file


def work(bar: Progress, times: list[float], **changes: Any) -> None:
    """Moves a bar of ten by one at each of these times."""
    task = bar.add_task("Painting", total=10)
    for time in times:
        bar.get_time = partial(float, time)
        if changes:
            bar.update(task, **changes)
        else:
            bar.advance(task)


def lines(log: io.StringIO) -> list[str]:
    return [line for line in log.getvalue().splitlines() if line.strip()]


@pytest.mark.parametrize("changes", [{}, {"advance": 1}])
def test_in_a_log_a_bar_that_moves_is_a_line_now_and_then(log, changes):
    with progress_bar(TextColumn("{task.description} {task.completed}/{task.total}")) as bar:
        work(bar, [100, 110, 119.9, 120, 139, 140.5], **changes)

        assert lines(log) == ["Painting 4/10", "Painting 6/10"]


def test_in_a_log_a_bar_that_is_soon_through_is_one_line(log):
    with progress_bar() as bar:
        work(bar, [0, 1, 2])

    assert len(lines(log)) == 1


def test_a_bar_that_is_to_show_nothing_prints_no_line(log):
    with progress_bar(disable=True) as bar:
        work(bar, [0, 30, 60])

    assert lines(log) == []


@pytest.mark.parametrize("where", [{"force_terminal": True}, {"force_jupyter": True}])
def test_where_a_bar_is_drawn_it_prints_no_lines(console, where, monkeypatch):
    console.reconfigure(**{"file": io.StringIO(), "force_terminal": False, "force_jupyter": False, **where})
    printed = []
    bar = progress_bar()
    monkeypatch.setattr(bar.console, "print", lambda *words: printed.append(words))

    work(bar, [0, 30, 60])

    assert printed == []


def test_no_command_has_a_bar_that_is_silent_in_a_log():
    root = Path(__file__).parents[2]
    rooms = ("brakepoint", "footage", "hardware", "solutions")
    sources = [path for room in rooms for path in (root / room).rglob("*.py") if path.name != "bars.py"]
    own = re.compile(r"rich\.progress import [^)]*\b(Progress\b.*\bProgress\(|track\b)", re.DOTALL)

    assert sources
    assert [path.name for path in sources if own.search(path.read_text(encoding="utf-8"))] == []
