"""The page of a mission in a real browser: it plays the run, in both languages, and requests nothing else."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from accessibility import grave_faults
from browsing import await_in_page, complaints_of
from driving import feed
from playwright.sync_api import Page, expect
from recordings import make_feed, record, report_of

from brakepoint.cli import run
from brakepoint.course import Track
from brakepoint.mission.page import render_page
from brakepoint.mission.page.race import Racer, render_race
from brakepoint.workshop.souvenir import Souvenir, built
from brakepoint.workshop.souvenir import render as render_souvenir

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def mission(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mission")
    video = make_feed(folder)
    options = ["--feed", str(video), "--detector", "oracle", "--out", str(folder / "run")]
    assert run(["--lang", "en", "mission", *options]) == 0
    return folder / "run" / "index.html"


@pytest.fixture
def page(browser, mission: Path) -> Iterator[Page]:
    page = browser.new_page(viewport=DESK)
    complaints = complaints_of(page)
    page.goto(mission.as_uri())
    yield page
    page.close()
    assert [line for line in complaints if not line.startswith(("file:", "data:"))] == []


def test_film_slider_and_plot_show_the_same_moment(page: Page):
    slider = page.get_by_label("Moment of the run")
    await_in_page(page, "document.querySelector('video').readyState >= 2")
    before = page.locator("[data-playhead]").get_attribute("transform")

    slider.focus()
    for _ in range(30):
        slider.press("ArrowRight")

    assert page.evaluate("document.querySelector('video').currentTime") == pytest.approx(30.5 / 15, abs=0.05)
    assert page.locator("[data-playhead]").get_attribute("transform") != before
    expect(page.locator("[data-now]")).to_contain_text("2.0 s")


def test_the_film_rests_on_its_poster_until_someone_moves_it(page: Page):
    await_in_page(page, "document.querySelector('video').readyState >= 2")

    assert page.evaluate("document.querySelector('video').currentTime") == 0
    assert page.locator("video").first.get_attribute("poster")


def test_the_run_plays_and_pauses(page: Page):
    await_in_page(page, "document.querySelector('video').readyState >= 2")
    page.get_by_role("button", name="Play").click()
    await_in_page(page, "document.querySelector('[data-seek]').value > 5")
    page.get_by_role("button", name="Pause").click()

    assert page.evaluate("document.querySelector('video').paused")


def test_without_its_film_the_run_still_plays(page: Page, mission: Path, browser, tmp_path: Path):
    shutil.copy(mission, tmp_path / "index.html")
    alone = browser.new_page()
    alone.goto((tmp_path / "index.html").as_uri())

    expect(alone.get_by_text("The film is missing")).to_be_visible()
    alone.get_by_role("button", name="Play").click()
    await_in_page(alone, "document.querySelector('[data-seek]').value > 5")
    alone.close()


def test_the_language_changes_without_loading_the_page_again(page: Page):
    page.evaluate("window.same = true")
    page.get_by_role("button", name="Français").click()

    expect(page.get_by_role("heading", name="Rapport de mission")).to_be_visible()
    expect(page.get_by_role("heading", name="Mission report")).to_be_hidden()
    expect(page).to_have_title("Brakepoint · rapport de mission")
    assert page.evaluate("document.documentElement.lang") == "fr"
    assert page.evaluate("window.same")


@pytest.mark.parametrize("viewport", [PHONE, DESK])
def test_nothing_sticks_out_sideways(page: Page, viewport):
    page.set_viewport_size(viewport)

    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


@pytest.mark.parametrize("viewport", [PHONE, DESK])
def test_the_longest_name_sticks_out_of_no_page(browser, tmp_path: Path, viewport):
    name = "a_name_without_a_space_" * 8
    recording = record(feed("track-stop"))
    mission = recording.mission.model_copy(update={"feed": name})
    run = recording.run.model_copy(update={"feed": name})
    recording = recording.model_copy(update={"mission": mission, "run": run})
    day, steps = date(2026, 11, 29), built({}, Track.FULL)
    pages = (
        render_page(report_of(recording), [recording], {}),
        render_race([Racer(name, recording)]),
        render_souvenir(Souvenir(handle=name, day=day, steps=steps, missions=(mission,))),
    )
    page = browser.new_page(viewport=viewport)
    widths = []
    for content in pages:
        (tmp_path / "page.html").write_text(content, encoding="utf-8")
        page.goto((tmp_path / "page.html").as_uri())
        widths.append(page.evaluate("document.documentElement.scrollWidth"))
    page.close()

    assert widths == [viewport["width"]] * 3


def test_the_pace_is_written_as_the_language_writes_it(page: Page):
    slowest = page.locator("[data-pace] option").first
    expect(slowest).to_have_text("0.5×")
    page.get_by_role("button", name="Français").click()

    expect(slowest).to_have_text("0,5×")


def test_light_and_dark_differ_and_follow_the_system(page: Page):
    def paper() -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    page.emulate_media(color_scheme="dark")
    dark = paper()
    page.emulate_media(color_scheme="light")
    assert paper() != dark
    page.get_by_role("button", name="Light or dark").click()
    assert paper() == dark


def test_everything_can_be_reached_by_keyboard(page: Page):
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName"))

    assert {"BUTTON", "INPUT", "SELECT", "SUMMARY"} <= reached


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_grave_keeps_anybody_from_reading(page: Page, scheme):
    page.emulate_media(color_scheme=scheme)

    assert grave_faults(page) == []
