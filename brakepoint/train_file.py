"""One file per train, `train.toml`, with the owner's measurements of motor and camera.

`brakepoint hub calibrate` and `brakepoint camera calibrate` write this file. A hub or a camera finds the file
through its URI, `ble:?train=train.toml`, or the setting `BRAKEPOINT_TRAIN`. Without either, the train is the
one in `brakepoint.locomotive`, and the camera the recorded one. Scores, checks and simulated hardware always
use these defaults, regardless of the setting.
"""

import math
import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from brakepoint.errors import UserError, system_says
from brakepoint.files import read_utf8, write_whole
from brakepoint.locomotive import BRAKING_CM_S2, DEAD_POWER, FULL_POWER, LAG_S, ORDER_POWER
from brakepoint.messages import OrderKind
from brakepoint.rules import FULL_SPEED_CM_S, LOW_SPEED_CM_S, PLATE_CENTRE_CM, PLATE_HEIGHT_CM
from brakepoint.truth import VISIBLE_HEIGHT_MIN_PX, CameraModel
from brakepoint.validation import first_fault

VARIABLE = "BRAKEPOINT_TRAIN"
OPTION = "train"
"""Option of a URI, which takes precedence over the setting."""
DEFAULT_PATH = Path("train.toml")
RECORDED = CameraModel()
"""The camera for which detector and autopilots were made; real cameras emulate its frames.
"""
VOLTS_LEAST, VOLTS_MOST = 4.0, 10.0
"""Limits of a hub's voltage: below the first it is off, and its batteries never exceed the second."""
EDGE_PX = 2.0
"""A box this close to the edge of a picture counts as cut off."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Drive(_Section):
    """The characteristics of motor and brake.

    Attributes:
        full_power: Power in percent for `full_speed_cm_s`, at `volts`.
        low_power: Power in percent for the rules' low speed.
        start_power: Power below which the motor only hums.
        full_speed_cm_s: Speed of the train without an order to the contrary: the rules' full speed, or less
            if the motor cannot sustain that until the batteries are half empty.
        lag_s: Time for 63 % of a change of speed.
        braking_cm_s2: Deceleration of the motor's brake.
        volts: The hub's voltage at which the powers were measured; None if they are the same at every
            voltage.
    """

    full_power: float = Field(default=FULL_POWER, gt=0, le=100)
    low_power: float = Field(default=ORDER_POWER[OrderKind.LOW_SPEED], gt=0, le=100)
    start_power: float = Field(default=DEAD_POWER, ge=0, lt=100)
    full_speed_cm_s: float = Field(default=FULL_SPEED_CM_S, gt=LOW_SPEED_CM_S, le=FULL_SPEED_CM_S)
    lag_s: float = Field(default=LAG_S, gt=0.01, le=3)
    braking_cm_s2: float = Field(default=BRAKING_CM_S2, ge=10, le=1000)
    volts: float | None = Field(default=None, ge=VOLTS_LEAST, le=VOLTS_MOST)

    @model_validator(mode="after")
    def _powers_rise(self) -> Self:
        if not self.start_power < self.low_power < self.full_power:
            raise ValueError("start_power < low_power < full_power is expected")
        return self

    def speed_cm_s(self, power: float) -> float:
        """The steady speed at `volts`, from two straight lines through the three powers."""
        if power <= self.low_power:
            share = (power - self.start_power) / (self.low_power - self.start_power)
            return max(share, 0.0) * LOW_SPEED_CM_S
        share = (power - self.low_power) / (self.full_power - self.low_power)
        return LOW_SPEED_CM_S + share * (self.full_speed_cm_s - LOW_SPEED_CM_S)

    def power(self, order: OrderKind) -> float:
        """The motor's power for an order at `volts`, in percent."""
        powers = {OrderKind.FULL_SPEED: self.full_power, OrderKind.LOW_SPEED: self.low_power}
        return powers.get(order, 0.0)


class Eye(_Section):
    """The camera in front of this train.

    Attributes:
        width_px: Width of the camera's own picture.
        height_px: Height of the camera's own picture.
        focal_px: Focal length in pixels of the camera's own picture.
        height_cm: Height of the lens above the table.
        pitch_deg: Upward angle.
        yaw_deg: Angle to the right.
        side_cm: Distance of the mounting to the right of the track's centre line.
        latency_s: Age of a picture on arrival.
    """

    width_px: int = Field(default=RECORDED.width_px, ge=16, le=8192)
    height_px: int = Field(default=RECORDED.height_px, ge=16, le=8192)
    focal_px: float = Field(default=RECORDED.focal_px, gt=0, le=20_000)
    height_cm: float = Field(default=RECORDED.height_cm, gt=0, le=30)
    pitch_deg: float = Field(default=RECORDED.pitch_deg, ge=-30, le=30)
    yaw_deg: float = Field(default=0.0, ge=-30, le=30)
    side_cm: float = Field(default=0.0, ge=-15, le=15)
    latency_s: float = Field(default=0.0, ge=0, le=0.3)

    @property
    def half_width(self) -> float:
        """Half the width of the view per centimetre ahead."""
        return min(self.width_px / self.focal_px, RECORDED.width_px / RECORDED.focal_px) / 2

    @property
    def sees_from_cm(self) -> float:
        """Shortest distance at which a plate beside the track is entirely within the picture."""
        below = self.height_cm - PLATE_CENTRE_CM + max(PLATE_HEIGHT_CM.values())
        edge = self.height_px / 2 / self.focal_px - math.tan(math.radians(self.pitch_deg))
        return max(below, 0.0) / max(edge, 0.01)

    @property
    def sight_cm(self) -> float:
        """Distance from which plates are large enough in the camera's own picture and in the frame."""
        frame_px = self.focal_px * RECORDED.height_px / self.height_px
        return min(frame_px, RECORDED.focal_px) * min(PLATE_HEIGHT_CM.values()) / VISIBLE_HEIGHT_MIN_PX

    def cuts_off(self, box: tuple[float, float, float, float]) -> bool:
        """Whether the edge of the camera's own picture, within a frame of the recorded size, cuts a box off.

        Neither the size nor the centre of such a box is meaningful.
        """
        scale = RECORDED.focal_px / self.focal_px
        sides = ((RECORDED.width_px, self.width_px), (RECORDED.height_px, self.height_px))
        for axis, (frame_px, own_px) in enumerate(sides):
            half_px = min(frame_px, own_px * scale) / 2 - EDGE_PX
            if box[axis] <= frame_px / 2 - half_px or box[axis + 2] >= frame_px / 2 + half_px:
                return True
        return False


class TrainFile(_Section):
    """The data of one train.

    Attributes:
        drive: Motor and brake; by default those of `brakepoint.locomotive`.
        camera: The calibrated camera; None if uncalibrated: then the recorded camera's figures apply.
    """

    drive: Drive = Drive()
    camera: Eye | None = None

    def write(self, path: Path, title: str) -> None:
        """Writes the file atomically.

        Args:
            path: Path to write to.
            title: Comment at the top.
        """
        write_whole(path, self.to_toml(title).encode())

    def to_toml(self, title: str) -> str:
        """The file's content, with a comment at the top."""
        lines = [f"# {line}" for line in title.splitlines()]
        for name, section in self.model_dump(exclude_none=True).items():
            lines += ["", f"[{name}]", *(f"{key} = {round(value, 4)}" for key, value in section.items())]
        return "\n".join(lines) + "\n"


def load_train(path: Path) -> TrainFile:
    """Reads and validates a train's file.

    Raises:
        UserError: The file is missing or invalid.
    """
    try:
        return TrainFile.model_validate(tomllib.loads(read_utf8(path)))
    except FileNotFoundError as error:
        raise UserError("train_file.missing", path=path) from error
    except OSError as error:
        raise UserError("error.file_unreadable", path=path, why=system_says(error)) from error
    except ValidationError as error:
        raise UserError("train_file.invalid", path=path, why=first_fault(error)) from error
    except (ValueError, RecursionError) as error:
        raise UserError("train_file.invalid", path=path, why=error) from error


def chosen_train(uri: str = "") -> TrainFile:
    """The train named by a URI's option, or else by the setting, or else the kit's own.

    Args:
        uri: URI of a hub or a camera, or the part after its scheme. An empty `?train=` selects the kit's own.

    Raises:
        UserError: The file is missing or invalid.
    """
    options = parse_qs(uri.partition("?")[2], keep_blank_values=True)
    named = options.get(OPTION, [os.environ.get(VARIABLE, "")])[-1]
    return load_train(Path(named)) if named else TrainFile()


@contextmanager
def choosing(path: Path | None) -> Iterator[None]:
    """Points the setting to a file for the duration of the context; None selects the kit's own train."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(path or "")
    try:
        yield
    finally:
        del os.environ[VARIABLE]
        if before is not None:
            os.environ[VARIABLE] = before
