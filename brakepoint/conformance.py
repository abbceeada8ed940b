"""Tests for every camera and every hub: the stubs, the kit's own, and yours.

Subclass the suite, define how to open your camera or hub, and let pytest collect the class:

    from brakepoint.conformance import HubConformance

    class TestMyHub(HubConformance):
        def open(self):
            return my_hub.open_hub("")

pytest must be installed; nothing else is needed. `docs/en/adapters.md` explains how to write an adapter.
"""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import numpy as np

from brakepoint.messages import Frame, Light, Order, OrderKind, Reason, TrainState
from brakepoint.ports import Camera, Hub
from brakepoint.rules import CONTROL_RATE_HZ, FULL_SPEED_CM_S, LOW_SPEED_CM_S, SPEED_TOLERANCE

STEP_S = 1 / CONTROL_RATE_HZ


def _state(position_cm: float, now: float) -> TrainState:
    return TrainState(at=now, position_cm=position_cm, speed_cm_s=0, power=0, braking=True, light=Light.ON)


class CameraConformance:
    """A camera that passes these tests works with the autopilot.

    Attributes:
        patience_s: For a real camera: how long a frame may take to arrive.
    """

    patience_s = 10.0

    def open(self) -> Camera:
        """Opens the camera under test."""
        raise NotImplementedError

    def _frames(self, camera: Camera, count: int) -> list[Frame]:
        """Captures frames at one position; a real camera returns no frame for some of the calls."""
        frames: list[Frame] = []
        until = time.monotonic() + self.patience_s
        while len(frames) < count:
            assert time.monotonic() < until, f"{len(frames)} of {count} frames in {self.patience_s} s"
            frame = camera.read(_state(0, len(frames) * STEP_S))
            if frame is not None:
                frames.append(frame)
        return frames

    def test_a_frame_is_a_picture(self) -> None:
        """A frame has shape `(480, 640, 3)` and type uint8, as the detector and the autopilot require."""
        with closing(self.open()) as camera:
            image = self._frames(camera, 1)[0].image
        assert image.dtype == np.uint8, f"pixels are uint8, not {image.dtype}"
        assert image.shape == (480, 640, 3), f"a picture is (480, 640, 3), not {image.shape}"

    def test_every_capture_has_a_number_of_its_own(self) -> None:
        """Frame numbers grow, so that a consumer recognises the newest frame."""
        with closing(self.open()) as camera:
            numbers = [frame.frame_id for frame in self._frames(camera, 5)]
        assert numbers == sorted(set(numbers)), f"numbers of captures must grow: {numbers}"

    def test_a_capture_says_when_it_was_taken(self) -> None:
        """The time of capture is read from the clock of the train's state, and is never in the future."""
        with closing(self.open()) as camera:
            self._frames(camera, 1)
            until = time.monotonic() + self.patience_s
            while (frame := camera.read(_state(0, 100.0))) is None:
                assert time.monotonic() < until, "no further frame came"
        age_s = 100.0 - frame.captured_at
        assert 0 <= age_s < 1, f"a frame for the time 100 s says that it is {age_s} s old"

    def test_no_two_captures_are_the_same(self) -> None:
        """A sensor has noise: an identical picture counts as a frozen camera, and brakes the train."""
        with closing(self.open()) as camera:
            first, second = self._frames(camera, 2)
        assert not np.array_equal(first.image, second.image), "two captures are identical to the bit"

    def test_a_picture_is_not_changed_behind_the_readers_back(self) -> None:
        """A frame may be kept while the next one is captured."""
        with closing(self.open()) as camera:
            (first,) = self._frames(camera, 1)
            kept = first.image.copy()
            self._frames(camera, 2)
        assert np.array_equal(first.image, kept), "a later capture wrote over an earlier one"

    def test_it_may_be_closed_twice(self) -> None:
        """Like everything that holds a device, a camera may be closed twice."""
        camera = self.open()
        camera.close()
        camera.close()


class HubConformance:
    """A hub that passes these tests works with the controller: they drive it on a virtual clock."""

    def open(self) -> Hub:
        """Opens the hub under test; its train is at the start."""
        raise NotImplementedError

    def settle(self, hub: Hub) -> None:
        """Waits until an order has reached the train, if that takes time."""

    @contextmanager
    def _hub(self) -> Iterator[Hub]:
        hub = self.open()
        try:
            yield hub
        finally:
            hub.close()

    def _drive(
        self, hub: Hub, kind: OrderKind, from_s: float, seconds: float, light: Light = Light.ON
    ) -> TrainState:
        """Issues an order at every step, as an autopilot does, and returns the train's final state."""
        for step in range(round(seconds * CONTROL_RATE_HZ)):
            now = from_s + step * STEP_S
            hub.state(now)
            hub.apply(Order(kind=kind, reason=Reason.CLEAR, light=light, at=now))
        self.settle(hub)
        return hub.state(from_s + seconds)

    def test_it_says_whether_its_train_is_simulated(self) -> None:
        """A new run puts a simulated train at the start; a person must put a real train there."""
        with self._hub() as hub:
            assert isinstance(hub.is_simulated, bool), "is_simulated must be True or False"

    def test_a_train_without_an_order_stands_braked_at_the_start(self) -> None:
        """The train is safe before the first order."""
        with self._hub() as hub:
            states = [hub.state(now) for now in (0.0, 1.0, 5.0)]
        assert all(state.braking for state in states), "without an order the brake must be on"
        assert {(state.position_cm, state.speed_cm_s) for state in states} == {(0.0, 0.0)}

    def test_each_order_leads_to_its_speed(self) -> None:
        """The train reaches the speeds of `brakepoint.rules`, on which the score is based."""
        with self._hub() as hub:
            low = self._drive(hub, OrderKind.LOW_SPEED, 0, 4)
            full = self._drive(hub, OrderKind.FULL_SPEED, 4, 4)
        assert 0.5 * LOW_SPEED_CM_S < low.speed_cm_s <= SPEED_TOLERANCE * LOW_SPEED_CM_S
        assert 0.5 * FULL_SPEED_CM_S < full.speed_cm_s <= SPEED_TOLERANCE * FULL_SPEED_CM_S

    def test_an_order_holds_until_the_next(self) -> None:
        """A hub only obeys: the watchdog is a separate part."""
        with self._hub() as hub:
            self._drive(hub, OrderKind.FULL_SPEED, 0, 2)
            state = hub.state(5)
        assert state.speed_cm_s > 0 and not state.braking

    def test_a_brake_brings_the_train_to_rest(self) -> None:
        """The train then stays at rest."""
        with self._hub() as hub:
            moving = self._drive(hub, OrderKind.FULL_SPEED, 0, 3)
            resting = self._drive(hub, OrderKind.BRAKE, 3, 3)
            later = hub.state(20)
        assert resting.braking and resting.speed_cm_s == 0
        assert moving.position_cm < resting.position_cm == later.position_cm

    def test_a_brake_takes_hold_in_the_middle_of_gathering_speed(self) -> None:
        """A brake does not wait for acceleration to end."""
        with self._hub() as hub:
            self._drive(hub, OrderKind.FULL_SPEED, 0, 0.2)
            hub.apply(Order(kind=OrderKind.BRAKE, reason=Reason.DANGER_STOP, at=0.2))
            braked, rest = hub.state(0.2), hub.state(3)
        assert braked.braking and rest.speed_cm_s == 0

    def test_the_train_never_goes_back_and_neither_does_its_clock(self) -> None:
        """A query for an earlier time does not move the train."""
        with self._hub() as hub:
            there = self._drive(hub, OrderKind.FULL_SPEED, 0, 3)
            before, again = hub.state(1), hub.state(3)
        assert before.position_cm == again.position_cm == there.position_cm

    def test_the_state_says_what_the_headlight_does(self) -> None:
        """The score requires blinking before a danger."""
        with self._hub() as hub:
            lights = [
                self._drive(hub, OrderKind.BRAKE, 2.0 * number, 2, light).light
                for number, light in enumerate(Light)
            ]
        assert lights == list(Light)

    def test_closing_leaves_the_train_braked(self) -> None:
        """A hub, too, may be closed twice."""
        hub = self.open()
        try:
            self._drive(hub, OrderKind.FULL_SPEED, 0, 2)
        finally:
            hub.close()
            hub.close()
        assert hub.state(60).braking, "a closed hub must say that its brake is on"
