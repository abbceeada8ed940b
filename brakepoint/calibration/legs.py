"""Drives a train between two marks, so that `brakepoint.calibration.drive` has something to go by."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from brakepoint.calibration.drive import Leg, Seen, steady
from brakepoint.messages import Detections, Light, Order, OrderKind, Reason, SignClass, TrainState
from brakepoint.ports import Hub
from brakepoint.rules import PLATE_HEIGHT_CM
from brakepoint.train_file import RECORDED, Drive, Eye

MARKS = (SignClass.DANGER_AHEAD, SignClass.SPEED_LIMIT)
"""Which plate is the first mark, and which the second, so that one is not taken for the other."""
BRAKES_WITHIN_CM = 30.0
"""About how far a train at full speed rolls from the brake to its rest…"""
BRAKE_AHEAD_CM = (45.0, 70.0)
"""…and where the brake is put on, as far before the second mark as it takes to see that still from the
rest: at the least, and at the most."""
LOST_S = 4.0
"""A train that sees no mark for so long brakes."""
DRIVES_MAX_S = 20.0
RESTS_S = 3.0
"""So long after the brake is put on, the place of its rest is looked at."""


class TunableHub(Hub, Protocol):
    """A hub whose drive can be chosen, such as that of `ble:`."""

    @property
    def volts(self) -> float | None:
        """Its voltage; None if it does not say it."""

    def fit(self, drive: Drive) -> None:
        """Drives and reckons by another drive from now on."""


Look = Callable[[TrainState], Sequence[Seen]]
"""What is newly known of the marks; its times are on the clock of the train's state."""


def brake_ahead_cm(eye: Eye) -> float:
    """How far before the second mark a train with this camera brakes."""
    least, most = BRAKE_AHEAD_CM
    return min(max(eye.sees_from_cm + BRAKES_WITHIN_CM, least), most)


def drive_leg(
    hub: TunableHub,
    power: int,
    look: Look,
    tick: Callable[[], float],
    brake_ahead_cm: float,
    lost_s: float = LOST_S,
) -> Leg:
    """Drives once from a stand to a stand; brakes before the second mark, or where it is passed.

    Args:
        hub: Its train stands before the first mark.
        power: Of the motor, in percent.
        look: Is asked at every tick.
        tick: Waits a step of the control loop and says what time it is, in seconds.
        brake_ahead_cm: How far before the second mark to brake.
        lost_s: How long the train may drive without a mark.

    Raises:
        UserError: The camera failed; the train is braked.
    """
    hub.fit(steady(power))
    began_at = known_at = now = tick()
    seen: list[Seen] = []
    volts: float | None = None
    braked_at: float | None = None
    hub.state(now)
    while braked_at is None or now - braked_at < RESTS_S:
        kind = OrderKind.BRAKE if braked_at is not None else OrderKind.FULL_SPEED
        hub.apply(Order(kind=kind, reason=Reason.BY_HAND, light=Light.ON, at=now))
        now = tick()
        new = look(hub.state(now))
        seen += [each._replace(at=each.at - began_at) for each in new]
        if new:
            known_at = now
        if braked_at is None:
            volts = hub.volts
            is_there = any(each.mark == 1 and each.ahead_cm <= brake_ahead_cm for each in new)
            if is_there or now - known_at > lost_s or now - began_at > DRIVES_MAX_S:
                braked_at = now
    return Leg(power, volts, braked_at - began_at, tuple(seen))


def marks_in(detections: Detections, eye: Eye) -> list[Seen]:
    """What a picture says of the marks.

    Args:
        detections: Of a frame, with the time at which it came.
        eye: The camera.
    """
    return [
        Seen(
            detections.captured_at,
            MARKS.index(item.sign_class),
            RECORDED.focal_px * PLATE_HEIGHT_CM[item.sign_class] / item.height_px,
            RECORDED.focal_px
            * PLATE_HEIGHT_CM[item.sign_class]
            / item.height_px
            * float(np.hypot(1 / item.height_px, 0.01)),
        )
        for item in detections.items
        if not eye.cuts_off(item.box)
    ]
