"""The page of the live train in a real browser, with every service as a process."""

import os
import re
import signal
from collections.abc import Iterator

import pytest
from accessibility import grave_faults
from browsing import await_in_page
from playwright.sync_api import Browser, Page, expect

from brakepoint.services import CLIENTS, ServiceSettings
from brakepoint.services.supervisor import Supervisor
from brakepoint.sockets import free_port
from brakepoint.texts import text

pytestmark = [pytest.mark.live, pytest.mark.alone]

PHONE, DESK, PROJECTOR = (390, 844), (1280, 800), (1920, 1080)
WITHIN_MS = 60_000
DANGER_YELLOW = """() => {
  const canvas = document.getElementById("picture");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let yellow = 0;
  for (let i = 0; i < data.length; i += 4)
    if (data[i] === 0xf7 && data[i + 1] === 0xc3 && data[i + 2] === 0x25) yellow += 1;
  return yellow > 100;
}"""
CONTRASTS = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) =>
    [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
      .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = channels(getComputedStyle(node).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.9) return colour;
    }
    return [255, 255, 255];
  };
  const isWritten = (node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
  const all = [...document.querySelectorAll("body *:not(script):not(:disabled):not(option)")];
  const seen = all.filter((node) => isWritten(node) && !node.closest("svg, .unseen, .skip, [hidden]"));
  return seen.map((node) => {
    const [a, b] = [light(channels(getComputedStyle(node).color)), light(ground(node))];
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), node.textContent];
  }).filter(([ratio]) => ratio < 4.5);
}"""
"""Texts that WCAG 2 (level AA) holds to be too pale."""


@pytest.fixture(scope="module")
def services() -> Iterator[Supervisor]:
    page = f"127.0.0.1:{free_port()}"
    with Supervisor(ServiceSettings(detector="oracle", page=page), CLIENTS, lambda *_: None) as services:
        yield services


@pytest.fixture
def visit(browser: Browser, services: Supervisor):
    """Opens the page as a separate person, with their own language and screen."""
    opened = []
    complaints: list[str] = []

    def visit(size: tuple[int, int] = DESK, locale: str = "en-US", scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale=locale, color_scheme=scheme
        )
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(WITHIN_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"http://{services.settings.page}/")
        await_in_page(page, "document.querySelectorAll('#services .ready').length === 6")
        return page

    yield visit
    for context in opened:
        context.close()
    assert complaints == []


def start(page: Page, feed: str = "track-stop") -> None:
    page.get_by_label(re.compile("Feed|Flux")).select_option(feed)
    page.get_by_role("button", name=re.compile("^(Start|Départ)$")).click()
    await_in_page(page, "document.getElementById('order').dataset.kind === 'full_speed'")


def test_a_run_is_seen_from_start_to_score(visit):
    page, other = visit(), visit(PHONE, "fr-FR")
    start(page)
    await_in_page(page, DANGER_YELLOW)
    expect(page.locator("#order")).to_contain_text("stopping for a danger", timeout=WITHIN_MS)
    expect(page.locator("#speed")).to_have_text("0", timeout=WITHIN_MS)

    seen = page.locator("#orders li").all_text_contents()
    page.reload()
    await_in_page(page, f"document.querySelectorAll('#orders li').length >= {len(seen)}")
    assert page.locator("#orders li").all_text_contents()[-len(seen) :] == seen

    page.get_by_role("button", name="Français").click()
    expect(page.get_by_role("heading", name="Le train en direct")).to_be_visible()
    expect(page.locator("#orders")).to_contain_text("la voie est libre")

    for viewer in (page, other):
        expect(viewer.locator("#points")).to_have_text("100", timeout=WITHIN_MS)
        expect(viewer.locator("#outcome")).to_have_text("Mission accomplie")
        expect(viewer.locator("#order")).to_have_text(re.compile("Le trajet est terminé"))


def test_a_fault_by_button_brakes_and_the_train_drives_on(visit):
    page = visit()
    start(page, "track-empty")
    page.get_by_label("Fault").select_option("camera_silent")
    page.get_by_role("button", name=text("monitor.break", "en")).click()

    expect(page.locator("#order")).to_contain_text("no pictures", timeout=WITHIN_MS)
    expect(page.locator("#no-picture")).to_have_text("The picture is not moving", timeout=WITHIN_MS)
    await_in_page(page, "document.getElementById('order').dataset.kind === 'full_speed'")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#order")).to_contain_text("Stopped by hand", timeout=WITHIN_MS)


def test_a_train_that_breaks_down_is_a_verdict(visit, services):
    page = visit()
    start(page, "track-empty")
    await_in_page(page, "parseInt(document.getElementById('position').textContent) > 20")
    os.kill(services.pid("train"), signal.SIGKILL)

    expect(page.locator("#details")).to_contain_text("The train itself broke down", timeout=WITHIN_MS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK, PROJECTOR])
def test_it_is_readable_and_nothing_sticks_out(visit, size, scheme):
    page = visit(size, scheme=scheme)

    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.evaluate(CONTRASTS) == []
    assert grave_faults(page) == []


def test_everything_can_be_reached_by_keyboard_and_has_a_name(visit):
    page = visit()
    start(page, "track-empty")
    reached = set()
    for _ in range(25):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.dataset.langChoice"))

    assert {"feed", "start", "stop", "fault", "break", "theme", "orders", "en", "fr"} <= reached
    for role, name in (
        ("region", "Controls"),
        ("img", "What the train sees"),
        ("img", re.compile("^Speed: ")),
    ):
        expect(page.get_by_role(role, name=name).first).to_be_visible()
    page.get_by_role("button", name="Stop").press("Enter")
    expect(page.locator("#order")).to_contain_text("Stopped by hand", timeout=WITHIN_MS)
