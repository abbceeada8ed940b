"""A catalogue alone adds a language: command line, pages and notebooks support it immediately."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from driving import feed
from fastapi.testclient import TestClient
from pseudo_language import NAME, keys_said
from recordings import record, report_of

from brakepoint.board.server import make_app as make_board
from brakepoint.cli import run
from brakepoint.mission.page import render_page
from brakepoint.monitor.server import make_app as make_monitor
from brakepoint.texts import ORIGINAL, language, languages, text

ROOT = Path(__file__).parent.parent
ROOMS = ("brakepoint", "footage", "solutions", "stubs", "hardware", "benchmarks", "docs", "deploy")
KINDS = ("py", "j2", "html", "js", "css", "yml", "yaml", "sh")
NOTHING_GOES_ON = SimpleNamespace(seats=[], trouble={}, room=SimpleNamespace(name="spring"), picture=None)

CODE = [
    *(ROOT / name for name in ("Makefile", "devfile.yaml")),
    *(path for room in ROOMS for kind in KINDS for path in (ROOT / room).glob(f"**/*.{kind}")),
]


def test_code_names_no_language_but_the_original() -> None:
    others = "|".join({*languages()} - {ORIGINAL})
    named = re.compile(rf"""["'`/.](?:{others})\b(?![-\w])|\b(?:{others})\*""")

    assert [path for path in CODE if named.search(path.read_text("utf-8"))] == []


@pytest.fixture
def third(pseudo_language: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("BRAKEPOINT_LANG", pseudo_language)
    return pseudo_language


def test_it_is_one_of_the_languages_and_the_reader_s_if_set(third: str) -> None:
    assert languages() == ("en", "fr", third)
    assert language() == third
    assert text("language.name") == NAME


def test_the_command_line_offers_and_speaks_it(third: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--lang", third, "--help"]) == 0

    shown = capsys.readouterr().out
    assert f"en|fr|{third}" in shown
    assert {"cli.help", "cli.mission.help", "cli.panel.options"} <= keys_said(shown)


def test_an_unknown_language_is_refused_with_all_that_there_are(third: str, capsys) -> None:
    assert run(["--lang", "xx", "mission"]) == 2
    assert f"en, fr, {third}" in capsys.readouterr().err


@pytest.mark.parametrize("make_app", [make_monitor, make_board])
def test_both_live_pages_get_every_text_in_it(third: str, make_app) -> None:
    page = TestClient(make_app(NOTHING_GOES_ON), base_url="http://localhost")

    words = page.get("/texts.json").json()["texts"]
    assert [*words] == [*languages()]
    assert words[third].keys() == words["en"].keys()
    assert words[third]["language.name"] == NAME
    assert all(key in keys_said(said) for key, said in words[third].items() if key != "language.name")


def test_the_page_of_a_mission_has_a_switch_for_it_and_speaks_it(third: str) -> None:
    recording = record(feed("track-slowdown"))
    page = render_page(report_of(recording), [recording], {})

    assert re.search(rf'<button [^>]*data-set-lang="{third}"[^>]*aria-pressed="true">{NAME}</button>', page)
    assert f'<html lang="{third}"' in page
    assert f'data-{third}="⟦page.title⟧' in page
    assert f':root:not([data-lang="{third}"]) .{third} {{ display: none; }}' in page


def test_a_notebook_is_made_in_it(third: str) -> None:
    pytest.importorskip("jupytext")
    from brakepoint.workshop.notebooks import make_notebook, sources

    code = {
        lang: [cell.source for cell in make_notebook(sources()[0], lang).cells if cell.cell_type == "code"]
        for lang in languages()
    }
    assert code[third] == code["en"]
