"""The child process of the `csi:` camera is GStreamer itself here; only the sensor is another source."""

import signal
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from brakepoint.adapters import open_camera
from brakepoint.errors import UserError
from brakepoint.feeds import find_feed
from brakepoint.messages import Frame, Light, TrainState
from hardware import real_camera
from hardware.csi_camera import HEIGHT_PX, RATE_HZ, WIDTH_PX, ChildSource, pipeline
from hardware.real_camera import RealCamera

pytestmark = pytest.mark.live

NOW = TrainState(at=0, position_cm=0, speed_cm_s=0, power=0, braking=True, light=Light.OFF)
CAPS = f"video/x-raw,width={WIDTH_PX},height={HEIGHT_PX},framerate={RATE_HZ}/1"
NOISE_GREY_LEVELS = 6.0
"""The recorded camera adds a sensor's noise; another place differs by more."""


@pytest.fixture
def open_pipeline() -> Iterator[Callable[..., RealCamera]]:
    """Opens a camera on any source, and closes it after the test."""
    opened: list[RealCamera] = []

    def open_one(source: str, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX) -> RealCamera:
        command = pipeline(source, width_px, height_px)
        opened.append(RealCamera("csi:0", lambda: ChildSource("csi:0", command, width_px, height_px)))
        return opened[-1]

    yield open_one
    for camera in opened:
        camera.close()


def read_until(camera: RealCamera, is_it: Callable[[object], bool]) -> Any:
    for _ in range(600):
        try:
            seen: Frame | UserError | None = camera.read(NOW)
        except UserError as error:
            seen = error
        if seen is not None and is_it(seen):
            return seen
    raise AssertionError("it did not come")


def is_frame(seen: object) -> bool:
    return isinstance(seen, Frame)


def is_error(seen: object) -> bool:
    return isinstance(seen, UserError)


def test_a_live_source_delivers_new_pictures(open_pipeline):
    camera = open_pipeline(f"videotestsrc is-live=true pattern=snow ! {CAPS}")
    frames = [read_until(camera, is_frame) for _ in range(20)]

    assert frames[0].image.shape == (480, 640, 3)
    assert all(not np.array_equal(one.image, other.image) for one, other in pairwise(frames))


def test_a_recorded_feed_through_a_file_source_is_the_recorded_feed(open_pipeline):
    source = f"filesrc location={find_feed('track-stop')} ! decodebin ! identity sync=true ! videoconvert"
    seen = read_until(open_pipeline(source, 640, 480), is_frame).image.astype(int)
    recorded: Any = open_camera("video:track-stop")
    places = [NOW.model_copy(update={"position_cm": position_cm}) for position_cm in range(0, 100, 2)]
    differences = [np.abs(recorded.read(place).image - seen).mean() for place in places]
    recorded.close()

    assert min(differences) < NOISE_GREY_LEVELS < differences[-1]


def test_a_missing_plugin_is_named_at_once():
    with pytest.raises(UserError) as caught:
        open_camera("csi:0")

    assert caught.value.key == "camera.no_plugin"
    assert "nvarguscamerasrc" in str(caught.value)


def test_a_missing_device_is_named(open_pipeline):
    with pytest.raises(UserError) as caught:
        open_pipeline("v4l2src device=/dev/video42")
    assert caught.value.key == "camera.no_device"


def test_an_end_of_stream_is_reported_and_the_source_restarted(open_pipeline, monkeypatch):
    monkeypatch.setattr(real_camera, "RESTART_S", 0.1)
    camera = open_pipeline(f"videotestsrc is-live=true num-buffers=30 ! {CAPS}")

    assert read_until(camera, is_error).key == "camera.ended"
    assert read_until(camera, is_frame)


def test_a_stall_is_reported_and_the_source_restarted(open_pipeline, monkeypatch):
    monkeypatch.setattr(real_camera, "RESTART_S", 0.1)
    camera = open_pipeline(f"videotestsrc is-live=true ! {CAPS}")
    read_until(camera, is_frame)
    camera._grabber.source._child.send_signal(signal.SIGSTOP)

    assert read_until(camera, is_error).key == "camera.stalled"
    assert read_until(camera, is_frame)
