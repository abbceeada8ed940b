"""A language defined only by its catalogue, in a browser and on the site."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, expect
from pseudo_language import NAME, PSEUDO, add_to, keys_said

from brakepoint.board.server import make_app as make_board
from brakepoint.monitor.onlooker import Onlooker
from brakepoint.monitor.server import make_app as make_monitor

ROOT = Path(__file__).parents[2]
NOT_COPIED = shutil.ignore_patterns(".*", "runs", "site", "wheelhouse", "__pycache__")
THEME = '{% macro t(key) %}{{ {"language": "LANG"}[key] }}{% endmacro %}'
SILENT_BUS: Any = SimpleNamespace(take=lambda *_: None)
EMPTY_ROOM: Any = SimpleNamespace(seats=[], trouble={}, room=SimpleNamespace(name="spring"))


@pytest.mark.parametrize(
    ("app", "title"),
    [
        (lambda: make_monitor(Onlooker(SILENT_BUS)), "monitor.title"),
        (lambda: make_board(EMPTY_ROOM), "board.title"),
    ],
)
def test_both_live_pages_switch_to_it(
    browser: Browser, pseudo_language: str, serve: Callable[[FastAPI], str], app, title: str
) -> None:
    page = browser.new_page(locale="en")
    page.goto(serve(app()))
    expect(page.locator("[data-lang-choice]")).to_have_text(["English", "Français", NAME])
    page.get_by_role("button", name=NAME).click()

    expect(page.locator("h1")).to_contain_text(f"⟦{title}⟧")
    assert page.evaluate("document.documentElement.lang") == pseudo_language
    assert keys_said(page.title()) == {title}
    page.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a copy of the project with the catalogue and the pages added."""
    folder = tmp_path_factory.mktemp("translated")
    copy = folder / "brakepoint"
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
    add_to(copy / "brakepoint" / "texts")
    shutil.copytree(copy / "docs" / "en", copy / "docs" / PSEUDO)
    words = copy / "docs" / "theme" / "partials" / "languages" / f"{PSEUDO}.html"
    words.parent.mkdir(parents=True)
    words.write_text(THEME.replace("LANG", PSEUDO))
    build: list[str | Path] = [
        "build",
        "--quiet",
        "--strict",
        "--config-file",
        "docs/mkdocs.yml",
        "--site-dir",
        folder / PSEUDO,
    ]
    environment = {
        **os.environ,
        "BRAKEPOINT_LANG": PSEUDO,
        "PYTHONPATH": str(copy),
        "NO_MKDOCS_2_WARNING": "1",
    }
    subprocess.run([sys.executable, "-m", "mkdocs", *build], cwd=copy, env=environment, check=True)
    return folder


def test_the_site_offers_and_speaks_it(browser: Browser, site: Path) -> None:
    page = browser.new_page()
    page.goto((site / PSEUDO / "commands.html").as_uri())

    assert page.evaluate("document.documentElement.lang") == PSEUDO
    switch = page.locator(".md-select__link")
    assert switch.evaluate_all("links => links.map(link => link.textContent.trim())") == [
        "English",
        "Français",
        NAME,
    ]
    assert {"docs.nav.workshop", "docs.column.option", "cli.mission.help"} <= keys_said(page.content())
    page.close()


def test_the_first_page_of_the_site_leads_to_it(browser: Browser, site: Path) -> None:
    page = browser.new_page(locale=PSEUDO)
    page.goto((site / "index.html").as_uri())

    page.wait_for_url(f"**/{PSEUDO}/index.html")
    page.close()
