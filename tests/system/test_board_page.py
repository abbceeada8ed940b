"""The board in a real browser, with forty simulated attendees in a compressed three hours."""

from collections.abc import Iterator

import pytest
from accessibility import grave_faults
from playwright.sync_api import Page, expect
from simulated_room import HANDLES, SimulatedRoom

from brakepoint.board.server import make_app

PHONE, PROJECTOR = {"width": 390, "height": 844}, {"width": 1920, "height": 1080}


@pytest.fixture
def room(tmp_path, monkeypatch) -> SimulatedRoom:
    monkeypatch.chdir(tmp_path)
    return SimulatedRoom()


@pytest.fixture
def address(room, serve) -> str:
    return serve(make_app(room.watcher))


@pytest.fixture
def page(browser, address) -> Iterator[Page]:
    page = browser.new_page(viewport=PROJECTOR, locale="en")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    yield page
    page.close()
    assert complaints == []


def count(page: Page, state: str) -> int:
    return page.locator(f".seat.{state}").count()


def test_three_hours_of_a_room_go_by_on_the_page(page: Page, room: SimulatedRoom) -> None:
    expect(page.locator(".seat.absent")).to_have_count(len(HANDLES))
    page.evaluate("window.same = true")

    for minute in (15, 60, 120, 180):
        room.run_until(minute)
        expected = [seat.state for seat in room.watcher.seats]
        for state in dict.fromkeys(expected):
            expect(page.locator(f".seat.{state}")).to_have_count(expected.count(state))

    assert count(page, "finished") > len(HANDLES) / 2
    expect(page.locator("#missions li strong")).to_have_count(6)
    best = max(seat.score for seat in room.watcher.seats if seat.score is not None)
    expect(page.locator("#missions li").first).to_contain_text(f"{best:.0f}/100")
    assert page.evaluate("window.same"), "all that without loading the page again"


def test_the_page_begins_in_the_kit_s_language_and_keeps_the_reader_s_choice(
    page: Page, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "fr")
    page.goto(address)
    expect(page.locator("html")).to_have_attribute("lang", "fr")

    page.get_by_role("button", name="English").click()
    page.goto(address)
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_who_stands_still_is_at_the_top_of_those_who_might_need_a_word(page: Page, room) -> None:
    room.run_until(92)
    waiting = [seat for seat in room.watcher.seats if seat.state in ("stuck", "silent")]
    longest = max(waiting, key=lambda seat: seat.minutes)

    first = page.locator("#help li").first
    expect(first).to_contain_text(longest.handle)
    expect(first).to_contain_text(f"{longest.minutes:.0f} min")


def test_a_projector_shows_everybody_at_once_and_a_phone_scrolls_downwards_only(page: Page, room) -> None:
    room.run_until(90)
    expect(page.locator(".seat.working").first).to_be_visible()

    assert page.evaluate("document.documentElement.scrollHeight") <= PROJECTOR["height"]
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_page_speaks_french_and_changes_its_light(page: Page, room) -> None:
    def paper() -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    page.get_by_role("button", name="Français").click()
    expect(page.get_by_role("heading", name="À aller voir")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "fr"
    before = paper()
    page.get_by_role("button", name="Clair ou sombre").click()
    assert paper() != before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_grave_keeps_anybody_from_reading(page: Page, room, scheme: str) -> None:
    room.run_until(90)
    expect(page.locator(".seat.working").first).to_be_visible()
    page.emulate_media(color_scheme=scheme)

    assert grave_faults(page) == []


def test_a_handle_is_shown_as_it_is_written(page: Page, room, address) -> None:
    room.watcher.seats = [room.watcher.seats[0].model_copy(update={"handle": "<b>bold</b>"})]

    expect(page.locator(".seat h3 span").first).to_have_text("<b>bold</b>")


def test_times_to_find_and_to_fix_are_on_the_page_once_there_are_any(page: Page, room: SimulatedRoom) -> None:
    expect(page.locator(".seat.absent")).to_have_count(len(HANDLES))
    expect(page.get_by_role("heading", name="Incidents")).to_be_hidden()

    told = '{"incidents": {"4": {"found_min": 3, "mended_min": 4.5}, "7": {"found_min": 12.25}}}'
    room.store.incidents[room.room.place_of("jade")] = told.encode()
    room.store.incidents[room.room.place_of("teal")] = b'{"incidents": {"7": {"found_min": 1}}}'
    room.watcher.look()

    expect(page.get_by_role("heading", name="Incidents")).to_be_visible()
    expect(page.locator("#incidents li strong")).to_have_text(["jade", "teal"])
    first = page.locator("#incidents li").first
    expect(first).to_contain_text("fixed: 1")
    expect(first).to_contain_text(
        "no. 4: found after 3.0 min, fixed after 4.5 min · no. 7: found after 12.3 min"
    )
    page.get_by_role("button", name="Français").click()
    expect(first).to_contain_text("n° 4 : trouvé après 3,0 min, réparé après 4,5 min")
    assert grave_faults(page) == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
