"""Screens that cannot show everything: narrow ones, and those without accents or ticks."""

import io
import os
import subprocess
import sys

import pytest
from driving import feed
from hypothesis import given
from hypothesis import strategies as st
from recordings import record, report_of
from rich.console import Console
from rich.table import Table

from brakepoint.cli import screen
from brakepoint.cli.mission import report_table
from brakepoint.cli.screen import PLAIN, print_table, write_what_the_screen_can_show
from brakepoint.cli.up import teller
from brakepoint.texts import catalogue, languages


def plainly(words: str, encoding: str) -> str:
    return words.encode(encoding, PLAIN).decode(encoding)


@pytest.fixture(autouse=True, scope="module")
def known() -> None:
    write_what_the_screen_can_show()


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", 'v x * l\'eleve a coeur -> "a b" ... 3 >= 2'),
        ("iso-8859-1", "v x * l'élève a coeur -> «a b» ... 3 >= 2"),
        ("utf-8", "✓ ✗ ● l’élève a cœur → «a\u202fb» … 3 ≥ 2"),
    ],
)
def test_what_a_screen_lacks_is_written_by_what_looks_alike(encoding: str, shown: str) -> None:
    assert plainly("✓ ✗ ● l’élève a cœur → «a\u202fb» … 3 ≥ 2", encoding) == shown


@given(st.text())
def test_nothing_that_is_written_raises(words: str) -> None:
    if any("\ud800" <= letter <= "\udfff" for letter in words):
        return
    write_what_the_screen_can_show()
    assert plainly(words, "ascii").isascii()


@pytest.mark.parametrize("lang", languages())
def test_no_text_of_the_catalogue_becomes_a_question_mark(lang: str) -> None:
    write_what_the_screen_can_show()
    for key, texts in catalogue().items():
        words = texts[lang] if isinstance(texts, dict) else texts
        assert plainly(words, "ascii").count("?") == words.count("?"), (key, words)


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1"])
def test_a_command_whose_screen_has_no_ticks_says_everything_all_the_same(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "BRAKEPOINT_LANG": "fr"}
    command = [sys.executable, "-m", "brakepoint", "progress"]

    done = subprocess.run(command, env=environment, capture_output=True, encoding=encoding)

    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert ("entra" in done.stdout) and ("?" not in done.stdout)


@pytest.mark.parametrize("columns", [10, 40, 200])
def test_no_cell_of_a_table_is_cut_off(columns: int) -> None:
    table = Table("a long heading", "score", box=None)
    table.add_row("track-stop-and-slowdown", "100")
    out = io.StringIO()

    print_table(Console(file=out, width=columns), table)

    heading, row = out.getvalue().splitlines()
    assert heading.split() == ["a", "long", "heading", "score"]
    assert row.split() == ["track-stop-and-slowdown", "100"]


def test_other_streams_are_left_as_they_are(monkeypatch) -> None:
    monkeypatch.setattr(screen.sys, "stdout", io.StringIO())

    write_what_the_screen_can_show()


def test_a_line_of_a_service_controls_neither_the_terminal_nor_its_own_look() -> None:
    shown = io.StringIO()

    teller(Console(file=shown, width=80))("capture", "\x1b[2J[bold]a[/]")

    assert shown.getvalue().endswith("│ ?[2J[bold]a[/]\n")


def test_a_feed_is_listed_under_its_own_name() -> None:
    report = report_of(record(feed("track-stop-and-slowdown")))
    named = report.missions[0].model_copy(update={"feed": "[bold]a"})
    shown = io.StringIO()

    Console(file=shown, width=120).print(report_table(report.model_copy(update={"missions": (named,)})))

    assert "[bold]a" in shown.getvalue()
