"""The messages between the services, with their encodings.

Every message is JSON except `Frame`, which is a fixed binary header followed by JPEG bytes. Times are in
seconds by the clock of the sender's machine, positions in centimetres along the track, boxes in pixels of the
frame.
"""

import math
import struct
import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from brakepoint.errors import UserError

if TYPE_CHECKING:  # Commands that handle no pictures start a fifth faster without NumPy.
    import numpy as np

TOPIC_ROOT = "brakepoint"
"""Every topic is `brakepoint/{train_id}/{name}`."""

Finite = Annotated[float, Field(allow_inf_nan=False)]
FEED_NAME_MAX = 200
FeedName = Annotated[str, Field(max_length=FEED_NAME_MAX, pattern=r"^\P{C}*$")]
"""A feed's name, or the URI of a real camera, without invisible characters."""


class SignClass(StrEnum):
    """The classes of a detector. The order of the members is the order of the model's class ids."""

    DANGER_AHEAD = "DangerAhead"
    SPEED_LIMIT = "SpeedLimit"


class Message(BaseModel):
    """Base of the JSON messages: immutable, and unknown fields are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Detection(Message):
    """One sign seen in one frame.

    Attributes:
        sign_class: Class of the sign.
        confidence: How sure the detector is, 0 to 1.
        box: `(left, top, right, bottom)` in pixels of the frame.
    """

    sign_class: SignClass
    confidence: float = Field(ge=0, le=1)
    box: tuple[Finite, Finite, Finite, Finite]

    @model_validator(mode="after")
    def _box_has_an_area(self) -> Self:
        left, top, right, bottom = self.box
        if not (left < right and top < bottom):
            raise ValueError(f"box {self.box} has no area")
        return self

    @property
    def width_px(self) -> float:
        """Width of the box in pixels."""
        return self.box[2] - self.box[0]

    @property
    def height_px(self) -> float:
        """Height of the box in pixels."""
        return self.box[3] - self.box[1]

    @property
    def centre_x_px(self) -> float:
        """Horizontal centre of the box in pixels."""
        return (self.box[0] + self.box[2]) / 2

    @property
    def centre_y_px(self) -> float:
        """Vertical centre of the box in pixels."""
        return (self.box[1] + self.box[3]) / 2


class Detections(Message):
    """All detections in one frame.

    Attributes:
        frame_id: Number of the capture, growing by at least one each time.
        captured_at: When the frame was captured, in seconds.
        picture_hash: Equal for two frames only when their pictures are identical to the bit. A camera has
            noise, so an equal hash while the train moves means a frozen camera.
        items: The signs, in no particular order.
    """

    frame_id: int = Field(ge=0)
    captured_at: Finite
    picture_hash: str = Field(max_length=32)
    items: tuple[Detection, ...] = Field(default=(), max_length=300)


class OrderKind(StrEnum):
    """The kinds of orders to the train."""

    FULL_SPEED = "full_speed"
    LOW_SPEED = "low_speed"
    BRAKE = "brake"


class Reason(StrEnum):
    """Why the autopilot gave an order."""

    STARTING = "starting"
    CLEAR = "clear"
    SPEED_LIMIT = "speed_limit"
    DANGER_APPROACH = "danger_approach"
    DANGER_STOP = "danger_stop"
    DANGER_PASSING = "danger_passing"
    NO_FRAMES = "no_frames"
    FROZEN_FRAMES = "frozen_frames"
    NO_TRAIN_STATE = "no_train_state"
    NO_ORDERS = "no_orders"
    """The train's own watchdog has received no orders."""
    BY_HAND = "by_hand"
    """A person has stopped the train, or has not started it yet."""


class Light(StrEnum):
    """The headlight."""

    OFF = "off"
    ON = "on"
    BLINK = "blink"


class Order(Message):
    """An order of the autopilot to the train, repeated at every step.

    Attributes:
        kind: What the train must do.
        reason: Why the order was given.
        sign: The class of the sign to which the order responds, if any.
        light: State of the headlight.
        at: When the order was issued, in seconds.
    """

    kind: OrderKind
    reason: Reason
    sign: SignClass | None = None
    light: Light = Light.ON
    at: Finite

    @property
    def meaning(self) -> tuple[OrderKind, Reason, SignClass | None]:
        """The fields that make two orders the same, regardless of when they were issued."""
        return self.kind, self.reason, self.sign


class GivenOrder(Order):
    """An order on its way to the train, with what the receiver needs to check that it is still valid.

    Attributes:
        giver: Id of the autopilot that issued the order; changes with every restart.
        number: Number of the order, which grows with every order of a giver.
        run: Number of the run for which the order was issued; −1 while its giver does not know of a run.
        seen_at: When the frame on which the order is based was captured; None if there was none.
    """

    giver: str = Field(max_length=64)
    number: int = Field(ge=0)
    run: int = Field(ge=-1)
    seen_at: Finite | None = None


class TrainState(Message):
    """The train's speed and position, as known to its hub.

    Attributes:
        at: Time of this state, in seconds.
        position_cm: Distance covered along the track since the start.
        speed_cm_s: Zero or more: the train never reverses.
        power: Power of the motor in percent, −100 to 100.
        braking: Whether the brake is on.
        light: State of the headlight.
    """

    at: Finite
    position_cm: Finite
    speed_cm_s: float = Field(ge=0, allow_inf_nan=False)
    power: int = Field(ge=-100, le=100)
    braking: bool
    light: Light


class Fault(StrEnum):
    """A fault that a button can cause. Texts: `live.fault.{value}`."""

    CAMERA_FROZEN = "camera_frozen"
    CAMERA_BLACK = "camera_black"
    CAMERA_SILENT = "camera_silent"
    CAMERA_GARBLED = "camera_garbled"
    DETECTOR_HANGS = "detector_hangs"
    AUTOPILOT_HANGS = "autopilot_hangs"
    CONTROLLER_HANGS = "controller_hangs"


class Action(StrEnum):
    """The kinds of requests by a person."""

    START = "start"
    STOP = "stop"
    FEED = "feed"
    FAULT = "fault"


class Wish(Message):
    """A person's request: start, stop, another feed, a fault.

    Attributes:
        action: Kind of the request.
        feed: The feed to choose, for `feed`, and for `start` if it differs from the previous feed.
        fault: The fault to cause, for `fault`.
        seconds: Duration of the fault.
    """

    action: Action
    feed: FeedName | None = None
    fault: Fault | None = None
    seconds: float = Field(default=2.0, gt=0, le=10)

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if (self.action is Action.FEED and not self.feed) or (self.action is Action.FAULT and not self.fault):
            raise ValueError(f"{self.action} says not which")
        return self


class Control(Wish):
    """A request on its way to the services.

    Attributes:
        at: When the request was made; a late request is not carried out, unless it is a stop.
    """

    at: Finite


class MissionState(Message):
    """The state of the mission, which the controller publishes and from which restarted services resume.

    Attributes:
        run: Number of the run; at the beginning of a new run, the train is at the start again.
        feed: The feed.
        running: Whether the controller passes orders on to the train.
        since: When the run began; anything older belongs to another run.
        at: Time of this message.
        train_lost: Whether the run ended because the train was lost, so that its position is no longer
            known.
    """

    run: int = Field(ge=0)
    feed: FeedName
    running: bool
    since: Finite
    at: Finite
    train_lost: bool = False


class Health(StrEnum):
    """The state of a service. Texts: `live.health.{value}`."""

    STARTING = "starting"
    READY = "ready"
    GONE = "gone"


class Status(Message):
    """The heartbeat of a service, and its last will.

    Attributes:
        service: Name of the service.
        health: State of the service.
        at: Time of the message; 0 in a last will, which is written in advance.
        refused: Number of messages rejected so far.
        per_s: Work per second: frames captured, frames examined, orders issued or passed on.
        latency_ms: Recent median time from the capture of a frame until the train receives the order.
        latency_p95_ms: 95th percentile of these times.
    """

    service: str = Field(max_length=32)
    health: Health
    at: Finite
    refused: int = Field(default=0, ge=0)
    per_s: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    latency_ms: Finite | None = None
    latency_p95_ms: Finite | None = None


@dataclass(frozen=True)
class Frame:
    """One capture of the camera.

    Attributes:
        frame_id: Number of the capture.
        captured_at: Time of capture in seconds.
        position_cm: Position of the train; NaN from a real camera, which does not know the position.
        image: `(height, width, 3)` uint8, blue-green-red.
        signs_from_px: First row in which a sign may be visible, in the upper half; 0 if the camera does not
            know.
    """

    frame_id: int
    captured_at: float
    position_cm: float
    image: "np.ndarray"
    signs_from_px: int = 0


def picture_hash(image: "np.ndarray") -> str:
    """A fingerprint of a picture's pixels, in 0.2 ms for 640×480: equal pictures have equal fingerprints."""
    import numpy as np

    return f"{zlib.crc32(np.ascontiguousarray(image).data):08x}"


FRAME_MAGIC = b"BPF2"
"""First bytes of an encoded frame; the digit is the version of the header."""
FRAME_HEADER = struct.Struct("!4sQdfH")
"""Magic, frame id, capture time, position, first row with signs; network byte order. The JPEG follows."""
FRAME_MAX_BYTES = 2_000_000


def encode_frame(frame: Frame, jpeg_quality: int = 90) -> bytes:
    """Encodes a frame for the `frame` topic: `FRAME_HEADER`, then JPEG bytes."""
    import cv2

    _, jpeg = cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])
    return Picture(
        frame.frame_id, frame.captured_at, frame.position_cm, frame.signs_from_px, jpeg.tobytes()
    ).pack()


class Picture(NamedTuple):
    """An encoded frame whose picture is still JPEG, for programs that only display it."""

    frame_id: int
    captured_at: float
    position_cm: float
    signs_from_px: int
    jpeg: bytes

    def pack(self) -> bytes:
        """Header and JPEG, as transmitted."""
        return FRAME_HEADER.pack(FRAME_MAGIC, *self[:-1]) + self.jpeg


def split_frame(payload: bytes) -> Picture:
    """Reads the header of an encoded frame.

    Raises:
        UserError: The payload is too long, or its header is wrong.
    """
    if not FRAME_HEADER.size < len(payload) <= FRAME_MAX_BYTES:
        raise UserError("error.frame_size", size=len(payload), most=FRAME_MAX_BYTES)
    magic, frame_id, captured_at, position_cm, signs_from_px = FRAME_HEADER.unpack_from(payload)
    if magic != FRAME_MAGIC or not math.isfinite(captured_at):
        raise UserError("error.frame_header")
    return Picture(frame_id, captured_at, position_cm, signs_from_px, payload[FRAME_HEADER.size :])


def decode_frame(payload: bytes) -> Frame:
    """Decodes the output of `encode_frame`.

    Raises:
        UserError: As for `split_frame`, or the picture cannot be decoded.
    """
    import cv2
    import numpy as np

    frame_id, captured_at, position_cm, signs_from_px, jpeg = split_frame(payload)
    try:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # For instance, the picture claims to be larger than allowed.
        image = None
    if image is None or 2 * signs_from_px > image.shape[0]:
        raise UserError("error.frame_picture", frame_id=frame_id)
    return Frame(frame_id, captured_at, position_cm, image, signs_from_px)
