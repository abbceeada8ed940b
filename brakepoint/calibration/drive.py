"""Determines the motor and brake characteristics of a train from runs between two marks.

On a straight, the train drives at constant power, passes the first mark, and brakes before or after the
second. The observations of the marks (distances seen by the camera, or moments of passing) are compared with
a hub's dead reckoning for the same orders; the parameters of the reckoning are fitted so that both agree.
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
"""The powers of the runs, in percent, in order; the runs end with the first power that reaches full speed."""
RESERVE_VOLTS = 8.1
"""Voltage of half-empty batteries, with which the train must still reach the chosen full speed."""
MOVED_CM = 5.0
"""A train that covers less than this in a run has not moved."""
WEAKEST_CM_S = 1.1 * LOW_SPEED_CM_S
LATENCY_S, LATENCY_SIGMA_S, LATENCY_MAX_S = 0.07, 0.15, 0.3
"""Prior for the age of a picture, or the delay of a finger."""
ANSWERED_S = 0.3
"""Time from the picture of a sign to the resulting order: three sightings, and the steps between them."""
SIGHT_SHARE = 0.7
"""Share of the camera's viewing distance for signs that is relied on."""
LAG_SIGMA_S = 0.2
BRAKING_SIGMA_CM_S2 = 30.0


class Seen(NamedTuple):
    """An observation of a mark at one moment.

    Attributes:
        at: When the mark was noticed, in seconds on the clock of the run.
        mark: 0 for the first mark, 1 for the second.
        ahead_cm: Distance of the mark ahead of the train; negative if it is behind.
        sigma_cm: Accuracy of the distance: one standard deviation.
        is_late: Whether the mark was noticed with the delay of a camera or a finger.
    """

    at: float
    mark: int
    ahead_cm: float
    sigma_cm: float
    is_late: bool = True


@dataclass(frozen=True)
class Leg:
    """One run from standstill to standstill.

    Attributes:
        power: Power of the motor in percent.
        volts: The hub's voltage during the run; None if the hub does not report it.
        braked_at: When the brake was applied, in seconds after the order to drive.
        seen: Observations of the marks.
    """

    power: int
    volts: float | None
    braked_at: float
    seen: tuple[Seen, ...]


@dataclass(frozen=True)
class DriveFit:
    """The result of a fit.

    Attributes:
        drive: Figures for the train's file.
        legs: Power in percent and measured speed of each run, in cm/s.
        errors: One standard deviation of `full_power`, `low_power`, `start_power`, `lag_s` and
            `braking_cm_s2`.
        latency_s: Age of pictures on arrival.
        distance_scale: Factor by which seen distances, and therefore the focal length, are too large.
    """

    drive: Drive
    legs: tuple[tuple[int, float], ...]
    errors: dict[str, float]
    latency_s: float
    distance_scale: float


class Reckons(Protocol):
    """A hub's dead reckoning of speed and position, for instance `hardware.reckoning.Reckoning`."""

    def measured(self, volts: float | None) -> None:
        """Takes the measured voltage into account."""

    def follow(self, order: Order | None) -> None:
        """Follows an order from now on."""

    def at(self, now: float) -> None:
        """Moves the train up to a time."""

    @property
    def position_cm(self) -> float:
        """Position of the train."""


def steady(power: float) -> Drive:
    """A drive for measuring: full speed takes a given power in percent at every voltage."""
    return Drive.model_construct(full_power=power, low_power=power - 1, volts=None)


def fit_drive(
    legs: Sequence[Leg],
    apart_cm: float,
    reckoning: Callable[[Drive], Reckons],
    scale_sigma: float = 0.05,
    sight_cm: float = math.inf,
) -> DriveFit:
    """Determines the figures of a train from its runs.

    Args:
        legs: At least two runs in which the train moved.
        apart_cm: Distance between the marks.
        reckoning: The hub's dead reckoning.
        scale_sigma: Relative accuracy of the camera's focal length.
        sight_cm: Distance from which the camera sees signs; the train must not be too fast for this distance.

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

    @lru_cache(maxsize=len(moving))  # Figures other than the first five do not change the distances.
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
    """The highest speed from which a train slows down in time for a sign first seen at this distance."""
    blind_s = latency_s + ANSWERED_S
    room = WEAKEST_CM_S**2 + 2 * BRAKING_CM_S2 * SIGHT_SHARE * sight_cm
    return math.sqrt((BRAKING_CM_S2 * blind_s) ** 2 + room) - BRAKING_CM_S2 * blind_s


def speed_of(leg: Leg, apart_cm: float) -> float:
    """Estimated speed of a run in cm/s; 0 if too little is known.

    The estimate is based on the fastest approach to a mark before braking, or on the time between passing the
    two marks.
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
    """The equivalent power at the voltage of the first run."""
    return leg.power * (leg.volts / volts if volts is not None and leg.volts is not None else 1.0)


def _ways_cm(
    leg: Leg, figures: Sequence[float], reckoning: Callable[[Drive], Reckons], volts: float | None
) -> np.ndarray:
    """Distance covered, by dead reckoning, at each observation of a mark: shape `(sightings,)`.

    Args:
        leg: The run.
        figures: Speed per percent of power, the power to start moving, lag, braking, and the camera's delay.
        reckoning: The hub's dead reckoning.
        volts: Reference voltage of the powers.
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
    """Estimated distance from the standing train to the first mark."""
    first = min(leg.seen, key=lambda each: each.at)
    return first.ahead_cm - first.mark * apart_cm


def _has_moved(leg: Leg, apart_cm: float) -> bool:
    places = [each.ahead_cm - each.mark * apart_cm for each in leg.seen]
    return len(places) >= 2 and max(places) - min(places) > MOVED_CM
