"""The train's position from its motor and its camera: dead reckoning, corrected by signs.

A hub without an encoder assumes a speed that was measured once; batteries, load and rails make the train
faster or slower. While the train approaches a sign, the sign's distance decreases by the train's true motion
towards the sign, whichever way the train turns. A Kalman filter weighs assumed speed against seen distances:
it estimates the ratio of true to assumed speed, and the distances of the signs in sight. The position is the
accumulated distance, and never jumps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from brakepoint.messages import SignClass, TrainState

SCALE_SIGMA = 0.1
"""Relative speed error of a measured train: one standard deviation."""
SCALE_BOUNDS = (0.6, 1.6)
"""Bounds of the speed factor, whatever is seen."""
SCALE_WANDERS = 0.001
"""Drift of the factor per centimetre, due to voltage and rails."""
BOX_SIGMA_PX = 1.0
"""Accuracy of a box's height; distances from small boxes are less accurate."""
DISTANCE_SIGMA = 0.03
"""Relative error of every distance for other reasons: a crooked plate, a detector's bias."""
SAME_SIGN = 3.0
"""A sighting within this many standard deviations of the expected distance belongs to a sign in sight."""
SAME_PLACE_CM = 8.0
"""A sighting this close also belongs to the sign, but its error counts only up to `SAME_SIGN`."""
UNSEEN_CM = 10.0
"""A sign that was not seen for this distance is out of sight."""


class Sighting(NamedTuple):
    """A sign in a picture.

    Attributes:
        sign_class: Class of the sign.
        away_cm: Straight-line distance of the sign from the camera, computed from the box.
        towards: Fraction of each centimetre driven that goes towards the sign: the cosine of its bearing.
        height_px: Height of the box.
    """

    sign_class: SignClass
    away_cm: float
    towards: float
    height_px: float

    @property
    def sigma_cm(self) -> float:
        """Accuracy of the distance: one standard deviation."""
        return float(self.away_cm * np.hypot(BOX_SIGMA_PX / self.height_px, DISTANCE_SIGMA))


@dataclass(frozen=True)
class InSight:
    """A sign that the train is approaching.

    Attributes:
        sign_class: Class of the sign.
        towards: See `Sighting`; the value of the last sighting.
        seen_cm: Position of the train at the last sighting.
    """

    sign_class: SignClass
    towards: float
    seen_cm: float


@dataclass(frozen=True)
class Odometry:
    """The state of the position estimate.

    Attributes:
        mean: The factor between true and assumed speed, and the distance of each sign in sight, in
            centimetres: shape `(1 + signs,)`.
        covariance: Covariance of `mean`, shape `(1 + signs, 1 + signs)`.
        signs: The signs in sight.
        position_cm: Position of the train.
        reckoned_cm: The last position that the hub reported; None before the first report.
    """

    mean: np.ndarray
    covariance: np.ndarray
    signs: tuple[InSight, ...] = ()
    position_cm: float = 0.0
    reckoned_cm: float | None = None

    @classmethod
    def at_the_start(cls) -> "Odometry":
        """The initial state, before any report."""
        return cls(np.array([1.0]), np.array([[SCALE_SIGMA**2]]))

    @property
    def scale(self) -> float:
        """The factor between true and assumed speed."""
        return float(self.mean[0])

    def correct(self, state: TrainState) -> TrainState:
        """The last observed state, with corrected position and speed."""
        return state.model_copy(
            update={"position_cm": self.position_cm, "speed_cm_s": self.scale * state.speed_cm_s}
        )


def observe(
    known: Odometry, state: TrainState, seen: Sequence[Sighting], seen_ago_s: float = 0.0
) -> Odometry:
    """Updates the estimate with a new state of the train and a new picture.

    This function is pure: everything that is known between calls is in the returned value.

    Args:
        known: The previous estimate.
        state: State from the hub's dead reckoning.
        seen: The signs in a new picture; empty if there is no new picture.
        seen_ago_s: How long before the time of `state` the picture was taken.
    """
    known = _moved(known, state.position_cm)
    if state.speed_cm_s == 0:  # A standing train only repeats one error.
        return known
    for sighting in seen:
        known = _sighted(known, sighting, state.speed_cm_s * seen_ago_s)
    return known


def _moved(known: Odometry, reckoned_cm: float) -> Odometry:
    """The prediction: the train has moved by the reckoned distance times the factor.

    Signs are nearer by the same distance, or out of sight.
    """
    if known.reckoned_cm is None:  # Distances count from the first report.
        return replace(known, position_cm=reckoned_cm, reckoned_cm=reckoned_cm)
    rolled_cm = reckoned_cm - known.reckoned_cm
    position_cm = known.position_cm + known.scale * rolled_cm
    change = np.eye(len(known.mean))
    change[1:, 0] = [-rolled_cm * sign.towards for sign in known.signs]
    mean, covariance = change @ known.mean, change @ known.covariance @ change.T
    covariance[0, 0] += SCALE_WANDERS**2 * abs(rolled_cm)
    kept = [i for i, sign in enumerate(known.signs) if position_cm - sign.seen_cm <= UNSEEN_CM]
    rows = [0, *(i + 1 for i in kept)]
    signs = tuple(known.signs[i] for i in kept)
    return Odometry(mean[rows], covariance[np.ix_(rows, rows)], signs, position_cm, reckoned_cm)


def _sighted(known: Odometry, seen: Sighting, rolled_since_cm: float) -> Odometry:
    """The update with a sighting: a known sign corrects the factor, a new one is added.

    Args:
        known: The previous estimate.
        seen: The sign as seen when the picture was taken.
        rolled_since_cm: Distance covered since the picture was taken, by dead reckoning.
    """
    before = rolled_since_cm * seen.towards  # The sign is now nearer by this distance times the factor.
    row = np.zeros(len(known.mean))
    row[0] = before
    index = _find_same(known, seen, before)
    here = InSight(seen.sign_class, seen.towards, known.position_cm)
    if index is None:
        shared = -before * known.covariance[0]
        own = float(before**2 * known.covariance[0, 0] + seen.sigma_cm**2)
        covariance = np.block([[known.covariance, shared[:, None]], [shared[None, :], np.array([[own]])]])
        mean = np.append(known.mean, seen.away_cm - before * known.scale)
        return replace(known, mean=mean, covariance=covariance, signs=(*known.signs, here))
    row[index + 1] = 1.0
    error_cm = seen.away_cm - float(row @ known.mean)
    sigma_cm = float(np.sqrt(row @ known.covariance @ row + seen.sigma_cm**2))
    gain = known.covariance @ row / sigma_cm**2
    mean = known.mean + gain * np.clip(error_cm, -SAME_SIGN * sigma_cm, SAME_SIGN * sigma_cm)
    mean[0] = np.clip(mean[0], *SCALE_BOUNDS)
    covariance = known.covariance - np.outer(gain, row @ known.covariance)
    signs = tuple(here if i == index else sign for i, sign in enumerate(known.signs))
    return replace(known, mean=mean, covariance=(covariance + covariance.T) / 2, signs=signs)


def _find_same(known: Odometry, seen: Sighting, before: float) -> int | None:
    """Index of the matching sign in sight, if any: same class, and closest to the expected distance."""
    best, best_cm = None, np.inf
    for index, sign in enumerate(known.signs):
        error_cm = abs(seen.away_cm - known.mean[index + 1] - before * known.scale)
        variance = known.covariance[index + 1, index + 1] + seen.sigma_cm**2
        allowed_cm = max(SAME_SIGN * float(np.sqrt(variance)), SAME_PLACE_CM)
        if sign.sign_class is seen.sign_class and error_cm <= allowed_cm and error_cm < best_cm:
            best, best_cm = index, error_cm
    return best
