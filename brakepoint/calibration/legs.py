"""Drives a train between two marks, so that `brakepoint.calibration.drive` has something to go by."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from brakepoint.calibration.drive import Leg, Seen, speed_of, steady
from brakepoint.errors import UserError
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
START_CM = 60.0
START_SHARE = 0.8
"""How far before the first mark the train starts: so far at most, and so much of how far its camera sees."""
BLIND_UNTIL_CM = 25.0
"""A second mark that is not seen although the train must be so near to it is none to wait for."""
LOST_S = 4.0
"""A train that sees no mark for so long brakes, however slow it is."""
STANDS_S = 0.5
"""So long it is looked at before it sets off."""
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


def start_cm(eye: Eye) -> float:
    """How far before the first mark a train with this camera starts, so that it sees it from there."""
    return min(START_CM, START_SHARE * eye.sight_cm)


def brake_ahead_cm(eye: Eye) -> float:
    """How far before the second mark a train with this camera brakes."""
    least, most = BRAKE_AHEAD_CM
    return min(max(eye.sees_from_cm + BRAKES_WITHIN_CM, least), most)


@dataclass(frozen=True)
class Course:
    """Where the marks are, and how a run between them ends.

    Attributes:
        apart_cm: From one mark to the other.
        brake_ahead_cm: How far before the second mark to brake.
        is_watched: Whether somebody sees the marks all the time, so that a train without one is a runaway.
    """

    apart_cm: float
    brake_ahead_cm: float
    is_watched: bool = True


def drive_leg(hub: TunableHub, power: int, look: Look, tick: Callable[[], float], course: Course) -> Leg:
    """Drives once from a stand to a stand; brakes before the second mark, or where it must be by now.

    Args:
        hub: Its train stands before the first mark.
        power: Of the motor, in percent.
        look: Is asked at every tick.
        tick: Waits a step of the control loop and says what time it is, in seconds.
        course: Where it drives.

    Raises:
        UserError: The first mark is not seen from the start, or the camera failed; the train is braked.
    """
    hub.fit(steady(power))
    seen: list[Seen] = []
    volts: float | None = None
    stood_at = now = tick()
    began_at = braked_at = math.inf
    while now - braked_at < RESTS_S or braked_at == math.inf:
        is_driving = began_at <= now < braked_at
        kind = OrderKind.FULL_SPEED if is_driving else OrderKind.BRAKE
        hub.apply(Order(kind=kind, reason=Reason.BY_HAND, light=Light.ON, at=now))
        now = tick()
        seen += look(hub.state(now))
        if began_at == math.inf:
            if not course.is_watched or now - stood_at >= STANDS_S:
                _check_start(seen, course)
                began_at = now
        elif braked_at == math.inf:
            volts = hub.volts
            if _must_brake(seen, began_at, now, course):
                braked_at = now
    known = tuple(each._replace(at=each.at - began_at) for each in seen)
    return Leg(power, volts, braked_at - began_at, known)


def _check_start(seen: list[Seen], course: Course) -> None:
    if course.is_watched and not any(each.mark == 0 for each in seen):
        raise UserError("calibrate.no_mark")


def _must_brake(seen: list[Seen], began_at: float, now: float, course: Course) -> bool:
    """Whether the second mark is near, or must be by what was seen of the train's speed, or time is up."""
    if now - began_at > DRIVES_MAX_S:
        return True
    last = max(seen, key=lambda each: each.at, default=None)
    if last is None:
        return False
    left_cm = last.ahead_cm + (1 - last.mark) * course.apart_cm
    if not course.is_watched:
        return left_cm <= 0
    so_far = Leg(0, None, math.inf, tuple(each for each in seen if each.at >= began_at))
    left_cm -= speed_of(so_far, course.apart_cm) * (now - last.at)
    is_near = last.mark == 1 and last.ahead_cm <= course.brake_ahead_cm
    return is_near or left_cm <= BLIND_UNTIL_CM or now - max(last.at, began_at) > LOST_S


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
