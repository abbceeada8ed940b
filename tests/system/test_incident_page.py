"""Incidents in a real browser: the operator's view of a broken train, and of the same train repaired."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browsing import await_in_page
from playwright.sync_api import Browser, Page, expect

from brakepoint.incidents.casebook import SITE_DIR
from brakepoint.incidents.causes import find_incident
from brakepoint.incidents.site import Site, healthy_site
from brakepoint.incidents.wiring import SiteServices
from brakepoint.services import ServiceSettings
from brakepoint.sockets import free_port

pytestmark = [pytest.mark.live, pytest.mark.alone]

WITHIN_MS = 60_000
BRIGHTNESS = """(() => {
  const canvas = document.getElementById("picture");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.reduce((sum, value, i) => sum + (i % 4 < 3 ? value : 0), 0) / (0.75 * data.length);
})()"""


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The folder in which the services look for a site; an existing incident is kept meanwhile."""
    kept = tmp_path / "kept"
    if SITE_DIR.exists():
        shutil.move(SITE_DIR, kept)
    yield SITE_DIR
    shutil.rmtree(SITE_DIR)
    if kept.exists():
        shutil.move(kept, SITE_DIR)


@contextmanager
def driving(site: Site, browser: Browser) -> Iterator[Page]:
    """The page of a site whose train has started."""
    site.save()
    settings = ServiceSettings(page=f"127.0.0.1:{free_port()}")
    with SiteServices(site, settings, lambda *_: None) as services:
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-US")
        page.set_default_timeout(WITHIN_MS)
        page.goto(f"http://{services.settings.page}/")
        await_in_page(page, "document.querySelectorAll('#services .ready').length === 6")
        page.get_by_role("button", name="Start", exact=True).click()
        yield page
        page.close()


def broken(number: int, folder: Path) -> Site:
    return find_incident(number).break_(healthy_site(folder))


def test_without_a_right_at_the_broker_all_are_ready_and_the_train_stands(browser, folder: Path) -> None:
    site = broken(11, folder)
    with driving(site, browser) as page:
        expect(page.locator("#order")).to_contain_text("no pictures", timeout=WITHIN_MS)
        assert page.locator("#services .ready").count() == 6, "nothing says that a service is ill"
        assert page.evaluate(BRIGHTNESS) > 40, "and the camera's picture is good"
        expect(page.locator("#position")).to_have_text("0 cm")

    with driving(site.changed("rights", detector=("detections",)), browser) as page:
        await_in_page(page, "document.getElementById('order').dataset.kind === 'full_speed'")


def test_a_shutter_that_is_too_fast_is_seen_in_the_picture(browser, folder: Path) -> None:
    site = broken(7, folder)
    with driving(site, browser) as page:
        await_in_page(page, f"{BRIGHTNESS} > 0")
        assert page.evaluate(BRIGHTNESS) < 10


def test_a_detector_without_enough_memory_comes_and_goes(browser, folder: Path) -> None:
    broken(12, folder).save()
    settings = ServiceSettings(page=f"127.0.0.1:{free_port()}")
    said: list[tuple[str, str]] = []
    with SiteServices(
        Site.load(folder), settings, lambda *line: said.append(line), lambda: len(died(said)) > 1
    ) as services:
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-US")
        page.set_default_timeout(WITHIN_MS)
        page.goto(f"http://{services.settings.page}/")
        await_in_page(page, "document.querySelectorAll('#services .ready').length === 5")
        until = time.monotonic() + WITHIN_MS / 1000
        while len(died(said)) < 2:
            assert time.monotonic() < until, "it was not ended twice in time"
            time.sleep(0.1)
        page.close()

    assert {name for name, _ in died(said)} == {"detector"}


def died(said: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The lines about services that had to be restarted."""
    return [(name, line) for name, line in said if "died" in line]
