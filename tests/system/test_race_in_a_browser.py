"""The race in a real browser: by keyboard, with a countdown, heats and a podium, and without a network."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from accessibility import grave_faults
from browsing import complaints_of
from driving import feed, never_brakes
from playwright.sync_api import Page, expect
from recordings import record

from brakepoint.mission.page.race import HEAT_SIZE, Racer, render_race

PHONE, PROJECTOR = {"width": 390, "height": 844}, {"width": 1920, "height": 1080}
COUNTDOWN_MS, WHOLE_RUN_MS = 3000, 120_000


@pytest.fixture(scope="module")
def race(tmp_path_factory) -> Path:
    careful, reckless = record(feed("track-stop")), record(feed("track-stop"), never_brakes)
    racers = [Racer(f"seat {number:02}", reckless) for number in range(HEAT_SIZE)]
    file = tmp_path_factory.mktemp("race") / "race.html"
    file.write_text(render_race([Racer("anna", careful), *racers]), encoding="utf-8")
    return file


@pytest.fixture
def page(browser, race: Path) -> Iterator[Page]:
    page = browser.new_page(viewport=PROJECTOR, locale="en")
    complaints = complaints_of(page)
    page.clock.install()
    page.goto(race.as_uri())
    yield page
    page.close()
    assert [line for line in complaints if not line.startswith(("file:", "data:"))] == []


def lanes(page: Page):
    return page.locator("[data-heat]:not([hidden]) [data-lane]")


def test_heats_are_driven_by_keyboard_and_the_last_ends_on_the_podium(page: Page) -> None:
    expect(lanes(page)).to_have_count(1)
    page.keyboard.press("Space")
    expect(page.locator("#countdown")).to_have_text("3")
    page.clock.run_for(COUNTDOWN_MS)
    expect(page.locator("#countdown")).to_be_hidden()
    page.clock.run_for(WHOLE_RUN_MS)
    expect(lanes(page).first.locator(".score")).to_be_visible()
    expect(page.locator("#podium")).to_be_hidden()

    page.keyboard.press("n")
    expect(lanes(page)).to_have_count(HEAT_SIZE)
    expect(lanes(page).first.locator(".score")).to_be_hidden()
    page.keyboard.press("Space")
    page.clock.run_for(COUNTDOWN_MS + WHOLE_RUN_MS)

    expect(page.locator("#podium li").first).to_contain_text("anna")
    expect(page.locator("#podium li")).to_have_count(3)


def test_a_train_moves_and_its_colour_is_that_of_its_order(page: Page) -> None:
    page.keyboard.press("n")
    train = lanes(page).first.locator("[data-train]")
    at_rest = train.get_attribute("transform")
    page.keyboard.press("Space")
    page.clock.run_for(COUNTDOWN_MS + 2000)

    assert train.get_attribute("transform") != at_rest
    expect(lanes(page).first.locator(".engine")).to_have_class("engine train full_speed")


def test_a_new_start_in_a_countdown_counts_once(page: Page) -> None:
    page.keyboard.press("Space")
    page.clock.run_for(2000)
    page.keyboard.press("Space")
    page.clock.run_for(1500)

    expect(page.locator("#countdown")).to_have_text("2")


def test_another_pace_moves_the_trains_on_from_where_they_are(page: Page) -> None:
    page.keyboard.press("Space")
    page.clock.run_for(COUNTDOWN_MS + 2000)
    before = seconds(page)
    page.select_option("#pace", "1")
    page.clock.run_for(100)

    assert seconds(page) >= before


def test_the_clock_is_written_as_the_language_writes_it(page: Page) -> None:
    expect(page.locator("#clock")).to_have_text("0.0 s")
    page.get_by_role("button", name="Français").click()

    expect(page.locator("#clock")).to_have_text("0,0 s")


def seconds(page: Page) -> float:
    return float(page.locator("#clock").inner_text().removesuffix(" s"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_race_is_for_everybody(page: Page, scheme) -> None:
    page.emulate_media(color_scheme=scheme)
    page.keyboard.press("n")
    page.keyboard.press("Space")
    page.clock.run_for(COUNTDOWN_MS + WHOLE_RUN_MS)
    page.get_by_role("button", name="Français").click()

    expect(page.get_by_role("heading", name="La course")).to_be_visible()
    assert grave_faults(page) == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
