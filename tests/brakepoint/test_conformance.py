"""Every camera and every hub of the kit passes the suite, and the suite detects bad ones."""

import dataclasses
import sys
from typing import Any

import numpy as np
import pytest
from emulated_hub import PATIENT, EmulatedHub
from patience import PATIENCE_S

from brakepoint.adapters import OWN, open_camera, open_hub
from brakepoint.conformance import CameraConformance, HubConformance
from brakepoint.messages import Order
from brakepoint.ports import Camera, Hub
from hardware import real_camera, usb_camera
from hardware.ble_hub import BluetoothHub
from hardware.csi_camera import ChildSource
from hardware.heartbeat import Heartbeat, heartbeat_path
from hardware.real_camera import RealCamera
from stubs.printing_hub import PrintingHub

CHILD = """
import random, sys
while True:
    sys.stdout.buffer.write(random.randbytes(64 * 48 * 3))
"""


class TestRecordedCamera(CameraConformance):
    def open(self) -> Camera:
        return open_camera("video:track-stop")


class TestCsiCamera(CameraConformance):
    """With a child process in place of GStreamer; tests/system uses GStreamer itself."""

    @pytest.fixture(autouse=True)
    def patience(self, monkeypatch):
        monkeypatch.setattr(real_camera, "FIRST_FRAME_S", PATIENCE_S)
        monkeypatch.setattr(real_camera, "STALL_S", PATIENCE_S)

    def open(self) -> Camera:
        return RealCamera("csi:0", lambda: ChildSource("csi:0", [sys.executable, "-c", CHILD], 64, 48))


class Noise:
    """Replaces OpenCV's capture of a USB camera."""

    def __init__(self, *_):
        self._random = np.random.default_rng(0)

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def set(self, *_) -> bool:
        return True

    def read(self):
        return True, self._random.integers(0, 256, (480, 640, 3), dtype=np.uint8)

    def release(self) -> None:
        pass


class TestUsbCamera(CameraConformance):
    @pytest.fixture(autouse=True)
    def device(self, monkeypatch, tmp_path):
        monkeypatch.setattr(usb_camera.cv2, "VideoCapture", Noise)
        self._device = tmp_path / "video0"
        self._device.touch()

    def open(self) -> Camera:
        return open_camera(f"usb:{self._device}")


class TestPrintingHub(HubConformance):
    def open(self) -> Hub:
        return open_hub("print:")


class TestBluetoothHub(HubConformance):
    @pytest.fixture(autouse=True)
    def train(self, bluez, monkeypatch, tmp_path):
        monkeypatch.setenv("BRAKEPOINT_HUB_HEARTBEAT", str(tmp_path / "beat"))
        bluez.add(EmulatedHub())

    def open(self) -> Hub:
        return BluetoothHub(out=None, limits=PATIENT, heartbeat=Heartbeat(heartbeat_path()))

    def settle(self, hub: Hub) -> None:
        assert isinstance(hub, BluetoothHub)
        assert hub.wait_until_settled(PATIENCE_S)


def test_no_adapter_is_left_out():
    assert {adapter.name for adapter in OWN} == {"video", "csi", "usb", "print", "ble"}


class Frozen(CameraConformance):
    def open(self) -> Camera:
        camera: Any = open_camera("video:track-stop")
        first = camera.read
        picture = np.zeros((480, 640, 3), np.uint8)
        camera.read = lambda state: dataclasses.replace(first(state), image=picture)
        return camera


class Deaf(HubConformance):
    class DeafHub(PrintingHub):
        def apply(self, order: Order) -> None:
            pass

    def open(self) -> Hub:
        return self.DeafHub(None)


class Runaway(HubConformance):
    class RunawayHub(PrintingHub):
        def close(self) -> None:
            pass

    def open(self) -> Hub:
        return self.RunawayHub(None)


@pytest.mark.parametrize(
    "failing",
    [
        Frozen().test_no_two_captures_are_the_same,
        Deaf().test_each_order_leads_to_its_speed,
        Deaf().test_the_state_says_what_the_headlight_does,
        Runaway().test_closing_leaves_the_train_braked,
    ],
    ids=lambda method: f"{type(method.__self__).__name__}.{method.__name__}",
)
def test_the_suite_tells_a_bad_adapter(failing):
    with pytest.raises(AssertionError):
        failing()
