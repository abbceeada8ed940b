import time
from types import SimpleNamespace
from typing import Any

import pytest
from driving import feed
from fastapi.testclient import TestClient

from brakepoint.errors import UserError
from brakepoint.messages import Detection, Detections, Picture, SignClass
from brakepoint.monitor.onlooker import SIGNS_AGE_MAX_S, Onlooker, line_of
from brakepoint.monitor.server import make_app
from brakepoint.texts import ORIGINAL, languages

START = {"action": "start", "feed": "track-stop"}
LOCAL = "http://localhost:8000"


@pytest.fixture
def asked():
    return []


@pytest.fixture
def onlooker(asked):
    def ask(control):
        if control.feed == "no-such-feed":
            raise UserError("feed.missing", path="no-such-feed", feeds="–")
        asked.append(control)

    return SimpleNamespace(ask=ask, picture=None)


def post(app, wish, host=LOCAL, **headers):
    return TestClient(app, base_url=host).post("/control", json=wish, headers=headers)


def test_a_button_reaches_the_controller(onlooker, asked):
    answer = post(make_app(onlooker), START, **{"X-Brakepoint-Token": ""})

    assert answer.status_code == 202
    assert [control.action for control in asked] == ["start"]


@pytest.mark.parametrize(
    ("token", "host", "headers"),
    [
        ("", LOCAL, {}),
        ("", "http://elsewhere.example", {"X-Brakepoint-Token": ""}),
        ("secret", LOCAL, {"X-Brakepoint-Token": ""}),
        ("secret", LOCAL, {"X-Brakepoint-Token": "guess"}),
    ],
    ids=["no header", "name of another site", "no token", "wrong token"],
)
def test_who_may_not_give_orders_gives_none(onlooker, asked, token, host, headers):
    assert post(make_app(onlooker, token), START, host, **headers).status_code >= 400
    assert not asked


def test_the_token_opens_the_page_to_other_machines(onlooker, asked):
    app = make_app(onlooker, "secret")

    assert post(app, START, "http://train.local", **{"X-Brakepoint-Token": "secret"}).status_code == 202
    assert asked


@pytest.mark.parametrize("wish", [{}, {"action": "fault"}, {"action": "start", "feed": "no-such-feed"}])
def test_a_wish_that_makes_no_sense_is_refused(onlooker, asked, wish):
    assert post(make_app(onlooker), wish, **{"X-Brakepoint-Token": ""}).status_code == 422
    assert not asked


def test_the_page_speaks_every_language(onlooker):
    client = TestClient(make_app(onlooker), base_url=LOCAL)
    words = client.get("/texts.json").json()["texts"]

    assert client.get("/").status_code == client.get("/web/style.css").status_code == 200
    assert set(words) == set(languages())
    assert all(said.keys() == words[ORIGINAL].keys() for said in words.values())


def test_the_newest_picture_is_served(onlooker):
    client = TestClient(make_app(onlooker), base_url=LOCAL)
    assert client.get("/picture.jpg").status_code == 204
    onlooker.picture = Picture(1, 0.0, 0.0, 0, b"jpeg")

    assert client.get("/picture.jpg").content == b"jpeg"


def test_boxes_are_shown_only_while_the_detector_sees():
    said: dict[str, Detections] = {}
    bus: Any = SimpleNamespace(take=lambda topic, *_: said.pop(topic.name, None))
    onlooker = Onlooker(bus)
    sign = Detection(sign_class=SignClass.DANGER_AHEAD, confidence=0.9, box=(1, 2, 3, 4))

    for age_s, seen in ((0, 1), (SIGNS_AGE_MAX_S, 0)):
        said["detections"] = Detections(
            frame_id=1, captured_at=time.time() - age_s, picture_hash="", items=(sign,)
        )
        onlooker.turn()
        assert len(onlooker.now()["signs"]) == seen


def test_the_map_holds_the_whole_line():
    truth = feed("track-full")
    line = line_of(truth)

    assert (len(line["points"]) - 1) * line["step_cm"] >= truth.length_cm
    assert len(line["signs"]) == len(truth.signs)
