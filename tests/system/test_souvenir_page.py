"""The page to take home in a real browser: by a file, without a network, on a phone, in light and dark."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from accessibility import grave_faults
from browsing import await_in_page, complaints_of
from playwright.sync_api import Page, expect
from recordings import make_feed, record

from brakepoint.course import Track, course
from brakepoint.mission.film import make_film
from brakepoint.truth import load_truth
from brakepoint.workshop.curves import approach
from brakepoint.workshop.souvenir import Film, Souvenir, built, write_souvenir

PHONE, LAPTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def souvenir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("souvenir")
    video = make_feed(folder)
    truth = load_truth(video.with_suffix(".json"))
    recording = record(truth)
    make_film(recording, video, folder / "film.mp4")
    chart = approach(recording, truth)
    assert chart is not None
    page = folder / "home" / "anna.html"
    first = course()[0]
    write_souvenir(
        page,
        Souvenir(
            handle="anna",
            day=date(2026, 11, 29),
            steps=built({first.name: first.exercises}, Track.FULL),
            missions=(recording.mission,),
            film=Film((folder / "film.mp4").read_bytes(), (folder / "film.jpg").read_bytes()),
            charts=(chart,),
        ),
    )
    return page


@pytest.fixture
def page(browser, souvenir: Path) -> Iterator[Page]:
    page = browser.new_page(viewport=LAPTOP, locale="en")
    complaints = complaints_of(page)
    page.goto(souvenir.as_uri())
    yield page
    page.close()
    assert [line for line in complaints if not line.startswith("data:")] == [souvenir.as_uri()]


def test_the_film_plays_from_the_page_itself(page: Page) -> None:
    await_in_page(page, "document.querySelector('video').readyState >= 2")
    page.evaluate("document.querySelector('video').play()")

    await_in_page(page, "document.querySelector('video').currentTime > 0.2")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_for_everybody(page: Page, scheme) -> None:
    page.emulate_media(color_scheme=scheme)
    expect(page.get_by_role("heading", name="anna: what I built")).to_be_visible()
    page.get_by_role("button", name="Français").click()

    expect(page.get_by_role("heading", name="anna : ce que j’ai construit")).to_be_visible()
    expect(page.get_by_role("img", name="La confiance du modèle")).to_be_visible()
    assert grave_faults(page) == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
