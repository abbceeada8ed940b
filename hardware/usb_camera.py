"""`usb:/dev/video0`: a USB camera, through Video4Linux and OpenCV."""

import os
import time
from pathlib import Path

import cv2
import numpy as np

from brakepoint.errors import UserError
from brakepoint.train_file import chosen_train
from hardware.real_camera import STALL_S, RealCamera, parse

WIDTH_PX, HEIGHT_PX, RATE_HZ = 640, 480, 30
FIRST_DEVICE = "/dev/video0"
TOLERATED_S = STALL_S / 2
"""How long reading may fail before a camera is restarted."""
AGAIN_S = 0.01
MANUAL_EXPOSURE = 1
"""Value of V4L2_CID_EXPOSURE_AUTO for manual exposure, which must be set before an exposure time."""


class UsbSource:
    """Reads pictures from a Video4Linux device.

    Args:
        name: The camera's URI, for messages.
        device: For instance `/dev/video0`.
        exposure: Exposure time in the driver's own unit, usually 0.1 ms; None leaves it to the camera.

    Raises:
        UserError: There is no such device, access is denied, or the device isn't a camera.
    """

    def __init__(self, name: str, device: str, exposure: float | None = None) -> None:
        if not os.path.exists(device):  # noqa: PTH110 - unlike Path, it takes any name.
            raise UserError("camera.no_device", camera=name, what=device)
        if not os.access(device, os.R_OK | os.W_OK):
            raise UserError("camera.no_permission", camera=name, what=device)
        self._device = Path(device)
        self._capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
        self._is_closed, self._came_at = False, time.monotonic()
        if not self._capture.isOpened():
            raise UserError("camera.failed", camera=name, why=device)
        for setting, value in _settings(exposure):
            self._capture.set(setting, value)

    def read(self) -> np.ndarray | None:
        """See `PictureSource`.

        The device is released in this method: OpenCV does not allow that elsewhere during a read. A picture
        lost on the bus isn't the end, unless no other picture follows soon or the device is gone.
        """
        while not self._is_closed:
            is_there, image = self._capture.read()
            if is_there and not self._is_closed:
                self._came_at = time.monotonic()
                return image
            if time.monotonic() - self._came_at > TOLERATED_S or not self._device.exists():
                break
            time.sleep(AGAIN_S)
        self._capture.release()
        return None

    def trouble(self) -> UserError | None:
        """See `PictureSource`; Video4Linux gives no reason."""
        return None

    def close(self) -> None:
        """See `PictureSource`."""
        self._is_closed = True


def _settings(exposure: float | None) -> list[tuple[int, float]]:
    """Requests compressed pictures, since USB 2 is too slow for others, and a queue as short as possible."""
    settings: list[tuple[int, float]] = [
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        (cv2.CAP_PROP_FRAME_WIDTH, WIDTH_PX),
        (cv2.CAP_PROP_FRAME_HEIGHT, HEIGHT_PX),
        (cv2.CAP_PROP_FPS, RATE_HZ),
        (cv2.CAP_PROP_BUFFERSIZE, 1),
    ]
    if exposure is not None:
        settings += [(cv2.CAP_PROP_AUTO_EXPOSURE, MANUAL_EXPOSURE), (cv2.CAP_PROP_EXPOSURE, exposure)]
    return settings


def open_camera(rest: str, seed: int = 0) -> RealCamera:
    """Opens the camera for the URI `usb:/dev/video0`, `usb:/dev/video0?exposure=150&focal=600`, or `usb:`.

    Raises:
        UserError: There is no such camera, access is denied, or no picture arrives.
    """
    name = f"usb:{rest}"
    device, options = parse(name, rest, ("focal", "exposure"))
    device = device or FIRST_DEVICE
    eye = chosen_train(rest).camera
    return RealCamera(
        name, lambda: UsbSource(name, device, options.get("exposure")), options.get("focal"), eye
    )
