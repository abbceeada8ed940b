"""Defines every topic: its encoding, its quality of service, whether its messages are retained, and why."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, cast

from cloudevents.http import CloudEvent

from brakepoint.messages import (
    FRAME_MAX_BYTES,
    Control,
    Detections,
    Frame,
    GivenOrder,
    Message,
    MissionState,
    Picture,
    Status,
    TrainState,
    decode_frame,
    encode_frame,
    split_frame,
)
from brakepoint.services.events import decode_event, encode_event

T = TypeVar("T")
AT_MOST_ONCE, AT_LEAST_ONCE = 0, 1
NEWEST, QUEUE = 1, 64
SMALL_BYTES, LARGE_BYTES = 2_000, 100_000
JPEG_QUALITY = 85


@dataclass(frozen=True)
class Topic(Generic[T]):
    """One topic of a train, `brakepoint/{train_id}/{name}`.

    The text `live.topic.reason.{name}` explains the topic's settings.

    Attributes:
        name: Last part of the topic; with `each`, a service's name follows.
        decode: Turns a payload into a message, and raises ValueError or UserError if the payload is invalid.
        encode: Turns a message into the payload.
        senders: The services that publish to the topic.
        qos: MQTT's quality of service.
        retain: Whether the broker sends the last message to later subscribers.
        keep: How many unread messages a receiver holds; beyond that, the oldest are dropped.
        max_bytes: Longer payloads are rejected unread.
        each: Whether every service has its own topic below this one.
    """

    name: str
    decode: Callable[[bytes], T]
    encode: Callable[[Any], bytes]
    senders: tuple[str, ...]
    qos: int = AT_MOST_ONCE
    retain: bool = False
    keep: int = NEWEST
    max_bytes: int = SMALL_BYTES
    each: bool = False


def _json(name: str, message: type[T], *senders: str, **options: Any) -> Topic[T]:
    assert issubclass(message, Message)
    decode = cast(Callable[[bytes], T], message.model_validate_json)
    return Topic(name, decode, lambda said: said.model_dump_json().encode(), senders, **options)


def _encode_frame(frame: Frame) -> bytes:
    return encode_frame(frame, JPEG_QUALITY)


FRAME: Topic[Frame] = Topic("frame", decode_frame, _encode_frame, ("capture",), max_bytes=FRAME_MAX_BYTES)
PICTURE: Topic[Picture] = replace(  # For programs that only display it, or have it as JPEG.
    cast(Any, FRAME), decode=split_frame, encode=Picture.pack
)
DETECTIONS = _json("detections", Detections, "detector", max_bytes=LARGE_BYTES)
ORDER = _json("order", GivenOrder, "autopilot")
ORDERS = replace(ORDER, keep=QUEUE)  # For programs that record the run.
STATE = _json("state", TrainState, "controller")
CONTROL = _json("control", Control, "monitor", qos=AT_LEAST_ONCE, keep=QUEUE)
MISSION = _json("mission", MissionState, "controller", qos=AT_LEAST_ONCE, retain=True)
STATUS = _json("status", Status, "*", qos=AT_LEAST_ONCE, retain=True, keep=QUEUE, each=True)
REPLICA = _json("replica", Status, "detector", keep=QUEUE)
EVENT: Topic[CloudEvent] = Topic(
    "event",
    decode_event,
    encode_event,
    ("controller", "monitor"),
    AT_LEAST_ONCE,
    keep=QUEUE,
    max_bytes=LARGE_BYTES,
)

TOPICS: tuple[Topic[Any], ...] = (FRAME, DETECTIONS, ORDER, STATE, CONTROL, MISSION, STATUS, REPLICA, EVENT)
