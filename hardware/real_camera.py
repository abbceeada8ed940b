"""Common code of the real cameras: keeps only the newest frame, and reports a stall or an end.

A camera delivers frames at its own rate, and its driver blocks. Therefore a thread reads the camera, and
keeps only the newest frame.
"""

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol
from urllib.parse import parse_qsl

import cv2
import numpy as np

from brakepoint.errors import UserError
from brakepoint.messages import Frame, TrainState
from brakepoint.rules import CONTROL_RATE_HZ
from brakepoint.train_file import OPTION, Eye
from brakepoint.truth import CameraModel

FIRST_FRAME_S = 10.0
"""Time limit for the first picture: a sensor may need seconds."""
WAIT_S = 1 / CONTROL_RATE_HZ
"""How long `read` waits for a frame that is newer than the last one."""
STALL_S = 1.0
"""A camera that is silent for this long has stalled."""
RESTART_S = 2.0
"""Delay before a stalled or ended camera is restarted."""
FOCAL_SHARES = (0.1, 10.0)
"""Smallest and largest focal length as a multiple of a picture's width: a view of 157°, and of 6°.

A focal length given in millimetres is below this range; with it, each picture would be magnified until the
memory is full.
"""
MODEL = CameraModel()
"""The camera for whose pictures detector and autopilot were made."""


class PictureSource(Protocol):
    """A source of pictures."""

    def read(self) -> np.ndarray | None:
        """The next picture, `(height, width, 3)` uint8, blue-green-red; None after the last picture."""

    def trouble(self) -> UserError | None:
        """Why there are no more pictures, if known."""

    def close(self) -> None:
        """Ends a waiting `read`, and releases the device; may be called twice."""


class _Grabber(threading.Thread):
    """Reads a source and keeps the newest picture."""

    def __init__(self, source: PictureSource) -> None:
        super().__init__(name="camera", daemon=True)
        self.source = source
        self.patience_s, self.heard_at = FIRST_FRAME_S, time.monotonic()
        self._newest: tuple[np.ndarray, float] | None = None
        self._news = threading.Condition()
        self.has_ended = False
        self.start()

    def run(self) -> None:
        while (image := self.source.read()) is not None:
            with self._news:
                self.patience_s, self.heard_at = STALL_S, time.monotonic()
                self._newest = image, self.heard_at
                self._news.notify()
        with self._news:
            self.has_ended = True
            self._news.notify()

    def take(self, timeout_s: float) -> tuple[np.ndarray, float] | None:
        """The newest picture, returned only once, and its time; None if none arrives in time."""
        with self._news:
            self._news.wait_for(lambda: self._newest is not None or self.has_ended, timeout_s)
            newest, self._newest = self._newest, None
        return newest


class RealCamera:
    """A real camera, which ignores the train's reported state.

    Args:
        name: The camera's URI, for messages.
        start: Starts the camera's source; called again after a stall or an end.
        focal_px: Focal length in pixels of the camera's own picture; None if the camera's vertical view
            equals the recorded camera's.
        eye: Calibration of the camera; an explicit focal length takes precedence.

    Attributes:
        size_px: Width and height of the camera's own pictures.

    Raises:
        UserError: There is no picture, the camera was calibrated with pictures of another size, or the focal
            length is impossible for pictures of this size.
    """

    def __init__(
        self,
        name: str,
        start: Callable[[], PictureSource],
        focal_px: float | None = None,
        eye: Eye | None = None,
    ) -> None:
        self._name, self._start, self._focal_px = name, start, focal_px or (eye.focal_px if eye else None)
        self._frame_id = 0
        self._grabber: _Grabber | None = _Grabber(start())
        self._restart_at = 0.0
        first = self._grabber.take(FIRST_FRAME_S)
        if first is None:
            why = self._trouble(FIRST_FRAME_S)
            self.close()
            raise why
        self.size_px = size_of(first[0])
        try:
            in_colour(first[0], name)
            self._check(eye)
        except UserError:
            self.close()
            raise

    def read(self, train_state: TrainState) -> Frame | None:
        """Waits one step of the control loop for the newest picture; None if there is none.

        Raises:
            UserError: The camera has stalled or ended, or its pictures have changed size, so that its focal
                length is unknown; this is raised once, and then the camera is restarted.
        """
        if self._grabber is None:
            time.sleep(WAIT_S)
            self._restart()
            return None
        taken = self._grabber.take(WAIT_S)
        if taken is None:
            silent_s = time.monotonic() - self._grabber.heard_at
            if self._grabber.has_ended or silent_s > self._grabber.patience_s:
                raise self._given_up(self._trouble(silent_s))
            return None
        image, came_at = taken
        if (size_px := size_of(image)) != self.size_px:
            before, found = (f"{width} × {height}" for width, height in (self.size_px, size_px))
            why = UserError("camera.size_changed", camera=self._name, before=before, found=found)
            raise self._given_up(why)
        self._frame_id += 1
        captured_at = train_state.at - (time.monotonic() - came_at)
        return Frame(
            self._frame_id,
            captured_at,
            float("nan"),
            as_recorded(in_colour(image, self._name), self._focal_px),
        )

    def close(self) -> None:
        """Releases the device; may be called twice."""
        self._stop()
        self._restart_at = float("inf")

    def _check(self, eye: Eye | None) -> None:
        """Checks that the calibration and the focal length fit the camera's pictures."""
        width, height = self.size_px
        if eye is not None and self.size_px != (eye.width_px, eye.height_px):
            measured, found = f"{eye.width_px} × {eye.height_px}", f"{width} × {height}"
            raise UserError("camera.other_size", camera=self._name, measured=measured, found=found)
        least, most = (share * width for share in FOCAL_SHARES)
        if self._focal_px is not None and not least <= self._focal_px <= most:
            focal = {"focal": self._focal_px, "least": least, "most": most}
            raise UserError("camera.focal", camera=self._name, width=width, **focal)

    def _given_up(self, why: UserError) -> UserError:
        """Stops the camera, schedules its restart, and returns the reason."""
        self._stop()
        self._restart_at = time.monotonic() + RESTART_S
        return why

    def _stop(self) -> None:
        if self._grabber is not None:
            self._grabber.source.close()
            self._grabber.join(STALL_S)
            self._grabber = None

    def _restart(self) -> None:
        if time.monotonic() >= self._restart_at:
            self._restart_at = time.monotonic() + RESTART_S
            with suppress(UserError):  # The error was already reported; the device is still missing.
                self._grabber = _Grabber(self._start())

    def _trouble(self, silent_s: float) -> UserError:
        if self._grabber is not None and self._grabber.has_ended:
            return self._grabber.source.trouble() or UserError("camera.ended", camera=self._name)
        return UserError("camera.stalled", camera=self._name, seconds=silent_s)


def size_of(image: np.ndarray) -> tuple[int, int]:
    """Width and height of a picture."""
    return image.shape[1], image.shape[0]


def in_colour(image: np.ndarray, name: str) -> np.ndarray:
    """Converts a driver's picture, which may be grey or have a fourth channel, to blue-green-red.

    Args:
        image: `(height, width)`, or `(height, width, 1…4)`; uint8.
        name: The camera's URI, for messages.

    Returns:
        `(height, width, 3)` uint8.

    Raises:
        UserError: The picture has an unsupported format.
    """
    channels = image.shape[2] if image.ndim == 3 else 1
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or channels not in (1, 3, 4):
        shape = "×".join(map(str, image.shape))
        raise UserError("camera.format", camera=name, shape=shape, type=image.dtype)
    if channels == 3:
        return image
    return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR if channels == 1 else cv2.COLOR_BGRA2BGR)


def as_recorded(image: np.ndarray, focal_px: float | None = None) -> np.ndarray:
    """Converts a picture to the size and focal length of the recorded camera.

    Args:
        image: `(height, width, 3)` uint8, with the optical axis in the middle.
        focal_px: Focal length in pixels of the picture; None for the one with which its vertical view equals
            the recorded camera's.

    Returns:
        `(480, 640, 3)` uint8; black where the camera sees less than the recorded one.
    """
    height, width = image.shape[:2]
    scale = MODEL.focal_px / focal_px if focal_px else MODEL.height_px / height
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    if size != (width, height):
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        image = cv2.resize(image, size, interpolation=method)
    inner = _middle(image, MODEL.height_px, MODEL.width_px)
    if inner.shape[:2] == (MODEL.height_px, MODEL.width_px):
        return np.ascontiguousarray(inner)
    whole = np.zeros((MODEL.height_px, MODEL.width_px, 3), np.uint8)
    _middle(whole, *inner.shape[:2])[:] = inner
    return whole


def _middle(image: np.ndarray, height: int, width: int) -> np.ndarray:
    top, left = max(image.shape[0] - height, 0) // 2, max(image.shape[1] - width, 0) // 2
    return image[top : top + height, left : left + width]


def parse(uri: str, rest: str, options: tuple[str, ...], or_zero: str = "") -> tuple[str, dict[str, float]]:
    """Splits `DEVICE?focal=1357&…`; the option that names the train's file is left to `chosen_train`.

    Args:
        uri: The complete URI, for messages.
        rest: The part after the scheme.
        options: The valid options; each is a finite number greater than zero.
        or_zero: The option that may be zero.

    Raises:
        UserError: An option is unknown, or not such a number.
    """
    device, _, query = rest.partition("?")
    values: dict[str, float] = {}
    for name, written in parse_qsl(query, keep_blank_values=True):
        if name == OPTION:
            continue
        try:
            values[name] = float(written)
        except ValueError:
            values[name] = -1.0
        fits = 0 < values[name] < math.inf or (name == or_zero and values[name] == 0)
        if name not in options or not fits:
            raise UserError("camera.option", uri=uri, option=f"{name}={written}", known=", ".join(options))
    return device, values
