"""What the motor and the brake of a train do, told from runs between two marks.

On a straight the train drives at one power, passes the first mark, and brakes before or behind the second.
What is known of each mark along the way, how far ahead the camera sees it or that it is passed just now, is
held against what a hub's own reckoning would make of the same orders, and its figures are chosen so that
both agree.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np

from brakepoint.calibration.least_squares import least_squares
from brakepoint.errors import UserError
from brakepoint.locomotive import BRAKING_CM_S2, DEAD_POWER, FULL_POWER, LAG_S, SPEED_PER_POWER
from brakepoint.messages import Order, OrderKind, Reason
from brakepoint.rules import FULL_SPEED_CM_S, LOW_SPEED_CM_S
from brakepoint.train_file import Drive

POWERS = (40, 60, 80, 100)
"""What is driven at, in percent, one after the other; no more than is needed for full speed."""
RESERVE_VOLTS = 8.1
"""Of batteries that are half empty: a speed that the train cannot keep with them is none to count on."""
MOVED_CM = 5.0
"""A train that has covered less in a run has not set off."""
WEAKEST_CM_S = 1.1 * LOW_SPEED_CM_S
LATENCY_S, LATENCY_SIGMA_S, LATENCY_MAX_S = 0.07, 0.15, 0.3
"""How old a picture is, or how late a finger: what is expected before anything is known."""
ANSWERED_S = 0.3
"""From the picture of a sign to the order that answers it: three sightings, and the steps between."""
SIGHT_SHARE = 0.7
"""So much of the way from which a camera sees signs at all is counted on."""
LAG_SIGMA_S = 0.2
BRAKING_SIGMA_CM_S2 = 30.0


class Seen(NamedTuple):
    """What is known of a mark at one moment.

    Attributes:
        at: When it was noticed, in seconds on the clock of the run.
        mark: 0 for the first, 1 for the second.
        ahead_cm: How far ahead of the train it was; negative behind.
        sigma_cm: How exactly that is known: one standard deviation.
        is_late: Whether it was noticed with a camera's or a finger's delay.
    """

    at: float
    mark: int
    ahead_cm: float
    sigma_cm: float
    is_late: bool = True


@dataclass(frozen=True)
class Leg:
    """One run from a stand to a stand.

    Attributes:
        power: Of the motor, in percent.
        volts: The hub's voltage meanwhile; None if it does not say it.
        braked_at: When the brake was put on, in seconds from the order to drive.
        seen: What is known of the marks.
    """

    power: int
    volts: float | None
    braked_at: float
    seen: tuple[Seen, ...]


@dataclass(frozen=True)
class DriveFit:
    """What was found.

    Attributes:
        drive: For the train's file.
        legs: Power in percent and measured speed of each run, in cm/s.
        errors: One standard deviation of `full_power`, `low_power`, `start_power`, `lag_s` and
            `braking_cm_s2`.
        latency_s: How old pictures were when they arrived.
        distance_scale: By what factor distances were seen too large: the focal length is too long by as much.
    """

    drive: Drive
    legs: tuple[tuple[int, float], ...]
    errors: dict[str, float]
    latency_s: float
    distance_scale: float


class Reckons(Protocol):
    """What a hub works speed and place out by, `hardware.reckoning.Reckoning` for one."""

    def measured(self, volts: float | None) -> None:
        """Takes note of the voltage."""

    def follow(self, order: Order | None) -> None:
        """Follows an order from now on."""

    def at(self, now: float) -> None:
        """Moves the train up to a time."""

    @property
    def position_cm(self) -> float:
        """Where the train is."""


def steady(power: float) -> Drive:
    """A drive whose full speed is a power in percent at every voltage: what is measured with."""
    return Drive.model_construct(full_power=power, low_power=power - 1, volts=None)


def fit_drive(
    legs: Sequence[Leg],
    apart_cm: float,
    reckoning: Callable[[Drive], Reckons],
    scale_sigma: float = 0.05,
    sight_cm: float = math.inf,
) -> DriveFit:
    """Finds the figures of a train by its runs.

    Args:
        legs: At least two in which it moved.
        apart_cm: From one mark to the other.
        reckoning: What the hub reckons by.
        scale_sigma: How exactly the camera's focal length is known, as a share.
        sight_cm: From how far the camera sees signs; the train must not be too fast for that.

    Raises:
        UserError: The train hardly moved, or is too weak for the rules' low speed.
    """
    moving = [leg for leg in legs if _has_moved(leg, apart_cm)]
    if len(moving) < 2:
        raise UserError("calibrate.hardly_moved", moving=len(moving))
    volts = moving[0].volts
    firsts = [_first_ahead_cm(leg, apart_cm) for leg in moving]
    expected = np.array([SPEED_PER_POWER, DEAD_POWER, LAG_S, BRAKING_CM_S2, LATENCY_S, 1.0, *firsts])
    known = np.array([np.inf, 30.0, LAG_SIGMA_S, BRAKING_SIGMA_CM_S2, LATENCY_SIGMA_S, scale_sigma])
    low = np.array([0.05, 0.0, 0.05, 15.0, 0.0, 0.4, *(first - 150 for first in firsts)])
    high = np.array(
        [
            5.0,
            min(leg.power for leg in moving),
            2.0,
            600.0,
            LATENCY_MAX_S,
            2.5,
            *(first + 150 for first in firsts),
        ]
    )

    @lru_cache(
        maxsize=len(moving)
    )  # What moves another figure than the first five leaves the ways as they were.
    def ways_cm(number: int, *figures: float) -> np.ndarray:
        return _ways_cm(moving[number], figures, reckoning, volts)

    def residuals(figures: np.ndarray) -> np.ndarray:
        parts = [(figures[: len(known)] - expected[: len(known)]) / known]
        for number, leg in enumerate(moving):
            places = figures[len(known) + number] + np.array([each.mark for each in leg.seen]) * apart_cm
            ahead_cm = figures[5] * (places - ways_cm(number, *figures[:5].tolist()))
            seen = np.array([(each.ahead_cm, each.sigma_cm) for each in leg.seen])
            parts.append((seen[:, 0] - ahead_cm) / seen[:, 1])
        return np.concatenate(parts)

    found, sigma = least_squares(residuals, expected, low, high)
    slope, start, lag_s, braking_cm_s2, latency_s, scale = (float(figure) for figure in found[: len(known)])
    strongest = FULL_POWER * (min(RESERVE_VOLTS / volts, 1.0) if volts is not None else 1.0)
    full_speed = min(FULL_SPEED_CM_S, slope * (strongest - start), speed_in_sight_cm_s(sight_cm, latency_s))
    if full_speed < WEAKEST_CM_S:
        raise UserError("calibrate.too_weak", speed=full_speed, needed=WEAKEST_CM_S)
    drive = Drive(
        full_power=min(start + full_speed / slope, 100.0),
        low_power=start + LOW_SPEED_CM_S / slope,
        start_power=start,
        full_speed_cm_s=full_speed,
        lag_s=lag_s,
        braking_cm_s2=braking_cm_s2,
        volts=volts,
    )
    errors = {
        "full_power": float(np.hypot(sigma[1], full_speed * sigma[0] / slope**2)),
        "low_power": float(np.hypot(sigma[1], LOW_SPEED_CM_S * sigma[0] / slope**2)),
        "start_power": float(sigma[1]),
        "lag_s": float(sigma[2]),
        "braking_cm_s2": float(sigma[3]),
    }
    speeds = tuple((leg.power, slope * (_at_first_volts(leg, volts) - start)) for leg in moving)
    return DriveFit(drive, speeds, errors, latency_s, scale)


def speed_in_sight_cm_s(sight_cm: float, latency_s: float) -> float:
    """The speed from which a train still slows down in time for a sign that it sees no sooner than this."""
    blind_s = latency_s + ANSWERED_S
    room = WEAKEST_CM_S**2 + 2 * BRAKING_CM_S2 * SIGHT_SHARE * sight_cm
    return math.sqrt((BRAKING_CM_S2 * blind_s) ** 2 + room) - BRAKING_CM_S2 * blind_s


def speed_of(leg: Leg, apart_cm: float) -> float:
    """About how fast a run became, in cm/s; 0 if too little is known.

    The steepest approach to a mark before the brake, or the time between the two where they were passed.
    """
    speeds = [0.0]
    passed = [each.at for each in leg.seen if each.ahead_cm == 0]
    if len(passed) == len(leg.seen) - 1 == 2:
        speeds.append(apart_cm / (passed[1] - passed[0]))
    for mark in (0, 1):
        seen = [each for each in leg.seen if each.mark == mark and each.at <= leg.braked_at]
        late = seen[len(seen) // 2 :]
        if len(late) >= 3:
            times, ways = np.array([each.at for each in late]), np.array([each.ahead_cm for each in late])
            speeds.append(-float(np.polyfit(times, ways, 1)[0]))
    return max(speeds)


def _at_first_volts(leg: Leg, volts: float | None) -> float:
    """The power that would do the same at the voltage of the first run."""
    return leg.power * (leg.volts / volts if volts is not None and leg.volts is not None else 1.0)


def _ways_cm(
    leg: Leg, figures: Sequence[float], reckoning: Callable[[Drive], Reckons], volts: float | None
) -> np.ndarray:
    """How far the train had come, by the reckoning, when each mark was seen as it was: shape `(sightings,)`.

    Args:
        leg: The run.
        figures: Speed for each percent of power, the power to set off, lag, braking, and the delay of sight.
        reckoning: What the hub reckons by.
        volts: At which the powers count.
    """
    slope, start, lag_s, braking_cm_s2, latency_s = figures
    power = _at_first_volts(leg, volts)
    drive = Drive.model_construct(
        full_power=power,
        low_power=start + LOW_SPEED_CM_S / slope,
        start_power=start,
        full_speed_cm_s=slope * (power - start),
        lag_s=lag_s,
        braking_cm_s2=braking_cm_s2,
        volts=None,
    )
    train = reckoning(drive)
    train.at(0.0)
    train.follow(Order(kind=OrderKind.FULL_SPEED, reason=Reason.BY_HAND, at=0.0))
    has_braked, ways = False, np.zeros(len(leg.seen))
    true_at = [max(each.at - latency_s * each.is_late, 0.0) for each in leg.seen]
    for index in np.argsort(true_at):
        if true_at[index] > leg.braked_at and not has_braked:
            train.at(leg.braked_at)
            train.follow(None)
            has_braked = True
        train.at(true_at[index])
        ways[index] = train.position_cm
    return ways


def _first_ahead_cm(leg: Leg, apart_cm: float) -> float:
    """About how far ahead of the standing train the first mark was."""
    first = min(leg.seen, key=lambda each: each.at)
    return first.ahead_cm - first.mark * apart_cm


def _has_moved(leg: Leg, apart_cm: float) -> bool:
    places = [each.ahead_cm - each.mark * apart_cm for each in leg.seen]
    return len(places) >= 2 and max(places) - min(places) > MOVED_CM
