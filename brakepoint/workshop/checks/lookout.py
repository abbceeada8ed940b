"""The check of the lookout: judges what the lookout sends on an embedded broker, among other services."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from paho.mqtt.client import topic_matches_sub
from pydantic import ValidationError

from brakepoint.messages import Action, Control, Health, Message, Status
from brakepoint.services.clock import CLOCK
from brakepoint.services.topics import CONTROL, MISSION, STATUS, Topic
from brakepoint.validation import first_fault
from brakepoint.workshop.verdicts import Wrong
from brakepoint.workshop.wire import (
    DETECTOR_STATUS,
    NEIGHBOUR_STATUS,
    ROOT,
    TRAIN,
    Scene,
    Sent,
    TappedClient,
    scene,
    sleepless,
)

Said = TypeVar("Said", bound=Message)

OWN_STATUS = f"{ROOT}/{STATUS.name}/lookout"
STOPS = f"{ROOT}/{CONTROL.name}"
OTHERS = (f"{ROOT}/{MISSION.name}", f"{ROOT}/{STATUS.name}/autopilot", NEIGHBOUR_STATUS)
FRESH_S = 60.0
"""Largest age of a message that was written when it was sent, even on a slow machine."""
CALLBACKS = {"on_connect": 5, "on_message": 3}
"""How many arguments paho passes to each callback, in version 2 of its callbacks."""


def judge(lookout: Callable[[TappedClient, str], object]) -> None:
    """Runs the attendee's `lookout` among other services, and judges its behaviour.

    Raises:
        Wrong: The lookout isn't right yet.
    """
    client = TappedClient()
    with sleepless():
        lookout(client, TRAIN)
        _judge_functions(client)
        will, began = client.will, CLOCK.now()
        with scene(client) as others:
            _judge_quiet(client, others)
            _judge_filters(client.filters)
            _judge_status(client.sent, began)
            _judge_will(will, client.will)
            _judge_stop(client, others)
            _judge_again(client, others)


def _judge_functions(client: TappedClient) -> None:
    """The callbacks are set and take paho's arguments, and nothing is sent before they are called."""
    _must_not_meddle(client)
    if client.filters or client.sent:
        raise Wrong("step5.lookout.too_early")
    if client.on_connect is None:
        raise Wrong("step5.lookout.no_on_connect")
    listeners = [("on_message", listener) for listener in client.listeners.values()]
    for name, function in [("on_connect", client.on_connect), ("on_message", client.on_message), *listeners]:
        if function is not None and not _takes(function, CALLBACKS[name]):
            raise Wrong("step5.lookout.signature", name=name, count=CALLBACKS[name])


def _must_not_meddle(client: TappedClient) -> None:
    if client.meddled:
        raise Wrong("step5.lookout.meddles", method=client.meddled)


def _takes(function: Any, count: int) -> bool:
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    return True


def _judge_quiet(client: TappedClient, others: Scene) -> None:
    """Messages that other services have left on the broker neither stop the train nor end the lookout."""
    if isinstance(others.trouble, Wrong) or (others.trouble and not others.connected):
        raise others.trouble
    _must_not_meddle(client)
    if any(sent.topic == STOPS for sent in client.sent[: others.said_at_once]):
        raise Wrong("step5.lookout.stops_at_once")
    if others.trouble or _stops(client):
        raise Wrong("step5.lookout.unasked", topics=", ".join(OTHERS), topic=DETECTOR_STATUS)


def _judge_filters(filters: list[tuple[str, int]]) -> None:
    if not filters:
        raise Wrong("step5.lookout.no_subscription")
    if DETECTOR_STATUS not in dict(filters):
        others = [name for name, _ in filters if _is_wide(name)]
        key = "wide" if others else "topic"
        raise Wrong(f"step5.lookout.{key}", found=(others or [filters[0][0]])[0], topic=DETECTOR_STATUS)
    if len(dict(filters)) > 1:
        other = next(name for name, _ in filters if name != DETECTOR_STATUS)
        raise Wrong("step5.lookout.wide", found=other, topic=DETECTOR_STATUS)
    if (qos := dict(filters)[DETECTOR_STATUS]) != STATUS.qos:
        raise Wrong("step5.lookout.subscribed_qos", found=qos)


def _is_wide(name: str) -> bool:
    return any(topic_matches_sub(name, topic) for topic in (DETECTOR_STATUS, OWN_STATUS, *OTHERS))


def _judge_status(sent: list[Sent], began: float) -> None:
    """The lookout reports that it is ready, in a message that it writes after each connection."""
    if not sent:
        raise Wrong("step5.lookout.no_status")
    said = _read(Status, sent[0], OWN_STATUS)
    if said.service != "lookout" or said.health is not Health.READY:
        raise Wrong("step5.lookout.status", found=f"{said.service}, {said.health}")
    if said.at < began:
        raise Wrong("step5.lookout.at", topic=OWN_STATUS)
    _judge_delivery(sent[0], said.at, STATUS)


def _judge_will(will: Sent | None, later: Sent | None) -> None:
    """The lookout's last will reports that the lookout is gone."""
    if will is None:
        raise Wrong("step5.lookout.late_will" if later else "step5.lookout.no_will")
    if will.topic != OWN_STATUS:
        raise Wrong("step5.lookout.will_topic", found=will.topic, topic=OWN_STATUS)
    said = _read(Status, will, OWN_STATUS)
    if said.service != "lookout" or said.health is not Health.GONE:
        raise Wrong("step5.lookout.will", found=f"{said.service}, {said.health}")
    if said.at != 0:
        raise Wrong("step5.lookout.dated_will")
    if will.qos != STATUS.qos:
        raise Wrong("step5.lookout.will_qos", found=will.qos)
    if not will.retain:
        raise Wrong("step5.lookout.will_not_kept")


def _judge_stop(client: TappedClient, others: Scene) -> None:
    """The train is stopped every time the detector disappears, and only then."""
    for health in (Health.STARTING, Health.READY):
        _bring(client, others, health)
        if _stops(client):
            raise Wrong("step5.lookout.too_keen", health=health.value)
    first = _judge_one_stop(client, others, "no_stop")
    _bring(client, others, Health.READY)
    if _judge_one_stop(client, others, "once").at <= first.at:
        raise Wrong("step5.lookout.at", topic=STOPS)


def _judge_one_stop(client: TappedClient, others: Scene, missing: str) -> Control:
    """The message with which the train is stopped when the detector is gone."""
    before = len(client.sent)
    _bring(client, others, Health.GONE)
    if len(client.sent) == before:
        if client.on_message is None and not any(
            topic_matches_sub(topic, DETECTOR_STATUS) for topic in client.listeners
        ):
            key = "listener_topic" if client.listeners else "no_listener"
            raise Wrong(f"step5.lookout.{key}", found="".join(list(client.listeners)[:1]))
        raise Wrong(f"step5.lookout.{missing}", topic=DETECTOR_STATUS)
    stop = client.sent[before]
    said = _read(Control, stop, STOPS)
    if said.action is not Action.STOP:
        raise Wrong("step5.lookout.action", found=said.action.value)
    _judge_delivery(stop, said.at, CONTROL)
    if (count := sum(sent.topic == STOPS for sent in client.sent[before:])) > 1:
        raise Wrong("step5.lookout.many", found=count)
    return said


def _judge_again(client: TappedClient, others: Scene) -> None:
    """After reconnecting, the lookout subscribes and reports again."""
    filters, sent = len(client.filters), len(client.sent)
    others.connect_again()
    if DETECTOR_STATUS not in dict(client.filters[filters:]):
        raise Wrong("step5.lookout.no_second_subscription")
    if not any(message.topic == OWN_STATUS for message in client.sent[sent:]):
        raise Wrong("step5.lookout.no_second_status")


def _bring(client: TappedClient, others: Scene, health: Health) -> None:
    """Sends the detector's status to the client; an exception in the client is the attendee's mistake."""
    others.hear("detector", health)
    if others.trouble:
        raise others.trouble
    _must_not_meddle(client)


def _stops(client: TappedClient) -> bool:
    return any(sent.topic == STOPS for sent in client.sent)


def _read(message: type[Said], sent: Sent, topic: str) -> Said:
    """The message, if it is on the right topic and well formed."""
    if sent.topic != topic:
        raise Wrong("step5.lookout.wrong_topic", found=sent.topic, topic=topic)
    try:
        return message.model_validate_json(sent.payload)
    except ValidationError as error:
        said = {"found": sent.payload.decode(errors="replace")[:60], "name": message.__name__}
        if error.errors()[0]["type"] == "json_invalid":
            raise Wrong("step5.lookout.no_json", **said) from None
        raise Wrong("step5.lookout.form", **said, why=first_fault(error)) from None


def _judge_delivery(sent: Sent, at: float, topic: Topic[Any]) -> None:
    """Checks that a message is fresh, and has the quality of service and the retain flag of its topic."""
    if abs(CLOCK.now() - at) > FRESH_S:
        raise Wrong("step5.lookout.at", topic=sent.topic)
    if sent.qos != topic.qos:
        raise Wrong("step5.lookout.qos", topic=sent.topic, found=sent.qos)
    if bool(sent.retain) != topic.retain:
        raise Wrong("step5.lookout.not_kept" if topic.retain else "step5.lookout.kept_stop", topic=sent.topic)
