"""The instructor's slides in a real browser, as a file, without a server."""

from collections.abc import Iterator

import pytest
from accessibility import grave_faults
from instructor_slides import slides
from playwright.sync_api import Page, expect

from brakepoint.texts import languages

NAMES = [slide.name for slide in slides.SLIDES]


@pytest.fixture(params=languages())
def page(browser, tmp_path, request) -> Iterator[Page]:
    path = tmp_path / "slides.html"
    path.write_text(slides.render(request.param), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    yield page
    page.close()
    assert complaints == []


def shown(page: Page) -> list[str]:
    return page.eval_on_selector_all("section:not([hidden])", "found => found.map(one => one.id)")


def test_keys_turn_the_pages_one_at_a_time_and_stop_at_both_ends(page: Page) -> None:
    seen = [*shown(page)]
    for key in ("ArrowLeft", "ArrowRight", " ", "ArrowLeft", "End", "PageDown", "Home"):
        page.keyboard.press(key)
        seen += shown(page)

    assert seen == [NAMES[n] for n in (0, 0, 1, 2, 1, -1, -1, 0)]
    assert grave_faults(page) == []


def test_an_address_opens_its_slide(page: Page) -> None:
    page.goto(f"{page.url.partition('#')[0]}#autopilot")
    expect(page.locator("#autopilot")).to_be_visible()

    assert shown(page) == ["autopilot"]


def test_notes_are_shown_when_asked_for_and_always_in_print(page: Page) -> None:
    notes = page.locator("#begin aside")
    expect(notes).to_be_hidden()
    page.keyboard.press("n")
    expect(notes).to_be_visible()
    page.keyboard.press("N")
    page.emulate_media(media="print")
    expect(notes).to_be_visible()
    expect(page.locator("#work aside")).to_be_visible()


def test_the_speakers_window_has_the_notes_turns_the_pages_and_follows(page: Page) -> None:
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    speaker = opened.value
    expect(speaker.locator("aside p").last).to_have_text(
        page.locator("#begin aside p").last.text_content() or ""
    )
    speaker.keyboard.press("ArrowRight")
    expect(page.locator("#film")).to_be_visible()
    expect(speaker.locator("h1")).to_have_text(page.locator("#film h1").text_content() or "")
    speaker.close()
