"""What the pages do in a real browser when their server, or a proxy before it, does not answer as usual."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, Route, expect
from simulated_room import SimulatedRoom

from brakepoint.board import server as board
from brakepoint.errors import UserError
from brakepoint.feeds import feed_names, find_feed
from brakepoint.messages import Light, TrainState
from brakepoint.monitor import server as monitor
from brakepoint.monitor.onlooker import Json, line_of
from brakepoint.texts import text
from brakepoint.truth import load_truth

TOKEN = "a-token"
FORBIDDING_STORAGE = """for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, { get() { throw new DOMException("forbidden", "SecurityError"); } });"""
IMPATIENT = "AbortSignal.timeout = () => AbortSignal.abort();"
LIMITS = """window.limits = [];
AbortSignal.timeout = () => {
  const limit = new AbortController();
  limits.push(limit);
  return limit.signal;
};"""
WRITINGS = """window.writings = 0;
document.addEventListener("DOMContentLoaded", () => new MutationObserver((seen) => (writings += seen.length))
  .observe(document.getElementById("trouble"), { childList: true, characterData: true, subtree: true }));"""
RUN = {"run": 1, "feed": "track-stop", "running": True, "since": 0.0, "train_lost": False}


def standing_at(position_cm: float) -> Any:
    """An onlooker whose train stands somewhere on a line."""
    state = TrainState(at=0.0, position_cm=position_cm, speed_cm_s=0, power=0, braking=True, light=Light.OFF)
    line = line_of(load_truth(find_feed("track-stop").with_suffix(".json")))
    story: Json = {"mission": None, "feeds": feed_names(), "orders": [], "score": None, "ending": None}
    now: Json = {"train": state.model_dump(mode="json"), "picture_age_s": None, "signs": [], "held_back": []}
    asked: list[Any] = []
    return SimpleNamespace(
        asked=asked,
        ask=asked.append,
        picture=None,
        version=0,
        story=lambda: {**story, "line": line},
        now=lambda: {**now, "services": []},
    )


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    errors: list[str] = []
    page = browser.new_page(locale="en")
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert errors == []


@pytest.fixture
def train(serve: Any, page: Page) -> Any:
    """An onlooker whose page is open."""
    onlooker = standing_at(0.0)
    page.goto(serve(monitor.make_app(onlooker)))
    expect(page.locator("#speed")).to_have_text("0")
    return onlooker


def refuse(route: Route) -> None:
    route.fulfill(status=502, content_type="text/html", body="<h1>Bad gateway</h1>")


@pytest.mark.parametrize("answer", [refuse, lambda route: route.abort()], ids=["a proxy's error", "nobody"])
def test_a_button_that_reaches_nobody_says_so(train: Any, page: Page, answer: Any) -> None:
    page.click("#start")
    expect(page.locator("#asked")).to_have_text("Requested: Start")
    page.route("**/control", answer)
    page.evaluate("document.getElementById('stop').disabled = false")
    page.click("#stop")

    expect(page.locator("#asked")).to_contain_text("Request failed: Stop.")


def test_the_last_button_has_the_last_word(train: Any, page: Page) -> None:
    held: list[Route] = []
    page.route("**/control", lambda route: held.append(route), times=1)
    page.click("#start")
    page.click("#break")
    expect(page.locator("#asked")).not_to_be_empty()
    said = page.locator("#asked").text_content()
    held.pop().fulfill(status=202)
    page.evaluate("fetch('texts.json').then((answer) => answer.text())")  # Answered after the other one.

    assert page.locator("#asked").text_content() == said != "Requested: Start"


def test_after_a_proxys_error_the_news_come_again(serve: Any, page: Page) -> None:
    page.clock.install()
    page.route("**/news", refuse)
    page.goto(serve(monitor.make_app(standing_at(0.0))))
    page.clock.fast_forward(2_000)
    expect(page.locator("#trouble")).to_contain_text("has lost contact")

    page.unroute("**/news")
    page.clock.fast_forward(6_000)
    expect(page.locator("#speed")).to_have_text("0")
    page.clock.fast_forward(600)
    expect(page.locator("#trouble")).to_be_hidden()


def test_a_train_a_little_before_its_start_is_drawn_at_the_start(serve: Any, page: Page) -> None:
    page.goto(serve(monitor.make_app(standing_at(-0.5))))

    expect(page.locator("#train")).to_have_attribute("transform", "translate(0 0) rotate(0)")


def test_a_page_may_be_forbidden_to_store_anything(serve: Any, page: Page) -> None:
    onlooker = standing_at(0.0)
    page.add_init_script(FORBIDDING_STORAGE)
    page.goto(f"{serve(monitor.make_app(onlooker, TOKEN))}#token={TOKEN}")
    page.click("#theme")
    page.click("#start")

    expect(page.locator("#asked")).to_have_text("Requested: Start")


def test_a_token_is_pasted_with_what_nobody_sees(serve: Any, page: Page) -> None:
    page.on("dialog", lambda dialog: dialog.accept(f"\u200b{TOKEN}\u200b"))
    page.goto(serve(monitor.make_app(standing_at(0.0), TOKEN)))
    page.click("#start")

    expect(page.locator("#asked")).to_have_text("Requested: Start")


def test_a_button_whose_answer_never_comes_says_so(serve: Any, page: Page) -> None:
    page.add_init_script(LIMITS)
    page.goto(serve(monitor.make_app(standing_at(0.0))))
    page.route("**/control", lambda route: None)
    with page.expect_request("**/control"):
        page.click("#start")
    page.evaluate("limits.forEach((limit) => limit.abort())")

    expect(page.locator("#asked")).to_contain_text("Request failed: Start.")


def test_a_picture_that_never_comes_does_not_stop_the_next_ones(serve: Any, page: Page) -> None:
    page.add_init_script(LIMITS)
    page.route("**/picture.jpg", lambda route: None)
    with page.expect_request("**/picture.jpg"):
        page.goto(serve(monitor.make_app(standing_at(0.0))))
    with page.expect_request("**/picture.jpg"):
        page.evaluate("limits.forEach((limit) => limit.abort())")


def test_news_leave_a_choice_alone_that_is_being_made(serve: Any, page: Page) -> None:
    onlooker = standing_at(0.0)
    story: Json = {**onlooker.story(), "mission": RUN}
    onlooker.story = lambda: story
    page.goto(serve(monitor.make_app(onlooker)))
    expect(page.locator("#feed")).to_have_value("track-stop")
    page.evaluate("document.getElementById('feed').value = 'track-full'")  # As in the list, by arrow keys.
    order = {"kind": "brake", "reason": "by_hand", "time_s": 1.0, "position_cm": 2.0}
    story["orders"] = [order]
    onlooker.version += 1
    expect(page.locator("#orders strong")).to_have_count(1)
    expect(page.locator("#feed")).to_have_value("track-full")

    story["mission"] = {**RUN, "run": 2}
    onlooker.version += 1
    expect(page.locator("#feed")).to_have_value("track-stop")


def test_a_refusal_is_in_the_language_of_the_page(train: Any, page: Page) -> None:
    def refuse_feed(_: Any) -> None:
        raise UserError("live.error.broker_away")

    train.ask = refuse_feed
    page.get_by_role("button", name="Français").click()
    page.click("#start")

    expect(page.locator("#asked")).to_have_text(text("live.error.broker_away", "fr"))


def test_trouble_that_lasts_is_read_out_once(serve: Any, page: Page) -> None:
    page.clock.install()
    page.add_init_script(WRITINGS)
    page.route("**/news", refuse)
    page.goto(serve(monitor.make_app(standing_at(0.0))))
    expect(page.locator("body[inert]")).to_have_count(0)
    page.clock.run_for(4_000)
    expect(page.locator("#trouble")).to_contain_text("has lost contact")
    page.clock.run_for(10_000)

    assert page.evaluate("writings") == 1


def test_the_address_with_the_token_may_be_pasted_into_the_open_page(serve: Any, page: Page) -> None:
    page.on("dialog", lambda dialog: dialog.dismiss())
    address = serve(monitor.make_app(standing_at(0.0), TOKEN))
    page.goto(address)
    page.click("#start")
    expect(page.locator("#asked")).to_contain_text("The token is wrong")
    page.goto(f"{address}#token={TOKEN}")
    expect(page).to_have_url(address)
    page.click("#start")

    expect(page.locator("#asked")).to_have_text("Requested: Start")


def test_who_gives_no_token_is_asked_again_only_after_a_click(
    serve: Any, page: Page, tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    asked: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.clock.install()
    page.goto(serve(board.make_app(SimulatedRoom().watcher, TOKEN)))
    expect(page.locator("#trouble")).to_contain_text("The token is wrong")
    for _ in range(2):
        with page.expect_response("**/room.json"):
            page.clock.run_for(3_000)
    assert len(asked) == 1
    page.click("#theme")
    with page.expect_response("**/room.json"):
        page.clock.run_for(3_000)

    assert len(asked) == 2


def test_a_late_answer_to_a_wrong_token_does_not_throw_the_right_one_away(serve: Any, page: Page) -> None:
    held: list[Route] = []
    given = iter(["wrong", TOKEN])
    asked: list[str] = []

    def answer_it(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept(next(given, "no more"))

    page.on("dialog", answer_it)
    page.goto(serve(monitor.make_app(standing_at(0.0), TOKEN)))
    page.route("**/control", lambda route: held.append(route), times=1)
    page.click("#start")
    page.click("#break")
    expect(page.locator("#asked")).to_contain_text("The token is wrong")
    page.click("#break")
    expect(page.locator("#asked")).to_contain_text("Requested")
    with page.expect_response("**/control") as answer:
        held.pop().continue_()
    answer.value.finished()
    page.click("#start")

    expect(page.locator("#asked")).to_have_text("Requested: Start")
    assert len(asked) == 2


def test_another_language_does_not_hide_that_the_board_is_lost(
    serve: Any, page: Page, tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    page.clock.install()
    page.goto(serve(board.make_app(SimulatedRoom().watcher)))
    expect(page.locator(".seat")).to_have_count(40)
    page.route("**/room.json", lambda route: route.abort())
    page.clock.run_for(3_000)
    expect(page.locator("#trouble")).to_contain_text("has lost contact")
    page.get_by_role("button", name="Français").click()

    assert page.locator("#trouble").inner_text() == text("board.lost", "fr"), "it does not come back later"


def test_the_board_does_not_wait_for_ever(serve: Any, page: Page, tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    page.add_init_script(IMPATIENT)
    page.route("**/room.json", lambda route: None)
    page.goto(serve(board.make_app(SimulatedRoom().watcher)))

    expect(page.locator("#trouble")).to_contain_text("has lost contact")


def test_the_board_keeps_what_it_knew_when_it_gets_no_room(
    serve: Any, page: Page, tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    page.goto(serve(board.make_app(SimulatedRoom().watcher)))
    expect(page.locator(".seat")).to_have_count(40)
    page.route("**/room.json", lambda route: route.fulfill(status=500, json={"detail": "no"}))
    expect(page.locator("#trouble")).to_contain_text("has lost contact")

    page.get_by_role("button", name="Français").click()
    expect(page.locator(".seat").first).to_contain_text("au départ")
