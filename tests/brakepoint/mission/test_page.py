"""The page is one self-contained file, in both languages, and needs no network."""

import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import unquote, urlsplit

import pytest
from driving import feed, never_brakes
from recordings import record, report_of

from brakepoint.mission.page import render_page
from brakepoint.mission.page.plot import allowed_cm_s, order_spans
from brakepoint.rules import FULL_SPEED_CM_S, LOW_SPEED_CM_S, SPEED_TOLERANCE
from brakepoint.texts import ORIGINAL, languages

GOOD, BAD = "track-slowdown", "track-stop"
JPEG = b"\xff\xd8 a picture"


class Elements(HTMLParser):
    """Every element with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def values(self, name: str) -> list[str]:
        return [attributes[name] or "" for _, attributes in self.found if name in attributes]


@pytest.fixture(scope="module")
def page() -> str:
    recordings = [record(feed(GOOD)), record(feed(BAD), never_brakes)]
    return render_page(report_of(*recordings), recordings, {BAD: JPEG})


def test_nothing_is_fetched_from_elsewhere(page: str):
    elements = Elements(page)
    fetched = elements.values("src") + [url for url in elements.values("href") if not url.startswith("#")]

    assert {url for url in fetched if not url.startswith("data:")} == {f"{GOOD}.mp4", f"{BAD}.mp4"}
    assert elements.values("poster") == [f"{GOOD}.jpg", f"{BAD}.jpg"]
    assert "@import" not in page
    assert not re.search(r"https?://|url\((?!#)", page)


def test_a_film_is_found_whatever_its_feed_is_called():
    name = "50% up? the line #1"
    recording = record(feed(GOOD).model_copy(update={"feed": name}))
    elements = Elements(render_page(report_of(recording), [recording], {}))

    (film,) = elements.values("src")
    (poster,) = elements.values("poster")
    assert [urlsplit(url)[2:] for url in (film, poster)] == [(film, "", ""), (poster, "", "")]
    assert [unquote(film), unquote(poster)] == [f"{name}.mp4", f"{name}.jpg"]


def test_the_page_runs_its_own_script_and_no_other(page: str):
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (written,) = re.findall(r'"Content-Security-Policy" content="(.*?)"', page)
    policy = html.unescape(written)

    assert f"script-src 'sha256-{digest}';" in policy and policy.startswith("default-src 'none';")
    assert " onclick=" not in page and " onload=" not in page


def test_everything_is_said_in_every_language(page: str):
    classes = [attributes for _, attributes in Elements(page).found if attributes.get("class") in languages()]
    english = [attributes for attributes in classes if attributes["class"] == ORIGINAL]

    assert len(classes) == len(languages()) * len(english) > 100
    assert all(attributes["lang"] == attributes["class"] for attributes in classes)
    assert "Where it first went wrong" in page
    assert "La première erreur" in page


def test_references_within_the_page_lead_somewhere(page: str):
    elements = Elements(page)
    ids = elements.values("id")
    referred = [id_ for labels in elements.values("aria-labelledby") for id_ in labels.split()]
    referred += [url.removeprefix("#") for url in elements.values("href") if url.startswith("#")]
    referred += elements.values("for")

    assert len(ids) == len(set(ids))
    assert set(referred) <= set(ids)


def test_the_first_wrong_moment_is_shown_with_its_picture(page: str):
    assert page.count("data:image/jpeg;base64,") == 1
    assert "Nothing went wrong." in page


def test_the_player_knows_every_tick_of_a_run(page: str):
    runs = [json.loads(text) for text in re.findall(r"data-run>(.*?)</script>", page, re.S)]

    assert len(runs) == 2
    assert all(len(run["position"]) == len(run["speed"]) for run in runs)
    assert all(run["orders"][0]["from"] == 0 for run in runs)


def test_names_cannot_smuggle_markup_into_the_page():
    recording = record(feed(GOOD))
    evil = "<img src=x onerror=alert(1)>"
    mission = recording.mission.model_copy(update={"feed": evil})
    run = recording.run.model_copy(update={"feed": evil})
    recording = recording.model_copy(update={"mission": mission, "run": run})

    assert "<img src=x" not in render_page(report_of(recording), [recording], {})


def test_a_feed_may_have_any_name_that_a_file_may_have():
    recording = record(feed(GOOD))
    run = recording.run.model_copy(update={"feed": "my line (2) 100%.v1"})
    page = render_page(report_of(recording), [recording.model_copy(update={"run": run})], {})

    test_references_within_the_page_lead_somewhere(page)
    assert all(re.fullmatch(r"[a-z0-9-]+", id_) for id_ in Elements(page).values("id"))


def test_the_limit_steps_down_at_a_sign_and_up_behind_its_stretch():
    recording = record(feed(GOOD))
    sign = next(sign for sign in recording.signs if sign.counts)

    assert allowed_cm_s(recording, sign.at_cm - 1) == FULL_SPEED_CM_S * SPEED_TOLERANCE
    assert allowed_cm_s(recording, sign.at_cm + 1) == LOW_SPEED_CM_S * SPEED_TOLERANCE


def test_every_tick_belongs_to_one_order():
    ticks = record(feed("track-full")).run.ticks
    spans = order_spans(ticks)

    assert spans[0].first == 0
    assert spans[-1].end == len(ticks)
    assert all(span.end == after.first for span, after in pairwise(spans))
