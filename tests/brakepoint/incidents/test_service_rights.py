"""What the broker of an incident lets its services publish."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from patience import PATIENCE_S

pytest.importorskip("amqtt")

from amqtt.contexts import Action

from brakepoint.incidents.causes import find_incident
from brakepoint.incidents.probes import drives
from brakepoint.incidents.rights import ServiceRights
from brakepoint.incidents.site import Rights, Site, healthy_site
from brakepoint.incidents.wiring import runs_of
from brakepoint.messages import Detections, Health
from brakepoint.services import ServiceSettings
from brakepoint.services.bus import Bus
from brakepoint.services.topics import DETECTIONS, REPLICA, STATUS, TOPICS
from brakepoint.sockets import LOCALHOST, free_port


def passes(service: str, topic: str, action: Action = Action.PUBLISH, **allowed: list[str]) -> bool:
    plugin = ServiceRights(SimpleNamespace(config=ServiceRights.Config(allowed), logger=None))
    session = SimpleNamespace(client_id=f"train-1-{service}-0a1b2c")
    return asyncio.run(plugin.topic_filtering(session=session, topic=topic, action=action))


def test_a_healthy_train_lets_every_service_say_what_it_has_to_say() -> None:
    for service, names in Rights().model_dump().items():
        said = {topic for topic in TOPICS if service in topic.senders}
        assert set(names) == {topic.name for topic in said - {REPLICA}}  # Its detector has no replicas.


def test_what_a_service_may_not_publish_is_refused() -> None:
    assert passes("detector", "brakepoint/train-1/detections", detector=["detections"])
    assert not passes("detector", "brakepoint/train-1/detections", detector=[])
    assert not passes("detector", "brakepoint/train-1/order", detector=["detections"])
    assert not passes("detector", "detections", detector=["detections"])


def test_a_status_and_whatever_is_heard_passes() -> None:
    assert passes("detector", "brakepoint/train-1/status/detector", detector=[])
    assert passes("detector", "brakepoint/train-1/order", Action.SUBSCRIBE, detector=[])
    assert passes("detector", "brakepoint/train-1/order", Action.RECEIVE, detector=[])


def test_the_controller_has_its_rights_with_and_without_a_secret_name() -> None:
    plugin = ServiceRights(SimpleNamespace(config=ServiceRights.Config({"controller": []}), logger=None))
    for name in ("train-1-controller", "train-1-controller-aZ-_9"):
        asked = plugin.topic_filtering(
            session=SimpleNamespace(client_id=name),
            topic="brakepoint/train-1/state",
            action=Action.PUBLISH,
        )
        assert not asyncio.run(asked)


def test_a_client_that_is_not_a_service_may_publish_everything() -> None:
    assert passes("laptop", "brakepoint/train-1/order", detector=[])


@pytest.mark.parametrize(
    ("service", "names"),
    [
        ("capture", ()),
        ("detector", ()),
        ("autopilot", ()),
        ("controller", ("state", "event")),
        ("controller", ("mission", "event")),
    ],
)
def test_a_train_that_lacks_a_right_does_not_drive(
    tmp_path: Path, service: str, names: tuple[str, ...]
) -> None:
    site = healthy_site(tmp_path).changed("rights", **{service: names})
    site.save()

    assert Site.load(tmp_path) == site
    assert not drives(site).well


def test_a_train_drives_without_the_right_to_tell_what_has_happened(tmp_path: Path) -> None:
    assert drives(healthy_site(tmp_path).changed("rights", controller=("state", "mission"))).well


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The broker of a train that was broken this way: its detector may publish nothing but its status."""
    find_incident(11).break_(healthy_site(tmp_path)).save()
    settings = ServiceSettings(broker=f"mqtt://{LOCALHOST}:{free_port()}")
    stopping = threading.Event()
    thread = threading.Thread(target=runs_of(tmp_path)["broker"], args=(settings, stopping), daemon=True)
    thread.start()
    yield settings.broker
    stopping.set()
    thread.join(PATIENCE_S)


@pytest.mark.live
def test_on_the_wire_the_detector_is_heard_to_be_there_and_says_nothing_more(address: str) -> None:
    settings = ServiceSettings(broker=address)
    seen = Detections(frame_id=1, captured_at=1.0, picture_hash="0")
    with (
        Bus(settings, "", (DETECTIONS, STATUS)) as listener,
        Bus(settings, "detector") as detector,
        Bus(settings, "laptop") as laptop,
    ):
        until = time.monotonic() + PATIENCE_S
        while not (listener.is_connected and detector.is_connected and laptop.is_connected):
            assert time.monotonic() < until, "they did not connect in time"
            time.sleep(0.01)
        while listener.take(STATUS, 0.05) is None:  # Until the listener's own subscription holds, too.
            assert time.monotonic() < until, "nothing was heard in time"
            laptop.beat(now=True)
        detector.say(DETECTIONS, seen)
        detector.beat(now=True)
        while (status := listener.take(STATUS, PATIENCE_S)) and status.service != "detector":
            pass
        assert status is not None and status.health is Health.STARTING
        assert not listener.has(DETECTIONS, 0.2)

        laptop.say(DETECTIONS, seen)
        assert listener.take(DETECTIONS, PATIENCE_S) == seen
