"""`csi:0`: a camera on the Jetson's own connector, through GStreamer.

GStreamer runs as a child process that writes pictures to its output: pip's OpenCV is built without GStreamer,
and a child that hangs or crashes affects nothing else.
"""

import re
import shlex
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np

from brakepoint.errors import UserError
from brakepoint.train_file import chosen_train
from hardware.real_camera import RealCamera, parse

MODES = {
    1: (3264, 1848, 28),
    2: (1920, 1080, 30),
    3: (1640, 1232, 30),
    4: (1280, 720, 30),
}
"""The sensor modes of an IMX219, by their numbers in `nvarguscamerasrc`: width, height, and pictures per
second.
"""
MODE = 4
"""The default mode. Argus would choose one by size and rate, but the focal length depends on the mode."""
WIDTH_PX, HEIGHT_PX, RATE_HZ = MODES[MODE]
FLIPS = {0: 0, 180: 2}
"""Rotation of the picture in degrees → `flip-method` of `nvvidconv`."""
LAUNCH = ("gst-launch-1.0", "--quiet")
SENSOR = (
    "nvarguscamerasrc sensor-id={sensor} sensor-mode={mode}{exposure} "
    "! video/x-raw(memory:NVMM),width={width},height={height},format=NV12,framerate={rate}/1 "
    "! nvvidconv{flip} ! video/x-raw,format=BGRx"
)
"""The two elements, found only on a Jetson, that take a picture and copy it from graphics memory."""
OUTPUT = "videoconvert ! video/x-raw,format=BGR,width={width},height={height} ! fdsink fd=1"
TROUBLES = {
    r'no element "(?P<what>[^"]+)"': "camera.no_plugin",
    r"(?P<what>.*nvargus-daemon.*)": "camera.no_argus",
    r"(?P<what>.*No cameras available.*|.*Invalid camera device.*|.*No such file.*)": "camera.no_device",
    r"(?P<what>.*[Pp]ermission denied.*)": "camera.no_permission",
}
"""Patterns of GStreamer's messages → keys of the kit's messages."""
LAST_LINES = 20
END_S = 2.0


class ChildSource:
    """Reads pictures of one size from the output of a child process.

    Args:
        name: The camera's URI, for messages.
        command: The program and its arguments; it writes blue-green-red pictures one after another.
        width_px: Width of a picture.
        height_px: Height of a picture.

    Raises:
        UserError: The program is not installed.
    """

    def __init__(self, name: str, command: Sequence[str], width_px: int, height_px: int) -> None:
        if shutil.which(command[0]) is None:
            raise UserError("camera.no_program", camera=name, program=command[0])
        self._name = name
        self._shape = height_px, width_px, 3
        self._row_bytes = (3 * width_px + 3) // 4 * 4  # GStreamer aligns rows to multiples of four.
        self._child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._said: deque[str] = deque(maxlen=LAST_LINES)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def read(self) -> np.ndarray | None:
        """See `PictureSource`."""
        assert self._child.stdout is not None
        height_px, width_px, _ = self._shape
        size = height_px * self._row_bytes
        try:
            picture = self._child.stdout.read(size)
        except ValueError:  # Closed while waiting.
            return None
        if len(picture) != size:
            return None
        rows = np.frombuffer(picture, np.uint8).reshape(height_px, self._row_bytes)
        return rows[:, : 3 * width_px].reshape(self._shape)

    def trouble(self) -> UserError | None:
        """See `PictureSource`."""
        self._listener.join(END_S)
        for line in self._said:
            for pattern, key in TROUBLES.items():
                found = re.search(pattern, line)
                if found:
                    return UserError(key, camera=self._name, what=found["what"].strip())
        why = next((line for line in self._said if "ERROR" in line), None)
        return UserError("camera.failed", camera=self._name, why=why) if why else None

    def close(self) -> None:
        """See `PictureSource`."""
        if self._child.poll() is None:
            self._child.terminate()
        try:
            self._child.wait(END_S)
        except subprocess.TimeoutExpired:  # A hanging process ignores the signal.
            self._child.kill()
            self._child.wait()

    def _listen(self) -> None:
        assert self._child.stderr is not None
        with self._child.stderr as lines:
            for line in lines:
                self._said.append(line.decode(errors="replace").strip())


def pipeline(source: str, width_px: int, height_px: int) -> list[str]:
    """The command that writes a source's pictures to its output.

    Args:
        source: The source element, as written for `gst-launch-1.0`.
        width_px: Width of a picture.
        height_px: Height of a picture.
    """
    return [*LAUNCH, *shlex.split(f"{source} ! {OUTPUT.format(width=width_px, height=height_px)}")]


def argus(sensor: str, mode: int, exposure_us: float | None, flip: int) -> list[str]:
    """The command for a sensor of the Jetson.

    Args:
        sensor: Number of the sensor.
        mode: A key of `MODES`.
        exposure_us: Exposure time in microseconds; None leaves it to the camera.
        flip: A key of `FLIPS`.
    """
    width, height, rate = MODES[mode]
    turned = f" flip-method={FLIPS[flip]}" if flip else ""
    shutter = ""
    if exposure_us is not None:
        nanoseconds = round(1000 * exposure_us)
        shutter = f' exposuretimerange="{nanoseconds} {nanoseconds}"'
    source = SENSOR.format(
        sensor=sensor, mode=mode, exposure=shutter, flip=turned, width=width, height=height, rate=rate
    )
    return pipeline(source, width, height)


def open_camera(rest: str, seed: int = 0) -> RealCamera:
    """Opens the camera for the URI `csi:0` or `csi:0?mode=4&focal=1357&exposure=5000&flip=180`.

    Raises:
        UserError: There is no such camera, GStreamer or its elements for the Jetson are missing, or no
            picture arrives.
    """
    name = f"csi:{rest}"
    sensor, options = parse(name, rest or "0", ("focal", "mode", "exposure", "flip"), "flip")
    if not (sensor or "0").isdecimal():
        raise UserError("camera.sensor", camera=name)
    mode, flip = options.get("mode", MODE), options.get("flip", 0)
    if mode not in MODES or flip not in FLIPS:
        raise UserError("camera.mode", camera=name, modes=_listed(MODES), flips=_listed(FLIPS))
    mode, flip = int(mode), int(flip)
    command = argus(sensor or "0", mode, options.get("exposure"), flip)
    width, height, _ = MODES[mode]
    start = partial(ChildSource, name, command, width, height)
    return RealCamera(name, start, options.get("focal"), chosen_train(rest).camera)


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(str(number) for number in numbers)
