"""Where the time goes: each stage without the stages inside it."""

import io
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from benchmarks.processes import after_name, processor_s
from benchmarks.stopwatch import Spent, Stopwatch, stages_table


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    """A stopwatch on which a second passes, and half a second of processor time, whenever it looks."""
    seconds = iter(range(100))
    monkeypatch.setattr(Stopwatch, "_clocks", lambda _: (float(now := next(seconds)), now / 2))
    return Stopwatch()


def test_a_stage_does_not_count_what_runs_inside_it(watch: Stopwatch):
    with watch.stage("outer"), watch.stage("inner"):
        pass
    with watch.stage("outer"):
        pass

    assert watch.spent == {"outer": Spent(3.0, 1.5), "inner": Spent(1.0, 0.5)}
    assert list(watch.spent) == ["outer", "inner"]


def test_a_stage_ends_where_it_fails(watch: Stopwatch):
    with pytest.raises(ZeroDivisionError), watch.stage("fails"):
        raise ZeroDivisionError
    with watch.stage("next"):
        pass

    assert watch.spent == {"fails": Spent(1.0, 0.5), "next": Spent(1.0, 0.5)}


def test_functions_are_watched_within_the_block_only_and_answer_as_ever(watch: Stopwatch):
    owner = SimpleNamespace(double=lambda value: 2 * value, half=lambda value, by=2: value / by)
    double = owner.double
    with watch.watching((owner, "double", "first"), (owner, "half", "second")):
        answers = owner.double(4), owner.half(9, by=3)

    assert answers == (8, 3)
    assert list(watch.spent) == ["first", "second"]
    assert owner.double is double


def shown(table: object) -> list[list[str]]:
    """The cells of each row of a table."""
    out = io.StringIO()
    Console(file=out, width=100).print(table)
    return [
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in out.getvalue().splitlines()
        if "│" in line
    ]


def test_the_table_is_an_average_and_its_last_row_a_sum(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    spent = {"network": Spent(0.8, 1.2), "receive": Spent(None, 0.4)}

    assert shown(stages_table("title", spent, times=200)) == [
        ["detector: network", "4.00", "6.00"],
        ["receive messages, during that wait", "–", "2.00"],
        ["total", "4.00", "8.00"],
    ]


def test_processor_time_grows_with_work_and_is_none_for_a_process_that_has_gone():
    before = processor_s(os.getpid())
    while processor_s(os.getpid()) == before:
        sum(range(10_000))

    assert before > 0
    assert processor_s(2**22 + 1) == 0


def test_a_program_may_have_any_name(tmp_path: Path):
    (tmp_path / "stat").write_text("7 (a ) b (c) S 1 2", encoding="utf-8")

    assert after_name(tmp_path / "stat") == ["S", "1", "2"]
