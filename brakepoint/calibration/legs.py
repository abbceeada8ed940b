"""Drives a train between two marks to collect data for `brakepoint.calibration.drive`."""

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
"""The plates of the first and the second mark, which differ so that they cannot be confused."""
BRAKES_WITHIN_CM = 30.0
"""Approximate braking distance of a train at full speed."""
BRAKE_AHEAD_CM = (45.0, 70.0)
"""Minimum and maximum braking point before the second mark, which must be visible after the stop."""
START_CM = 60.0
START_SHARE = 0.8
"""The train starts at most `START_CM`, and this share of the camera's sight, before the first mark."""
BLIND_UNTIL_CM = 25.0
"""If the second mark is still unseen when the train must be this close to it, the train brakes."""
LOST_S = 4.0
"""A train that sees no mark for this long brakes, however slow it is."""
STANDS_S = 0.5
"""Time of observation before the train starts."""
DRIVES_MAX_S = 20.0
RESTS_S = 3.0
"""Time after braking when the train's stopping place is observed."""


class TunableHub(Hub, Protocol):
    """A hub whose drive figures can be set, such as the hub of `ble:`."""

    @property
    def volts(self) -> float | None:
        """The hub's voltage; None if the hub does not report it."""

    def fit(self, drive: Drive) -> None:
        """Uses other drive figures for driving and dead reckoning from now on."""


Look = Callable[[TrainState], Sequence[Seen]]
"""Returns new observations of the marks; their times are by the clock of the train's state."""


def start_cm(eye: Eye) -> float:
    """Start position before the first mark, from which a train with this camera sees the mark."""
    return min(START_CM, START_SHARE * eye.sight_cm)


def brake_ahead_cm(eye: Eye) -> float:
    """Braking point before the second mark for a train with this camera."""
    least, most = BRAKE_AHEAD_CM
    return min(max(eye.sees_from_cm + BRAKES_WITHIN_CM, least), most)


@dataclass(frozen=True)
class Course:
    """The marks, and how a run between them ends.

    Attributes:
        apart_cm: Distance from one mark to the other.
        brake_ahead_cm: Braking point before the second mark.
        is_watched: Whether the marks are watched continuously, so that a train that sees none counts as a
            runaway.
    """

    apart_cm: float
    brake_ahead_cm: float
    is_watched: bool = True


def drive_leg(hub: TunableHub, power: int, look: Look, tick: Callable[[], float], course: Course) -> Leg:
    """Drives once from standstill to standstill; brakes before the second mark, or where that mark should be.

    Args:
        hub: A hub whose train is before the first mark.
        power: Power of the motor in percent.
        look: Called at every tick.
        tick: Waits one step of the control loop and returns the time in seconds.
        course: The course of the run.

    Raises:
        UserError: The first mark is not visible from the start, or the camera failed; the train is braked.
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
    """Whether the second mark is near, or must be near given the train's observed speed, or time is up."""
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
    """The observations of the marks in a picture.

    Args:
        detections: Detections of a frame, with the time of its arrival.
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
