"""The `csi:` and `usb:` cameras, with a child process in GStreamer's place and a capture in OpenCV's."""

import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from patience import PATIENCE_S

from brakepoint.adapters import open_camera
from brakepoint.errors import UserError
from brakepoint.messages import Frame, Light, TrainState
from brakepoint.ports import Camera
from brakepoint.train_file import VARIABLE, Eye, TrainFile
from hardware import csi_camera, real_camera, usb_camera
from hardware.csi_camera import ChildSource
from hardware.real_camera import RealCamera, as_recorded, in_colour

pytestmark = pytest.mark.live

NOW = TrainState(at=100.0, position_cm=0, speed_cm_s=0, power=0, braking=True, light=Light.OFF)
SIZE = 64, 48

HEAD = """
    import sys, time
    def write(grey):
        sys.stdout.buffer.write(bytes([grey]) * (64 * 48 * 3)); sys.stdout.flush()
    def say(line):
        print(line, file=sys.stderr, flush=True)
"""
"""What every child begins with: it writes pictures of one grey, 64 by 48."""


@pytest.fixture
def open_child():
    """Opens a camera whose pictures a Python program writes, and closes it after the test."""
    opened: list[RealCamera] = []

    def open_one(body: str) -> RealCamera:
        program = textwrap.dedent(HEAD) + textwrap.dedent(body)
        command = [sys.executable, "-c", program]
        opened.append(RealCamera("csi:0", lambda: ChildSource("csi:0", command, *SIZE)))
        return opened[-1]

    yield open_one
    for camera in opened:
        camera.close()


@pytest.fixture
def impatient(monkeypatch):
    """A short pause counts as a stall, and a camera is restarted at once."""
    monkeypatch.setattr(real_camera, "STALL_S", 0.3)
    monkeypatch.setattr(real_camera, "RESTART_S", 0.05)


@pytest.fixture
def patient(monkeypatch):
    """No pause counts as a stall, however busy the machine is."""
    monkeypatch.setattr(real_camera, "STALL_S", PATIENCE_S)


@pytest.fixture(autouse=True)
def slow_start(monkeypatch):
    """A child needs its time to start, too."""
    monkeypatch.setattr(real_camera, "FIRST_FRAME_S", PATIENCE_S)


def read_until(camera: Camera, is_it) -> Any:
    """Reads until a frame or an exception satisfies a condition."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            seen: Frame | UserError | None = camera.read(NOW)
        except UserError as error:
            seen = error
        if is_it(seen):
            return seen
    raise AssertionError("it did not come")


def wait_for(path: Path) -> None:
    """Waits until a child process has created a file."""
    until = time.monotonic() + PATIENCE_S
    while not path.exists():
        assert time.monotonic() < until, "the child has not come so far"
        threading.Event().wait(0.01)


def grey(frame) -> int | None:
    return int(frame.image[240, 320, 0]) if hasattr(frame, "image") else None


def test_frames_are_as_the_recorded_camera_would_have_taken_them(open_child, patient):
    camera = open_child("while True: write(80); time.sleep(0.01)")
    frames = [read_until(camera, grey) for _ in range(3)]

    assert [frame.frame_id for frame in frames] == [1, 2, 3]
    assert frames[0].image.shape == (480, 640, 3)
    assert all(90 < frame.captured_at <= 100 for frame in frames)
    assert np.isnan(frames[0].position_cm)


def test_only_the_newest_frame_is_kept(open_child, patient, tmp_path):
    opened, written = tmp_path / "opened", tmp_path / "written"
    camera = open_child(f"""
        import pathlib
        write(1)
        while not pathlib.Path({str(opened)!r}).exists(): time.sleep(0.01)
        for grey in range(2, 201): write(grey)
        pathlib.Path({str(written)!r}).touch()
        time.sleep(600)
    """)
    opened.touch()  # The first picture was taken by opening: it must not be the last.
    wait_for(written)

    next_grey = grey(read_until(camera, grey))
    assert next_grey and next_grey > 150, "what is older than the pipe between the two is gone"
    assert next_grey == 200 or grey(read_until(camera, lambda seen: grey(seen) == 200)) == 200
    assert camera.read(NOW) is None


def test_a_stall_is_said_once_and_ends_in_a_new_start(open_child, impatient, tmp_path):
    started = tmp_path / "started"
    camera = open_child(f"""
        import pathlib
        first = not pathlib.Path({str(started)!r}).exists()
        pathlib.Path({str(started)!r}).touch()
        write(10)
        if first:
            time.sleep(60)
        while True: write(200); time.sleep(0.01)
    """)
    said = read_until(camera, lambda seen: isinstance(seen, UserError))

    assert said.key == "camera.stalled"
    assert grey(read_until(camera, lambda seen: grey(seen) == 200)) == 200


def test_an_end_is_said(open_child, patient):
    camera = open_child("write(10); write(20)")

    assert read_until(camera, lambda seen: isinstance(seen, UserError)).key == "camera.ended"


def test_half_a_picture_is_none(open_child, patient):
    camera = open_child("write(10); sys.stdout.buffer.write(b'half')")

    assert read_until(camera, lambda seen: isinstance(seen, UserError)).key == "camera.ended"


@pytest.mark.parametrize(
    ("line", "key", "named"),
    [
        (
            'WARNING: erroneous pipeline: no element "nvarguscamerasrc"',
            "camera.no_plugin",
            "nvarguscamerasrc",
        ),
        ("(Argus) Error: Connecting to nvargus-daemon failed", "camera.no_argus", "nvargus-daemon"),
        ("Error generated. No cameras available", "camera.no_device", "No cameras"),
        ("open: Permission denied", "camera.no_permission", "denied"),
        ("ERROR: from element x: Internal data stream error.", "camera.failed", "Internal data"),
    ],
)
def test_what_gstreamer_says_is_said_in_a_persons_words(open_child, line, key, named):
    with pytest.raises(UserError) as caught:
        open_child(f"say({line!r}); sys.exit(1)")

    assert caught.value.key == key
    assert named in str(caught.value)


def test_a_child_that_does_not_hear_is_ended_all_the_same(open_child, monkeypatch):
    monkeypatch.setattr(csi_camera, "END_S", 0.2)
    camera = open_child("""
        import signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True: write(80); time.sleep(0.01)
    """)
    child = camera._grabber.source._child
    camera.close()
    camera.close()

    assert child.returncode is not None


def test_without_gstreamer_the_message_names_what_to_install(monkeypatch):
    monkeypatch.setattr(csi_camera, "LAUNCH", ("gst-launch-of-nowhere",))
    with pytest.raises(UserError) as caught:
        open_camera("csi:0")

    assert caught.value.key == "camera.no_program"


def test_the_jetsons_pipeline_reaches_gstreamer_as_it_is_written(monkeypatch):
    monkeypatch.setattr(csi_camera, "LAUNCH", ("echo",))
    seen = []
    real = csi_camera.ChildSource

    def noted(name, command, *size):
        seen.append(command)
        return real(name, command, *size)

    monkeypatch.setattr(csi_camera, "ChildSource", noted)
    with pytest.raises(UserError):
        open_camera("csi:1")

    assert " ".join(seen[0][1:]) == (
        "nvarguscamerasrc sensor-id=1 sensor-mode=4"
        " ! video/x-raw(memory:NVMM),width=1280,height=720,format=NV12,framerate=30/1"
        " ! nvvidconv ! video/x-raw,format=BGRx"
        " ! videoconvert ! video/x-raw,format=BGR,width=1280,height=720 ! fdsink fd=1"
    )


@pytest.mark.parametrize(
    "uri",
    [
        "csi:front",
        "csi:0?focal=wide",
        "csi:0?zoom=2",
        "csi:0?mode=inf",
        "csi:0?exposure=1e400",
        "csi:0?flip=nan",
        "usb:/dev/null?focal=0",
    ],
)
def test_what_is_not_a_camera_is_refused(uri):
    with pytest.raises(UserError) as caught:
        open_camera(uri)
    assert caught.value.key in ("camera.sensor", "camera.option")


@pytest.mark.parametrize("option", ["mode=9", "mode=4.5", "flip=90", "flip=180.5"])
def test_a_sensor_has_no_other_modes_and_is_not_turned_by_a_quarter(option):
    with pytest.raises(UserError) as caught:
        open_camera(f"csi:0?{option}")
    assert caught.value.key == "camera.mode"


def test_a_sensor_that_is_not_turned_may_say_so(monkeypatch):
    monkeypatch.setattr(csi_camera, "LAUNCH", ("no-such-program",))
    with pytest.raises(UserError) as caught:
        open_camera("csi:?flip=0")
    assert caught.value.key == "camera.no_program", "the option is as the default"


def test_mode_exposure_and_flip_reach_gstreamer():
    command = csi_camera.argus("0", 3, 5000, 180)

    assert command[:2] == ["gst-launch-1.0", "--quiet"]
    assert command[2:6] == [
        "nvarguscamerasrc",
        "sensor-id=0",
        "sensor-mode=3",
        "exposuretimerange=5000000 5000000",
    ]
    assert "video/x-raw(memory:NVMM),width=1640,height=1232,format=NV12,framerate=30/1" in command
    assert command[command.index("nvvidconv") + 1] == "flip-method=2"


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """Makes the setting name a file with a camera that was measured at so many pixels."""

    def write(width_px: int, height_px: int) -> None:
        eye = Eye(width_px=width_px, height_px=height_px, focal_px=2 * 460 * height_px / 480)
        TrainFile(camera=eye).write(tmp_path / "train.toml", "")
        monkeypatch.setenv(VARIABLE, str(tmp_path / "train.toml"))
        source = PictureOf(SIZE[1], SIZE[0])
        monkeypatch.setattr(usb_camera, "UsbSource", lambda *_: source)

    return write


class PictureOf:
    """A source that repeats one picture, with a white square of a quarter of its height."""

    def __init__(self, height_px: int, width_px: int) -> None:
        self.image = np.zeros((height_px, width_px, 3), np.uint8)
        top, left, side = height_px * 3 // 8, width_px // 2 - height_px // 8, height_px // 4
        self.image[top : top + side, left : left + side] = 255

    def read(self):
        time.sleep(0.01)
        return self.image

    def trouble(self):
        return None

    def close(self) -> None: ...


class Silent:
    """A source whose `read` waits until it is closed, and then returns no picture, or a bad one."""

    def __init__(self, last: np.ndarray | None, waits: bool) -> None:
        self.last, self.closed = last, threading.Event()
        self.waits_s = PATIENCE_S if waits else 0.0

    def read(self):
        self.closed.wait(self.waits_s)
        return self.last

    def trouble(self):
        return None

    def close(self) -> None:
        self.closed.set()


@pytest.mark.parametrize(
    ("last", "waits"),
    [(None, True), (np.zeros((48, 64, 7), np.uint8), False)],
    ids=["no picture", "bad picture"],
)
def test_the_device_of_a_camera_that_cannot_start_is_released(last, waits, monkeypatch):
    monkeypatch.setattr(real_camera, "FIRST_FRAME_S", 0.1 if waits else PATIENCE_S)
    source = Silent(last, waits)

    with pytest.raises(UserError):
        RealCamera("usb:", lambda: source)

    assert source.closed.is_set()


def test_a_camera_that_was_measured_shows_things_as_large_as_the_recorded_one(measured):
    measured(*SIZE)
    camera = open_camera("usb:")
    frame = camera.read(NOW)
    camera.close()

    assert frame is not None
    assert isinstance(camera, RealCamera)
    assert camera.size_px == SIZE
    # As it comes the square would be 120 pixels high; the lens has twice the focal length.
    assert (frame.image[:, 320, 0] > 127).sum() == pytest.approx(60, abs=2)


def test_a_camera_that_was_measured_with_other_pictures_is_refused(measured):
    measured(128, 96)
    with pytest.raises(UserError) as caught:
        open_camera("usb:")

    assert caught.value.key == "camera.other_size"
    assert "128 × 96" in str(caught.value) and "64 × 48" in str(caught.value)


def test_a_camera_that_comes_back_with_pictures_of_another_size_shows_none(measured, impatient, monkeypatch):
    """Their focal length is not known: distances to signs would be wrong."""
    measured(*SIZE)
    camera = open_camera("usb:")
    assert isinstance(camera, RealCamera)
    sources = iter([PictureOf(*SIZE), PictureOf(SIZE[1], SIZE[0])])
    monkeypatch.setattr(usb_camera, "UsbSource", lambda *_: next(sources))
    camera._stop()
    camera._restart()
    refused = read_until(camera, lambda seen: seen is not None)
    assert isinstance(refused, UserError)
    assert refused.key == "camera.size_changed"
    assert "64 × 48" in str(refused) and "48 × 64" in str(refused)
    assert isinstance(read_until(camera, lambda seen: seen is not None), Frame)
    camera.close()


# The picture


def test_a_wide_picture_is_cut_to_the_middle():
    image = np.zeros((720, 1280, 3), np.uint8)
    image[:, 160:1120] = 255

    assert as_recorded(image).shape == (480, 640, 3)
    assert as_recorded(image)[:, 1:-1].min() == 255


def test_a_known_focal_length_makes_things_as_large_as_the_recorded_camera_does():
    image = np.zeros((720, 1280, 3), np.uint8)
    image[330:390, 580:700] = 255
    rows, columns = np.nonzero(as_recorded(image, focal_px=920.0)[:, :, 0] > 127)

    assert (int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1) == (30, 60)
    assert (rows.mean(), columns.mean()) == (239.5, 319.5)


def test_a_camera_that_sees_less_leaves_black_around_it():
    seen = as_recorded(np.full((480, 640, 3), 255, np.uint8), focal_px=920.0)

    assert seen[240, 320].min() == 255
    assert seen[0].max() == seen[:, 0].max() == 0


@pytest.mark.parametrize(
    ("delivered", "seen"),
    [
        (np.full((4, 6), 90, np.uint8), [90, 90, 90]),
        (np.full((4, 6, 1), 90, np.uint8), [90, 90, 90]),
        (np.full((4, 6, 3), [1, 2, 3], np.uint8), [1, 2, 3]),
        (np.full((4, 6, 4), [1, 2, 3, 255], np.uint8), [1, 2, 3]),
        (np.full((4, 8, 3), [1, 2, 3], np.uint8)[:, :6], [1, 2, 3]),
    ],
    ids=["grey", "one channel", "colours", "four channels", "padded rows"],
)
def test_what_a_driver_delivers_becomes_colours(delivered, seen):
    image = in_colour(delivered, "usb:")

    assert image.shape == (4, 6, 3)
    assert image[3, 5].tolist() == seen


@pytest.mark.parametrize(
    "delivered",
    [np.zeros((4, 6), np.uint16), np.zeros((4, 6, 2), np.uint8), np.zeros((1, 24, 1, 1), np.uint8)],
    ids=["16 bits", "luma and chroma", "four dimensions"],
)
def test_what_is_not_a_picture_is_refused_with_a_sentence(delivered):
    with pytest.raises(UserError) as caught:
        in_colour(delivered, "usb:/dev/video0")

    assert caught.value.key == "camera.format"
    assert "usb:/dev/video0" in str(caught.value) and str(delivered.dtype) in str(caught.value)


def test_rows_that_gstreamer_has_padded_are_read_as_they_are_meant(tmp_path):
    row = bytes([1, 2, 3] * 5) + b"\xff"
    picture = tmp_path / "picture"
    picture.write_bytes(row * 4)
    source = ChildSource("csi:0", ["cat", str(picture)], 5, 4)
    image = source.read()
    source.close()

    assert image is not None and image.shape == (4, 5, 3)
    assert {tuple(pixel) for pixel in image.reshape(-1, 3).tolist()} == {(1, 2, 3)}


# USB


class FakeCapture:
    """Replaces OpenCV's capture."""

    images: list
    settings: list
    values: dict[int, float]
    is_open = True

    def __init__(self, device: str, api: int):
        assert api == cv2.CAP_V4L2
        FakeCapture.settings, FakeCapture.values = [], {}
        self._images = list(self.images)

    def isOpened(self) -> bool:  # noqa: N802
        return self.is_open

    def set(self, setting: int, value: float) -> bool:
        self.settings.append(setting)
        self.values[setting] = value
        return True

    def read(self):
        threading.Event().wait(0.005)
        image = self._images.pop(0) if self._images else None
        return image is not None, image

    def release(self) -> None:
        self.settings.append("released")


@pytest.fixture
def usb(monkeypatch, tmp_path) -> Path:
    monkeypatch.setattr(usb_camera.cv2, "VideoCapture", FakeCapture)
    monkeypatch.setattr(FakeCapture, "images", [np.full((480, 640, 3), 90, np.uint8)] * 500, raising=False)
    device = tmp_path / "video0"
    device.touch()
    return device


def test_a_usb_camera_delivers(usb):
    camera = open_camera(f"usb:{usb}")
    frame = read_until(camera, grey)
    camera.close()
    camera.close()

    assert grey(frame) == 90
    assert FakeCapture.settings[-1] == "released"


def test_exposure_is_made_manual_before_it_is_set(usb):
    open_camera(f"usb:{usb}?exposure=150").close()

    settings = FakeCapture.settings
    assert settings.index(cv2.CAP_PROP_AUTO_EXPOSURE) < settings.index(cv2.CAP_PROP_EXPOSURE)
    assert FakeCapture.values[cv2.CAP_PROP_AUTO_EXPOSURE] == 1, (
        "V4L2_EXPOSURE_MANUAL in linux/v4l2-controls.h"
    )
    assert FakeCapture.values[cv2.CAP_PROP_EXPOSURE] == 150


def test_single_failed_reads_of_a_usb_camera_do_not_end_it(usb, patient, monkeypatch):
    good = [np.full((480, 640, 3), 90, np.uint8)]
    monkeypatch.setattr(FakeCapture, "images", [*good, None, *good, None, None, None, *good * 500])
    source = usb_camera.UsbSource("usb:", str(usb))
    read = [source.read() for _ in range(5)]
    source.close()

    assert all(image is not None for image in read)
    assert source.read() is None


def test_a_usb_camera_that_is_gone_ends_at_once(usb, monkeypatch):
    monkeypatch.setattr(FakeCapture, "images", [])
    monkeypatch.setattr(usb_camera, "TOLERATED_S", 1000.0)
    source = usb_camera.UsbSource("usb:", str(usb))
    usb.unlink()

    assert source.read() is None


def test_a_usb_camera_that_delivers_no_colours_is_refused(usb, monkeypatch):
    monkeypatch.setattr(FakeCapture, "images", [np.zeros((480, 640, 2), np.uint8)] * 500)
    with pytest.raises(UserError) as caught:
        open_camera(f"usb:{usb}")

    assert caught.value.key == "camera.format"


def test_a_usb_camera_that_is_pulled_out_is_said(usb, patient, monkeypatch):
    monkeypatch.setattr(FakeCapture, "images", [np.zeros((480, 640, 3), np.uint8)] * 3)
    camera = open_camera(f"usb:{usb}")

    assert read_until(camera, lambda seen: isinstance(seen, UserError)).key == "camera.ended"
    camera.close()


def test_a_usb_camera_that_is_still_away_at_the_new_start_gives_no_frame_until_it_is_back(
    usb, impatient, patient, monkeypatch
):
    monkeypatch.setattr(FakeCapture, "images", [np.zeros((480, 640, 3), np.uint8)] * 3)
    camera = open_camera(f"usb:{usb}")
    read_until(camera, lambda seen: isinstance(seen, UserError))
    usb.unlink()
    while_away = [camera.read(NOW) for _ in range(4)]
    monkeypatch.setattr(FakeCapture, "images", [np.full((480, 640, 3), 90, np.uint8)] * 500)
    usb.touch()

    assert while_away == [None] * 4
    assert grey(read_until(camera, grey)) == 90
    camera.close()


def test_no_usb_camera(tmp_path):
    with pytest.raises(UserError, match="video7") as caught:
        open_camera(f"usb:{tmp_path}/video7")
    assert caught.value.key == "camera.no_device"


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "y/" * 3000])
def test_a_name_that_no_device_can_have_is_refused_as_any_other(name):
    with pytest.raises(UserError) as caught:
        open_camera(f"usb:{name}")
    assert caught.value.key == "camera.no_device"


def test_a_usb_camera_that_one_may_not_use(usb, monkeypatch):
    monkeypatch.setattr(usb_camera.os, "access", lambda *_: False)
    with pytest.raises(UserError) as caught:
        open_camera(f"usb:{usb}")
    assert caught.value.key == "camera.no_permission"


def test_a_device_that_is_not_a_camera(usb, monkeypatch):
    monkeypatch.setattr(FakeCapture, "is_open", False)
    with pytest.raises(UserError) as caught:
        open_camera(f"usb:{usb}")
    assert caught.value.key == "camera.failed"
