"""Every topic, once: how it is encoded, how sure its delivery is, whether the broker keeps it, and why."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from brakepoint.messages import (
    FRAME_MAX_BYTES,
    Control,
    Detections,
    Frame,
    GivenOrder,
    Message,
    MissionState,
    Status,
    TrainState,
    decode_frame,
    split_frame,
)

T = TypeVar("T")
AT_MOST_ONCE, AT_LEAST_ONCE = 0, 1
NEWEST, QUEUE = 1, 64


@dataclass(frozen=True)
class Topic(Generic[T]):
    """One topic of a train, `brakepoint/{train_id}/{name}`.

    Attributes:
        name: Its last part; with `each`, a service's name follows.
        decode: Turns a payload into the message, and raises ValueError or UserError for one that is not.
        qos: MQTT's quality of service.
        retain: Whether the broker hands the last message to whoever comes later.
        keep: How many unread messages a receiver holds; of more, the oldest go.
        max_bytes: Longer payloads are refused unread.
        each: Whether every service has a topic of its own below this one.
    """

    name: str
    decode: Callable[[bytes], T]
    qos: int = AT_MOST_ONCE
    retain: bool = False
    keep: int = NEWEST
    max_bytes: int = 100_000
    each: bool = False


def _json(message: type[T]) -> Callable[[bytes], T]:
    assert issubclass(message, Message)
    return message.model_validate_json


# Said afresh 15 times a second: a lost one is replaced sooner than it could be sent again, and a kept one
# would show a latecomer a world that is no more.
FRAME: Topic[Frame] = Topic("frame", decode_frame, max_bytes=FRAME_MAX_BYTES)
PICTURE = Topic("frame", split_frame, max_bytes=FRAME_MAX_BYTES)  # The same, for those who only show it.
DETECTIONS = Topic("detections", _json(Detections))
ORDER = Topic("order", _json(GivenOrder), max_bytes=2_000)
ORDERS = Topic("order", _json(GivenOrder), keep=QUEUE, max_bytes=2_000)  # For those who keep the record.
STATE = Topic("state", _json(TrainState), max_bytes=2_000)
# Said once by a person, so it must arrive, and each one counts; twice does no harm. Never kept: a start that
# waited in a broker would set a train off by itself.
CONTROL = Topic("control", _json(Control), AT_LEAST_ONCE, keep=QUEUE, max_bytes=2_000)
# What a latecomer or a restarted service must know at once. It carries its time: an old one is not believed.
MISSION = Topic("mission", _json(MissionState), AT_LEAST_ONCE, retain=True, max_bytes=2_000)
STATUS = Topic("status", _json(Status), AT_LEAST_ONCE, retain=True, keep=QUEUE, max_bytes=2_000, each=True)

TOPICS = (FRAME, DETECTIONS, ORDER, STATE, CONTROL, MISSION, STATUS)
