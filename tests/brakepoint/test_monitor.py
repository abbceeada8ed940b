import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from driving import feed
from fake_bus import FakeBus
from fastapi.testclient import TestClient

from brakepoint.errors import UserError
from brakepoint.look import INK, PAPER, SIGN_LOOKS
from brakepoint.messages import (
    Action,
    Detection,
    Detections,
    GivenOrder,
    Health,
    Light,
    MissionState,
    OrderKind,
    Picture,
    Reason,
    SignClass,
    Status,
    TrainState,
    Wish,
)
from brakepoint.monitor import onlooker as onlooking
from brakepoint.monitor import server
from brakepoint.monitor.onlooker import (
    ORDERS_SHOWN,
    SIGNS_AGE_MAX_S,
    SILENT_AFTER_S,
    STOP_AGAIN_S,
    Onlooker,
    line_of,
)
from brakepoint.monitor.server import make_app
from brakepoint.scenery.artwork import DRAWINGS
from brakepoint.services.bus import HEARTBEAT_S
from brakepoint.services.events import EventType
from brakepoint.services.topics import CONTROL, DETECTIONS, MISSION, ORDERS, PICTURE, STATE, STATUS
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
    ("token", "host", "headers", "status"),
    [
        ("", LOCAL, {}, 422),
        ("", "http://elsewhere.example", {"X-Brakepoint-Token": ""}, 400),
        ("secret", LOCAL, {"X-Brakepoint-Token": ""}, 403),
        ("secret", LOCAL, {"X-Brakepoint-Token": "guess"}, 403),
    ],
    ids=["no header", "name of another site", "no token", "wrong token"],
)
def test_who_may_not_give_orders_gives_none(onlooker, asked, token, host, headers, status):
    assert post(make_app(onlooker, token), START, host, **headers).status_code == status
    assert not asked


def test_the_token_opens_the_page_to_other_machines(onlooker, asked):
    app = make_app(onlooker, "secret")

    assert post(app, START, "http://train.local", **{"X-Brakepoint-Token": "secret"}).status_code == 202
    assert asked


@pytest.mark.parametrize("wish", [{}, {"action": "fault"}, {"action": "start", "feed": "no-such-feed"}])
def test_a_wish_that_makes_no_sense_is_refused(onlooker, asked, wish):
    assert post(make_app(onlooker), wish, **{"X-Brakepoint-Token": ""}).status_code == 422
    assert not asked


@pytest.mark.parametrize(("own", "chosen"), [("fr", "fr"), ("xx", "en"), ("", None), (None, None)])
def test_a_page_s_language_is_the_kit_s_only_if_a_person_has_set_it(
    onlooker, monkeypatch, own: str | None, chosen: str | None
):
    client = TestClient(make_app(onlooker), base_url=LOCAL)
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    monkeypatch.delenv("BRAKEPOINT_LANG", raising=False)
    if own is not None:
        monkeypatch.setenv("BRAKEPOINT_LANG", own)

    assert client.get("/texts.json").json()["chosen_lang"] == chosen


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


def test_news_begins_with_the_whole_story_which_is_told_again_only_when_it_has_changed(monkeypatch):
    monkeypatch.setattr(server, "NEWS_HZ", 1e6)
    told: Any = SimpleNamespace(version=3, story=lambda: ["so far"], now=lambda: {"speed": 7})

    async def listen() -> list[str]:
        news = server._news(told)
        events = [await anext(news) for _ in range(3)]
        told.version = 4
        return [*events, *[await anext(news) for _ in range(2)]]

    names = [event.partition("\n")[0].removeprefix("event: ") for event in asyncio.run(listen())]
    assert names == ["story", "now", "now", "story", "now"]


def test_news_is_a_stream_of_events_that_nothing_keeps(onlooker, monkeypatch):
    async def news(_):
        yield b"event: now\ndata: {}\n\n"

    monkeypatch.setattr(server, "_news", news)
    said = TestClient(make_app(onlooker), base_url=LOCAL).get("/news")

    assert (said.status_code, said.content) == (200, b"event: now\ndata: {}\n\n")
    assert said.headers["content-type"].startswith("text/event-stream")
    assert said.headers["cache-control"] == "no-store"


def test_boxes_are_shown_only_while_the_detector_sees():
    said: dict[str, Detections] = {}
    bus: Any = SimpleNamespace(take=lambda topic, *_: said.pop(topic.name, None))
    onlooker = Onlooker(bus)
    sign = Detection(sign_class=SignClass.DANGER_AHEAD, confidence=0.9, box=(1, 2, 3, 4))

    for age_s, seen in ((0, 1), (SIGNS_AGE_MAX_S, 0)):
        said["detections"] = Detections(
            frame_id=1, captured_at=onlooking.CLOCK.now() - age_s, picture_hash="", items=(sign,)
        )
        onlooker.turn()
        assert len(onlooker.now()["signs"]) == seen


RUN, SINCE = 4, 1000.0
TOPICS = {
    "mission": MISSION,
    "order": ORDERS,
    "state": STATE,
    "status": STATUS,
    "picture": PICTURE,
    "detections": DETECTIONS,
}


@pytest.fixture
def bus():
    return FakeBus()


@pytest.fixture
def looking_on(bus):
    """Passes messages of the broker to an onlooker, one turn for each set."""
    onlooker = Onlooker(bus)

    def hear(**messages):
        for name, message in messages.items():
            bus.bring(TOPICS[name], message)
        onlooker.turn()
        return onlooker

    return hear


def mission(**values):
    return MissionState(
        **{"run": RUN, "feed": "track-stop", "running": True, "since": SINCE, "at": SINCE} | values
    )


def order(kind=OrderKind.FULL_SPEED, reason=Reason.CLEAR, run=RUN, at=SINCE + 2):
    return GivenOrder(kind=kind, reason=reason, at=at, giver="us", number=1, run=run)


def state(at=SINCE + 1, position_cm=12.0, speed_cm_s=50.0):
    return TrainState(
        at=at, position_cm=position_cm, speed_cm_s=speed_cm_s, power=50, braking=False, light=Light.ON
    )


def test_the_orders_of_a_run_are_reported_with_their_time_and_place_and_repeats_once(looking_on):
    looking_on(mission=mission(), state=state())
    looking_on(order=order())
    looking_on(order=order(at=SINCE + 3))
    onlooker = looking_on(order=order(OrderKind.BRAKE, Reason.NO_FRAMES, at=SINCE + 4))

    told = [(each["kind"], each["time_s"], each["position_cm"]) for each in onlooker.story()["orders"]]
    assert told == [("full_speed", 2.0, 12.0), ("brake", 4.0, 12.0)]


@pytest.mark.parametrize(
    "followed",
    [None, mission(running=False), mission(run=RUN + 1)],
    ids=["before any mission", "while it stands", "of another run"],
)
def test_orders_that_do_not_drive_the_train_are_not_shown(looking_on, followed):
    onlooker = looking_on(**({"mission": followed} if followed else {}))
    version = onlooker.version
    looking_on(order=order())

    assert onlooker.story()["orders"] == []
    assert onlooker.version == version


def test_a_new_run_begins_with_an_empty_story_and_a_stop_keeps_it(looking_on):
    looking_on(mission=mission(), state=state())
    onlooker = looking_on(order=order())
    looking_on(mission=mission(running=False))
    assert len(onlooker.story()["orders"]) == 1

    looking_on(mission=mission(run=RUN + 1, since=SINCE + 9))
    assert onlooker.story()["orders"] == []
    assert onlooker.now()["train"] is None


def test_a_run_of_a_whole_day_and_invented_services_take_no_more_memory(looking_on, bus):
    looking_on(mission=mission(), state=state())
    kinds = (OrderKind.FULL_SPEED, OrderKind.BRAKE)
    for number in range(3 * ORDERS_SHOWN):
        looking_on(order=order(kinds[number % 2], at=SINCE + number))
        invented = Status(service=f"invented-{number}", health=Health.READY, at=SINCE)
        onlooker = looking_on(status=invented)

    told = onlooker.story()["orders"]
    assert (len(told), told[-1]["time_s"]) == (ORDERS_SHOWN, 3 * ORDERS_SHOWN - 1)
    assert len(onlooker._orders) == ORDERS_SHOWN
    assert not onlooker._statuses


def test_the_ground_truth_is_read_once_a_feed(looking_on, monkeypatch):
    read: list[str] = []
    monkeypatch.setattr(onlooking, "_truth_of", lambda feed, own: read.append(feed))
    for name in ("track-stop", "track-stop", "usb:/dev/video0", "usb:/dev/video0"):
        looking_on(mission=mission(feed=name))

    assert read == ["track-stop", "usb:/dev/video0"]


def test_what_the_train_said_before_the_run_is_not_shown(looking_on):
    onlooker = looking_on(mission=mission(), state=state(at=SINCE - 0.1))
    assert onlooker.now()["train"] is None

    looking_on(state=state(at=SINCE))
    assert onlooker.now()["train"]["position_cm"] == 12.0


def test_at_the_end_of_the_track_the_run_is_scored_once_and_the_train_is_stopped(looking_on, bus):
    length_cm = feed("track-empty").length_cm
    looking_on(mission=mission(feed="track-empty"))
    looking_on(order=order())
    looking_on(state=state(position_cm=0.0))
    for second in (2, 3):
        onlooker = looking_on(state=state(at=SINCE + second, position_cm=length_cm + 1))

    assert [control.action for control in bus.said_of(CONTROL)] == ["stop"]
    assert bus.events == [EventType.MISSION_SCORED]
    assert onlooker.story()["ending"] == "end_of_track"
    assert onlooker.story()["score"] is not None


def test_what_the_detector_saw_is_in_the_record_of_the_run(looking_on):
    seen = Detection(sign_class=SignClass.SPEED_LIMIT, confidence=0.9, box=(1, 2, 3, 4))
    looking_on(mission=mission())
    looking_on(
        order=order(),
        detections=Detections(frame_id=1, captured_at=SINCE + 1, picture_hash="", items=(seen,)),
        state=state(),
    )
    onlooker = looking_on(mission=mission(running=False, train_lost=True))

    assert onlooker._referee.run.ticks[-1].detections == (seen,)


def test_the_newest_picture_is_kept_with_its_age(looking_on):
    assert looking_on().now()["picture_age_s"] is None
    onlooker = looking_on(picture=Picture(1, onlooking.CLOCK.now() - 3, 0.0, 0, b"jpeg"))

    assert onlooker.picture.jpeg == b"jpeg"
    assert 3 <= onlooker.now()["picture_age_s"] < 60


def test_a_train_that_was_lost_ends_the_run_with_a_score(looking_on, bus):
    looking_on(mission=mission())
    looking_on(order=order())
    looking_on(state=state())
    onlooker = looking_on(mission=mission(running=False, train_lost=True))
    looking_on(mission=mission(running=False, train_lost=True))

    assert onlooker.story()["ending"] == "train_lost"
    assert len(bus.events) == 1


def test_a_person_may_ask_for_a_feed_that_there_is_and_for_the_camera_that_is_shown(looking_on, bus):
    onlooker = looking_on(mission=mission(feed="usb:/dev/video0"))
    for name in ("track-stop", "usb:/dev/video0", ""):
        onlooker.ask(Wish(action=Action.START, feed=name))

    assert [control.feed for control in bus.said_of(CONTROL)] == ["track-stop", "usb:/dev/video0", ""]
    with pytest.raises(UserError):
        onlooker.ask(Wish(action=Action.START, feed="usb:/dev/video1"))


@pytest.mark.parametrize(
    ("age_s", "health", "shown"),
    [(0, "ready", "ready"), (SILENT_AFTER_S + 1, "ready", "silent"), (SILENT_AFTER_S + 1, "gone", "gone")],
)
def test_a_service_that_is_not_heard_of_any_more_is_silent_unless_it_said_goodbye(
    looking_on, age_s, health, shown
):
    said = Status(service="capture", health=Health(health), at=onlooking.CLOCK.now() - age_s)

    assert [each["health"] for each in looking_on(status=said).now()["services"]] == [shown]


def test_only_feeds_that_a_message_can_name_are_offered(looking_on, monkeypatch):
    names = ["track-stop", "été", "not-utf8-\udce9", "turned-\u202e", "two\nlines", "x" * 201]
    monkeypatch.setattr(onlooking, "feed_names", lambda: names)

    assert looking_on().story()["feeds"] == ["track-stop", "été"]


def test_the_map_holds_the_whole_line():
    truth = feed("track-full")
    line = line_of(truth)

    assert (len(line["points"]) - 1) * line["step_cm"] >= truth.length_cm
    assert len(line["signs"]) == len(truth.signs)


def test_before_the_first_mission_a_person_may_ask_for_any_feed_that_there_is(looking_on, bus):
    onlooker = looking_on()
    onlooker.ask(Wish(action=Action.START, feed="track-stop"))

    assert [control.feed for control in bus.said_of(CONTROL)] == ["track-stop"]


def set_clocks(monkeypatch, now):
    """Sets both clocks to the given times."""
    monkeypatch.setattr(onlooking, "CLOCK", SimpleNamespace(now=now))
    monkeypatch.setattr(onlooking, "time", SimpleNamespace(monotonic=now))


@pytest.fixture
def at_noon(monkeypatch):
    """A clock that does not advance."""
    set_clocks(monkeypatch, lambda: 43_200.0)
    return 43_200.0


@pytest.mark.parametrize(("beats_missed", "health"), [(2.9, "ready"), (3.1, "silent")])
def test_a_service_that_misses_three_heartbeats_is_silent(looking_on, at_noon, beats_missed, health):
    at = at_noon - beats_missed * HEARTBEAT_S
    onlooker = looking_on(status=Status(service="capture", health=Health.READY, at=at))

    assert [each["health"] for each in onlooker.now()["services"]] == [health]


@pytest.mark.parametrize(("age_s", "shown"), [(0.5, 1), (1.5, 0)])
def test_boxes_of_a_frame_more_than_a_second_old_are_not_drawn(looking_on, at_noon, age_s, shown):
    sign = Detection(sign_class=SignClass.DANGER_AHEAD, confidence=0.9, box=(1, 2, 3, 4))
    at = at_noon - age_s
    onlooker = looking_on(detections=Detections(frame_id=1, captured_at=at, picture_hash="", items=(sign,)))

    assert len(onlooker.now()["signs"]) == shown


def test_the_map_ends_where_the_line_does_and_shows_every_sign():
    truth = feed("track-full")
    line = line_of(truth)

    covered_cm = (len(line["points"]) - 1) * line["step_cm"]
    assert truth.length_cm <= covered_cm <= truth.length_cm + line["step_cm"]
    assert line["points"][0] == (0.0, 0.0)
    assert [sign["at_cm"] for sign in line["signs"]] == sorted(sign.at_cm for sign in truth.signs)
    assert line["size_px"] == (640, 480)


def status(service, per_s=15.0, health="ready"):
    return Status(service=service, health=Health(health), at=onlooking.CLOCK.now(), per_s=per_s)


@pytest.mark.parametrize(
    ("service", "topic"), [("capture", "frame"), ("detector", "detections"), ("autopilot", "order")]
)
def test_a_broker_that_does_not_pass_on_what_a_service_says_is_named(bus, monkeypatch, service, topic):
    now = [43_200.0]
    set_clocks(monkeypatch, lambda: now[0])
    onlooker = Onlooker(bus)

    def held_back(said):
        bus.bring(STATUS, said)
        onlooker.turn()
        return onlooker.now()["held_back"]

    assert held_back(status(service)) == []
    now[0] += 3.0
    assert held_back(status(service)) == []
    now[0] += 0.1
    assert held_back(status(service)) == [topic]
    assert held_back(status(service, per_s=0.0)) == [], "who does nothing is not held back"
    assert held_back(status(service, health="gone")) == []
    assert held_back(status("supervisor")) == []


def test_pictures_that_arrive_are_not_held_back(bus, monkeypatch):
    now = [43_200.0]
    set_clocks(monkeypatch, lambda: now[0])
    onlooker = Onlooker(bus)
    now[0] += 60.0
    bus.bring(PICTURE, Picture(1, now[0], 0.0, 0, b"jpeg"))
    bus.bring(STATUS, status("capture"))
    onlooker.turn()

    assert onlooker.now()["held_back"] == []


@pytest.mark.parametrize("jump_s", [-7200.0, 7200.0])
def test_a_clock_that_is_set_says_nothing_about_the_broker(bus, monkeypatch, jump_s):
    now = [43_200.0]
    monkeypatch.setattr(onlooking, "CLOCK", SimpleNamespace(now=lambda: now[0]))
    onlooker = Onlooker(bus)
    onlooker.ask(Wish(action=Action.STOP))
    now[0] += jump_s
    bus.bring(STATUS, status("capture"))
    onlooker.turn()

    assert onlooker.now()["held_back"] == []


def test_a_wish_that_the_broker_does_not_pass_on_is_named_until_one_arrives(bus, monkeypatch):
    now = [43_200.0]
    set_clocks(monkeypatch, lambda: now[0])
    onlooker = Onlooker(bus)
    onlooker.ask(Wish(action=Action.STOP))
    now[0] += 2.0
    assert onlooker.now()["held_back"] == []
    now[0] += 0.1
    assert onlooker.now()["held_back"] == ["control"]
    onlooker.control(bus.said_of(CONTROL)[0])
    assert onlooker.now()["held_back"] == []


def test_a_stop_is_repeated_until_the_run_has_ended_or_another_began(looking_on, bus, monkeypatch):
    now = [43_200.0]
    set_clocks(monkeypatch, lambda: now[0])
    onlooker = looking_on(mission=mission())
    onlooker.ask(Wish(action=Action.STOP))
    stops = []
    for followed in (None, None, mission(run=RUN + 1), None):
        now[0] += STOP_AGAIN_S + 0.1
        looking_on(**({"mission": followed} if followed else {}))
        stops.append(len(bus.said_of(CONTROL)))

    assert stops == [2, 3, 3, 3]
    assert {control.action for control in bus.said_of(CONTROL)} == {"stop"}


def test_after_a_stop_a_start_is_the_last_word(looking_on, bus, monkeypatch):
    now = [43_200.0]
    set_clocks(monkeypatch, lambda: now[0])
    onlooker = looking_on(mission=mission())
    for action in (Action.STOP, Action.START):
        onlooker.ask(Wish(action=action))
    now[0] += STOP_AGAIN_S + 0.1
    looking_on()

    assert [control.action for control in bus.said_of(CONTROL)] == ["stop", "start"]


def test_while_the_broker_is_away_only_a_stop_is_taken(looking_on, bus):
    onlooker = looking_on(mission=mission())
    bus.is_connected = False
    with pytest.raises(UserError) as refused:
        onlooker.ask(Wish(action=Action.START))
    onlooker.ask(Wish(action=Action.STOP))

    assert refused.value.key == "live.error.broker_away"
    assert [control.action for control in bus.said_of(CONTROL)] == ["stop"]


def test_the_page_gets_the_look_of_each_class_of_sign(onlooker):
    client = TestClient(make_app(onlooker), base_url=LOCAL)
    looks = client.get("/texts.json").json()["looks"]

    assert set(looks) == set(SignClass)
    for sign_class, look in looks.items():
        assert look["colour"] == SIGN_LOOKS[sign_class].colour
        assert look["paths"] == list(SIGN_LOOKS[sign_class].paths)
    assert (looks["DangerAhead"]["words"], looks["SpeedLimit"]["words"]) == (INK, PAPER)


def test_the_page_has_a_name_for_every_kind_of_sign(onlooker):
    client = TestClient(make_app(onlooker), base_url=LOCAL)
    words = client.get("/texts.json").json()["texts"]

    assert all(f"sign.kind.{kind}" in words[lang] for kind in DRAWINGS for lang in ("en", "fr"))
    assert all(f"sign.class.{sign_class}" in words["en"] for sign_class in SignClass)
