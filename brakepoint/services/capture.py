"""The camera as a service: a frame at every tick, at the train's position."""

import threading
import time
from dataclasses import replace

import numpy as np

from brakepoint.adapters import open_camera
from brakepoint.errors import UserError
from brakepoint.feeds import find_named_feed
from brakepoint.messages import Control, Fault, Frame, Light, MissionState, TrainState
from brakepoint.ports import Camera
from brakepoint.rules import CONTROL_RATE_HZ
from brakepoint.services import RECORDED, ServiceSettings, tell
from brakepoint.services.bus import Bus
from brakepoint.services.clock import CLOCK
from brakepoint.services.service_loop import Pace, is_fault, serve, since
from brakepoint.services.topics import CONTROL, FRAME, MISSION, STATE
from brakepoint.texts import text

FAULTS = (Fault.CAMERA_BLACK, Fault.CAMERA_FROZEN, Fault.CAMERA_GARBLED, Fault.CAMERA_SILENT)
GARBLED = b"not a frame at all"


class Capture:
    """Captures frames, and fails on demand.

    Args:
        bus: The broker.
        shown: URI of a real camera, or the first feed of the recorded one.
        is_recorded: Whether the camera is the recorded one.

    Raises:
        UserError: There is no such camera or feed.
    """

    def __init__(self, bus: Bus, shown: str, is_recorded: bool) -> None:
        self._bus, self._is_recorded, self._own = bus, is_recorded, shown
        self._pace = Pace(CONTROL_RATE_HZ)
        self._mission: MissionState | None = None
        self._state: TrainState | None = None
        self._camera: Camera | None = open_camera(f"{RECORDED}{shown}" if is_recorded else shown)
        self._frame: Frame | None = None
        self._frame_id = 0
        self._fault: Fault | None = None
        self._fault_until = 0.0

    def control(self, control: Control) -> None:
        """Starts a camera fault that was requested."""
        if is_fault(control, *FAULTS):
            tell("fault", what=text(f"live.fault.{control.fault}"), seconds=control.seconds)
            self._fault, self._fault_until = control.fault, time.monotonic() + control.seconds

    def turn(self) -> None:
        """Captures a frame when it is due."""
        self._pace.wait()
        self._follow_mission()
        state = self._bus.take(STATE)
        if state is not None and state.at >= since(self._mission):
            self._state = state
        frame = self._capture()
        if self._fault is not None and time.monotonic() >= self._fault_until:
            self._fault = None
        if frame is not None:
            self._say(frame)

    def close(self) -> None:
        """Closes the camera."""
        if self._camera is not None:
            self._camera.close()

    def _follow_mission(self) -> None:
        """Reopens the feed for a new run: a recorded camera cannot rewind."""
        mission = self._bus.take(MISSION)
        if mission is None:
            return
        is_new = self._mission is None or mission.run != self._mission.run
        self._mission = mission
        if not is_new:
            return
        self._state = None
        if not self._is_recorded:
            return
        self.close()
        self._camera = None
        try:
            find_named_feed(mission.feed, self._own)
            self._camera = open_camera(f"{RECORDED}{mission.feed}", seed=mission.run)
        except UserError as error:
            tell("trouble", why=error)

    def _capture(self) -> Frame | None:
        if self._camera is None:
            return None
        state = self._state or TrainState(
            at=CLOCK.now(), position_cm=0, speed_cm_s=0, power=0, braking=True, light=Light.OFF
        )
        began_at = CLOCK.now()
        frame = self._camera.read(state)
        if frame is None:
            return None
        self._frame_id += 1
        # A recorded picture shows where the train was before the read, during which a run may have begun.
        captured_at = began_at if self._is_recorded else CLOCK.now()
        return replace(frame, frame_id=self._frame_id, captured_at=captured_at)

    def _say(self, frame: Frame) -> None:
        if self._fault is Fault.CAMERA_SILENT:
            return
        if self._fault is Fault.CAMERA_GARBLED:
            self._bus.say_bytes(FRAME, GARBLED)
            return
        if self._fault is Fault.CAMERA_FROZEN and self._frame is not None:
            frame = replace(frame, image=self._frame.image)
        elif self._fault is Fault.CAMERA_BLACK:
            frame = replace(frame, image=np.zeros_like(frame.image))
        self._frame = frame
        self._bus.work()
        self._bus.say(FRAME, frame)


def run(settings: ServiceSettings, stopping: threading.Event) -> None:
    """Opens the camera and connects to the broker."""
    with Bus(settings, "capture", (CONTROL, MISSION, STATE)) as bus:
        serve(Capture(bus, settings.shown, settings.is_recorded), bus, stopping)
