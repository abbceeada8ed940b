"""Invalid messages on a topic never end a service, and are counted."""

import random
import re
import socket
import time
import urllib.request
from contextlib import contextmanager
from functools import cache

import numpy as np
import paho.mqtt.client as mqtt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion
from prometheus_client.parser import text_string_to_metric_families

from brakepoint.errors import UserError
from brakepoint.messages import (
    TOPIC_ROOT,
    Action,
    Control,
    Detection,
    Detections,
    Frame,
    GivenOrder,
    MissionState,
    Status,
    TrainState,
)
from brakepoint.services import CLIENTS, SERVICES, ServiceSettings, address
from brakepoint.services.bus import parse_broker
from brakepoint.services.events import EventType, make_event
from brakepoint.services.supervisor import Supervisor
from brakepoint.services.topics import FRAME, ORDER, TOPICS
from brakepoint.sockets import free_port

pytestmark = pytest.mark.live

MESSAGES = 10_500
AT_A_TIME = 50
LINES = 500
SEED = 6
WITHIN_S = 120.0
DETECTION = Detection(sign_class="DangerAhead", confidence=0.9, box=(1, 2, 30, 40))
GOOD = {
    "frame": Frame(1, 2.0, 3.0, np.full((48, 64, 3), 90, np.uint8)),
    "detections": Detections(frame_id=1, captured_at=2.0, picture_hash="abc", items=(DETECTION,)),
    "order": GivenOrder(kind="brake", reason="clear", at=1.0, giver="me", number=1, run=1),
    "state": TrainState(at=1.0, position_cm=2.0, speed_cm_s=3.0, power=4, braking=False, light="on"),
    "control": Control(action=Action.STOP, at=1.0),
    "mission": MissionState(run=1, feed="track-stop", running=False, since=1.0, at=2.0),
    "status": Status(service="detector", health="ready", at=1.0),
    "replica": Status(service="detector-1a2b3c4d-5e6f7a8b", health="ready", at=1.0),
    "event": make_event(EventType.MISSION_STARTED, "train-1", "controller", {"run": 1}),
}
NONSENSE = (
    b"",
    b"null",
    b"[]",
    b"{}",
    b"true",
    b"1e999",
    b'"brake"',
    b"[" * 1500,
    b'{"a":' * 300,
    b"\xff\xfe" * 40,
    b"\0" * 1000,
    b"9" * 1900,
)


@cache
def good(topic):
    return topic.encode(GOOD[topic.name])


def spoiled(topic, chance):
    """Something that is not a message of the topic, though it may look much like one."""
    while True:
        payload = bytearray(chance.choice((good(topic), good(topic), chance.choice(NONSENSE))))
        way = chance.randrange(5)
        if way == 0:
            payload = payload[: chance.randrange(len(payload) + 1)]
        elif way == 1:
            for _ in range(chance.randrange(1, 30)):
                if payload:
                    payload[chance.randrange(len(payload))] = chance.randrange(256)
        elif way == 2:
            payload = bytearray(chance.randbytes(chance.randrange(400)))
        elif way == 3:
            swap = (b"1", b"2", b"3", b"true", b"clear", b"e")[chance.randrange(6)]
            payload = payload.replace(swap, chance.choice((b"NaN", b"null", b'"x"', b"[[", b"-1e400")))
        if not is_message(topic, bytes(payload)):
            return bytes(payload)


def is_message(topic, payload):
    try:
        topic.decode(payload)
    except (ValueError, UserError):
        return False
    return True


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_message_survives_its_topic(topic):
    assert is_message(topic, good(topic))


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
@settings(max_examples=400)
@given(start=st.binary(max_size=60), cut=st.integers(0, 2000), end=st.binary(max_size=200))
def test_no_bytes_at_all_raise_anything_but_a_refusal(topic, start, cut, end):
    is_message(topic, start + good(topic)[len(start) : cut] + end)


def test_a_picture_that_claims_to_be_gigantic_is_not_decoded():
    frame = good(FRAME)
    size = frame.index(bytes((0, 48, 0, 64)), 20)
    assert not is_message(FRAME, frame[:size] + b"\xff\xff\xff\xff" + frame[size + 4 :])


@pytest.fixture(scope="module")
def running():
    """All services, and the address of each one's metrics."""
    page = f"127.0.0.1:{free_port()}"
    urls = {}

    def tell(service, line):
        if found := re.search(r"http://\S+/metrics", line):
            urls[service] = found[0]

    with Supervisor(ServiceSettings(detector="oracle", page=page), CLIENTS, tell) as services:
        yield services, urls


def counts(url):
    """How many messages a service received, accepted and refused: `(topic, counter)` to a number."""
    page = urllib.request.urlopen(url, timeout=30).read().decode()
    return {
        (sample.labels["topic"], sample.name.removeprefix("brakepoint_messages_")): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name.startswith("brakepoint_messages") and sample.name.endswith("_total")
    }


def await_condition(condition):
    until = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < until, "it did not come to pass in time"
        time.sleep(0.2)


READERS = {
    "capture": ("control", "mission", "state"),
    "detector": ("control", "frame", "mission", "replica"),
    "autopilot": ("control", "detections", "mission", "state"),
    "controller": ("control", "order"),
    "monitor": ("control", "detections", "frame", "mission", "order", "state", "status"),
}
"""What each service reads all the time."""


def test_ten_thousand_malformed_messages_end_no_service_and_are_counted(running):
    services, urls = running
    before = {name: services.pid(name) for name in urls}
    with flood(services.settings) as sent:
        for service, topics in READERS.items():
            await_condition(lambda s=service, t=topics: is_accounted_for(counts(urls[s]), t, sent))
    assert {name: services.pid(name) for name in urls} == before


def is_accounted_for(found, topics, sent):
    """Whether everything has arrived, every topic refused some, and each wish was refused or skipped."""
    return all(
        found.get((topic, "total"), 0) >= sent[topic] and found.get((topic, "refused_total"), 0) > 0
        for topic in topics
    ) and found["control", "total"] == found["control", "refused_total"] + found.get(
        ("control", "skipped_total"), 0
    )


@contextmanager
def flood(settings):
    """Publishes the malformed messages, and returns how many on each topic.

    It stays connected to the end: the embedded broker forgets what it has acknowledged and not passed on yet
    when its sender goes.
    """
    chance = random.Random(SEED)
    broker = parse_broker(settings.broker)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, "vandal")
    client.connect(broker.host, broker.port)
    client.loop_start()
    sent = dict.fromkeys((topic.name for topic in TOPICS), 0)
    for number in range(MESSAGES):
        topic = TOPICS[number % len(TOPICS)]
        path = f"{TOPIC_ROOT}/{settings.train_id}/{topic.name}" + ("/vandal" if topic.each else "")
        published = client.publish(path, spoiled(topic, chance), qos=1)
        if number % AT_A_TIME == 0:  # The broker is given no more than it can take.
            published.wait_for_publish(WITHIN_S)
        sent[topic.name] += 1
    published.wait_for_publish(WITHIN_S)
    yield sent
    client.disconnect()
    client.loop_stop()


def test_malformed_lines_do_not_end_the_train(running):
    services, urls = running
    chance, before = random.Random(SEED), services.pid("train")
    with socket.create_connection(address(services.settings.link)) as link:
        for _ in range(LINES):
            link.sendall(spoiled(ORDER, chance).replace(b"\n", b" ") + b"\n")
        await_condition(lambda: counts(urls["train"]).get(("link", "refused_total"), 0) >= LINES)
    with socket.create_connection(address(services.settings.link)) as link:
        link.sendall(b"x" * 100_000)

    arrived = counts(urls["train"])["link", "total"]
    await_condition(lambda: counts(urls["train"])["link", "total"] > arrived)
    assert services.pid("train") == before


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_offers_its_metrics_to_this_machine_alone(running, service):
    _, urls = running

    assert urls[service].startswith("http://127.0.0.1:")
    assert b"process_resident_memory_bytes" in urllib.request.urlopen(urls[service], timeout=30).read()
