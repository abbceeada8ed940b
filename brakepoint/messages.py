"""The messages that flow between the parts, each with its topic and its encoding.

JSON for everything but `Frame`, which is a fixed binary header followed by JPEG bytes. Times are seconds on
the clock of the sender's machine, positions centimetres along the track, boxes pixels of the frame.
"""

import math
import struct
import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from brakepoint.errors import UserError

TOPIC_ROOT = "brakepoint"
"""Every topic is `brakepoint/{train_id}/{name}`."""

Finite = Annotated[float, Field(allow_inf_nan=False)]


class SignClass(StrEnum):
    """What a detector tells apart. The order of the members is the order of the model's class ids."""

    DANGER_AHEAD = "DangerAhead"
    SPEED_LIMIT = "SpeedLimit"


class Message(BaseModel):
    """Base of the JSON messages: immutable, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Detection(Message):
    """One sign seen in one frame.

    Attributes:
        sign_class: What it is.
        confidence: 0 to 1.
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
    """Everything that the detector saw in one frame.

    Attributes:
        frame_id: Number of the capture, growing by at least one each time.
        captured_at: When the frame was captured, in seconds.
        picture_hash: Equal for two frames only when their pictures are identical to the bit. A camera has
        noise,
            so an equal hash while the train moves means a frozen camera.
        items: The signs, in no particular order.
    """

    frame_id: int = Field(ge=0)
    captured_at: Finite
    picture_hash: str = Field(max_length=32)
    items: tuple[Detection, ...] = Field(default=(), max_length=300)


class OrderKind(StrEnum):
    """What the train is told to do."""

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


class Light(StrEnum):
    """The headlight."""

    OFF = "off"
    ON = "on"
    BLINK = "blink"


class Order(Message):
    """What the autopilot wants the train to do, said afresh at every step.

    Attributes:
        kind: What to do.
        reason: Why.
        sign: The sign that it answers to, if any.
        light: The headlight.
        at: When it was given, in seconds.
    """

    kind: OrderKind
    reason: Reason
    sign: SignClass | None = None
    light: Light = Light.ON
    at: Finite

    @property
    def meaning(self) -> tuple[OrderKind, Reason, SignClass | None]:
        """What makes two orders the same order, whenever they were given."""
        return self.kind, self.reason, self.sign


class TrainState(Message):
    """How fast the train is and where, as its hub knows it.

    Attributes:
        at: When that was so, in seconds.
        position_cm: Distance covered along the track since the start.
        speed_cm_s: Zero or more: the train never reverses.
        power: −100 to 100 percent of the motor's power.
        braking: Whether the brake is on.
        light: The headlight.
    """

    at: Finite
    position_cm: Finite
    speed_cm_s: float = Field(ge=0, allow_inf_nan=False)
    power: int = Field(ge=-100, le=100)
    braking: bool
    light: Light


@dataclass(frozen=True)
class Frame:
    """One capture of the camera.

    Attributes:
        frame_id: Number of the capture.
        captured_at: Seconds.
        position_cm: Where the train was; a real camera does not know and says NaN.
        image: `(height, width, 3)` uint8, blue-green-red.
    """

    frame_id: int
    captured_at: float
    position_cm: float
    image: np.ndarray


def picture_hash(image: np.ndarray) -> str:
    """A fingerprint of a picture's pixels, in 0.2 ms for 640×480: equal pictures have equal ones."""
    return f"{zlib.crc32(np.ascontiguousarray(image).data):08x}"


FRAME_MAGIC = b"BPF1"
"""First bytes of an encoded frame; the digit is the version of the header."""
FRAME_HEADER = struct.Struct("!4sQdf")
"""Magic, frame id, capture time, position; network byte order. The JPEG follows."""
FRAME_MAX_BYTES = 2_000_000


def encode_frame(frame: Frame, jpeg_quality: int = 90) -> bytes:
    """Packs a frame for the `frame` topic: `FRAME_HEADER`, then JPEG bytes."""
    import cv2

    _, jpeg = cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])
    header = FRAME_HEADER.pack(FRAME_MAGIC, frame.frame_id, frame.captured_at, frame.position_cm)
    return header + jpeg.tobytes()


def decode_frame(payload: bytes) -> Frame:
    """Unpacks what `encode_frame` packed.

    Raises:
        UserError: The payload is too long, has another header, or its picture does not decode.
    """
    import cv2

    if not FRAME_HEADER.size < len(payload) <= FRAME_MAX_BYTES:
        raise UserError("error.frame_size", size=len(payload), most=FRAME_MAX_BYTES)
    magic, frame_id, captured_at, position_cm = FRAME_HEADER.unpack_from(payload)
    if magic != FRAME_MAGIC or not math.isfinite(captured_at):
        raise UserError("error.frame_header")
    image = cv2.imdecode(np.frombuffer(payload, np.uint8, offset=FRAME_HEADER.size), cv2.IMREAD_COLOR)
    if image is None:
        raise UserError("error.frame_picture", frame_id=frame_id)
    return Frame(frame_id, captured_at, position_cm, image)
