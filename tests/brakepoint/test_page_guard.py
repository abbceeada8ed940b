"""The guard of every live page: long bodies are not read, and nothing about this machine is revealed."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from brakepoint.board.server import make_app as make_board
from brakepoint.errors import UserError
from brakepoint.feeds import feed_names, find_feed, find_named_feed
from brakepoint.messages import Action, Control, MissionState, Wish
from brakepoint.monitor.server import make_app as make_monitor
from brakepoint.texts import languages
from brakepoint.web.server import BODY_MAX_BYTES

LOCAL = "http://localhost:8000"
TOKEN = {"X-Brakepoint-Token": ""}


def ask(wish: Wish) -> None:
    """Requests a file that nobody may download."""
    if wish.feed:
        find_named_feed(wish.feed)


LOOKING: Any = SimpleNamespace(ask=ask, picture=None)
WATCHING: Any = SimpleNamespace(room=SimpleNamespace(name="spring"), seats=[], trouble={})
PAGES = {"live": lambda: make_monitor(LOOKING), "board": lambda: make_board(WATCHING)}


@pytest.fixture(params=PAGES)
def page(request) -> Any:
    return PAGES[request.param]()


async def answer_to(app: Any, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    """Status and headers of the answer to a request of which only the head has come."""
    sent: list[Any] = []
    raw = [(name.encode(), value.encode()) for name, value in {"host": "localhost", **headers}.items()]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/control",
        "raw_path": b"/control",
        "query_string": b"",
        "headers": raw,
        "http_version": "1.1",
        "scheme": "http",
        "server": ("localhost", 8000),
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }

    async def receive() -> Any:
        raise AssertionError("the body was read")

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.mark.parametrize(
    "head",
    [
        {"content-length": "4097"},
        {"content-length": "400000000"},
        {"content-length": "9" * 40},
        {"content-length": "0000000004097"},
        {"content-length": "-1"},
        {"content-length": "1e3"},
        {"transfer-encoding": "chunked"},
        {"transfer-encoding": "chunked", "content-length": "2"},
    ],
    ids=str,
)
def test_a_body_that_is_long_or_does_not_say_is_refused_unread(page, head) -> None:
    status, headers = asyncio.run(answer_to(page, head | {"x-brakepoint-token": ""}))

    assert (status, headers["connection"]) == (413, "close")


@pytest.mark.parametrize(
    "body",
    [
        '{"action": "fault", "fault": "camera_black", "seconds": NaN}',
        '{"action": "stop", "more": -Infinity}',
        '{"action": "feed", "feed": "\\ud800"}',
        '{"action": "stop", "\\ud800": 1}',
        '{"action": "fly"}',
        "null",
        "",
    ],
)
def test_a_body_that_makes_no_sense_is_refused_and_not_repeated(body: str) -> None:
    page = TestClient(PAGES["live"](), base_url=LOCAL)
    answer = page.post("/control", content=body, headers={**TOKEN, "Content-Type": "application/json"})

    assert answer.status_code == 422
    assert list(answer.json()) == ["detail"] and isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize("length", [0, 1, BODY_MAX_BYTES])
def test_a_body_of_allowed_length_is_read(length) -> None:
    answer = TestClient(make_monitor(LOOKING), base_url=LOCAL).post(
        "/control", content=b" " * length, headers=TOKEN
    )

    assert answer.status_code == 422, "it was read, and it is no wish"


@pytest.mark.parametrize("path", ["/", "/texts.json", "/web/style.css", "/no-such-page", "/../../etc/passwd"])
@pytest.mark.parametrize("host", [LOCAL, "http://elsewhere.example"])
def test_no_answer_may_be_framed_or_bring_anything_from_elsewhere(page, path, host) -> None:
    headers = TestClient(page, base_url=host).get(path).headers

    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/", "/texts.json", "/web/shared.js", "/web/style.css", "/no-such-page"])
def test_a_browser_asks_again_before_it_uses_what_an_older_kit_sent(page, path) -> None:
    assert TestClient(page, base_url=LOCAL).get(path).headers["cache-control"] == "no-cache"


def test_the_pages_have_no_script_or_style_of_their_own_that_the_policy_would_refuse(page) -> None:
    client = TestClient(page, base_url=LOCAL)
    written = client.get("/").text

    assert "<script>" not in written and "<style" not in written and " style=" not in written
    assert " onclick=" not in written


OTHER_FEEDS = (
    "/etc/hidden.mp4",
    "../videos/track-stop.mp4",
    "videos/track-stop.mp4",
    "track-stop.mp4",
    "./track-stop",
    "track-stop/",
    "TRACK-STOP",
    "",
    "usb:/dev/video0",
    "video:track-stop",
)


@pytest.mark.parametrize("name", OTHER_FEEDS)
def test_over_the_network_a_feed_has_a_name_and_no_path(name) -> None:
    with pytest.raises(UserError):
        find_named_feed(name)
    there = find_feed("track-stop")
    with pytest.raises(UserError):
        find_named_feed(str(there), own="track-stop")


def test_the_feeds_that_there_are_and_the_one_that_was_started_with_are_found(short_feed) -> None:
    assert [find_named_feed(name).stem for name in feed_names()] == feed_names()
    assert find_named_feed(str(short_feed), own=str(short_feed)) == short_feed


UNSEEN = (*map(chr, range(32)), *map(chr, range(0x7F, 0xA0)), "\u200b", "\u202e", "\u2066", "\ufeff")


@pytest.mark.parametrize("character", UNSEEN, ids=repr)
def test_no_message_carries_a_feed_with_a_character_that_is_not_seen(character) -> None:
    name = f"track{character}stop"
    with pytest.raises(ValidationError):
        Control(action=Action.FEED, feed=name, at=1.0)
    with pytest.raises(ValidationError):
        MissionState(run=1, feed=name, running=True, since=0.0, at=0.0)


@pytest.mark.parametrize("name", ["/etc/hidden.mp4", "/home/someone/secret place/x.mp4"])
def test_a_refusal_shows_no_folder_of_this_machine(name) -> None:
    client = TestClient(make_monitor(LOOKING), base_url=LOCAL)
    said = client.post("/control", json={"action": "start", "feed": name}, headers=TOKEN)

    assert said.status_code == 422
    assert set(said.json()["detail"]) == set(languages())
    assert (
        "/etc" not in said.text
        and "/home" not in said.text
        and str(find_feed("track-stop").parent) not in said.text
    )


@given(st.lists(st.from_regex(r"[a-zà-ÿA-Z0-9_.-]+", fullmatch=True), min_size=2, max_size=5))
def test_others_see_only_the_name_of_a_file(parts) -> None:
    path = "/" + "/".join(parts)
    for value in (
        Path(path),
        path,
        OSError(2, "No such file", path),
        UserError("feed.missing", path=path, feeds=""),
    ):
        said = UserError("feed.missing", path=value, feeds="a, b").for_others()
        assert path not in said and f"/{parts[0]}/" not in said and parts[-1] in said


def test_what_is_not_a_path_stays_as_it_is() -> None:
    for words in ("http://store.local:9000/bucket/key", "and/or", "3 / 4", "track-stop", "mqtt://h:1/a/b"):
        assert words in UserError("feed.missing", path=words, feeds="").for_others()
    assert "keys.json" in UserError("feed.missing", path=r"C:\Users\me\keys.json", feeds="").for_others()
    assert "Users" not in UserError("feed.missing", path=r"C:\Users\me\keys.json", feeds="").for_others()
