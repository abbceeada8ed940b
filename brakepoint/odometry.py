"""Where the train is, by its motor and by what its camera sees: dead reckoning, corrected by signs.

A hub without an encoder reckons with the speed that was once measured; batteries, load and rails make it
faster or slower. While a sign comes nearer, its distance shrinks by as much as the train really moves
towards it, whichever way the train turns. A Kalman filter weighs the two: it knows how much faster the
train is than it reckons, and how far away the signs are that are in sight. The position is what was rolled
so, and never leaps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from brakepoint.messages import SignClass, TrainState

SCALE_SIGMA = 0.1
"""By how much a measured train may be faster or slower than it reckons: one standard deviation, as a
share."""
SCALE_BOUNDS = (0.6, 1.6)
"""Whatever is seen, the train is not taken to be slower or faster than this, as a factor."""
SCALE_WANDERS = 0.001
"""How much the factor itself changes in the way of one centimetre, by voltage and rails."""
BOX_SIGMA_PX = 1.0
"""How exactly a box's height is known; a distance is the less exact, the lower the box."""
DISTANCE_SIGMA = 0.03
"""And by what share every distance may be wrong for other reasons: a crooked plate, a detector's habit."""
SAME_SIGN = 3.0
"""A sighting belongs to a sign in sight if it is at most so many standard deviations from where that should
be…"""
SAME_PLACE_CM = 8.0
"""…or at most so far. It moves the filter by no more than the former."""
UNSEEN_CM = 10.0
"""A sign that was not seen for so long a way is out of sight."""


class Sighting(NamedTuple):
    """A sign in a picture.

    Attributes:
        sign_class: What it is.
        away_cm: Its distance from the camera in a straight line, told from its box.
        towards: How much of each centimetre the train rolls goes towards it: the cosine of its bearing.
        height_px: Height of the box.
    """

    sign_class: SignClass
    away_cm: float
    towards: float
    height_px: float

    @property
    def sigma_cm(self) -> float:
        """How exactly its distance is known: one standard deviation."""
        return float(self.away_cm * np.hypot(BOX_SIGMA_PX / self.height_px, DISTANCE_SIGMA))


@dataclass(frozen=True)
class InSight:
    """A sign that is approached.

    Attributes:
        sign_class: What it is.
        towards: As it was seen last.
        seen_cm: The position of the train then.
    """

    sign_class: SignClass
    towards: float
    seen_cm: float


@dataclass(frozen=True)
class Odometry:
    """What is known of the train's place.

    Attributes:
        mean: The factor between true and reckoned speed, and the distance of each sign in sight, in
            centimetres: shape `(1 + signs,)`.
        covariance: Of these, shape `(1 + signs, 1 + signs)`.
        signs: Those in sight.
        position_cm: Where the train is.
        reckoned_cm: The position that the hub reckoned last; None before it has.
    """

    mean: np.ndarray
    covariance: np.ndarray
    signs: tuple[InSight, ...] = ()
    position_cm: float = 0.0
    reckoned_cm: float | None = None

    @classmethod
    def at_the_start(cls) -> "Odometry":
        """A train of which nothing was heard yet."""
        return cls(np.array([1.0]), np.array([[SCALE_SIGMA**2]]))

    @property
    def scale(self) -> float:
        """How much faster the train is than it reckons, as a factor."""
        return float(self.mean[0])

    def correct(self, state: TrainState) -> TrainState:
        """The state that was observed last, with position and speed as they are by all that is known."""
        return state.model_copy(
            update={"position_cm": self.position_cm, "speed_cm_s": self.scale * state.speed_cm_s}
        )


def observe(
    known: Odometry, state: TrainState, seen: Sequence[Sighting], seen_ago_s: float = 0.0
) -> Odometry:
    """What is known after one more state of the train, and one more picture.

    Pure: everything that is known from one call to the next is in what it returns.

    Args:
        known: From before.
        state: As the hub reckons it.
        seen: The signs in a new picture; none if there is no new one.
        seen_ago_s: How much earlier than the state the picture was taken.
    """
    known = _moved(known, state.position_cm)
    if state.speed_cm_s == 0:  # From a stand nothing is learnt of speed, but the same error again and again.
        return known
    for sighting in seen:
        known = _sighted(known, sighting, state.speed_cm_s * seen_ago_s)
    return known


def _moved(known: Odometry, reckoned_cm: float) -> Odometry:
    """The train has rolled: how far, the factor says; the signs are nearer by that, or out of sight."""
    if known.reckoned_cm is None:  # Distances count from where it was first heard of.
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
    """A sign is seen: one that is in sight puts the factor right, another is in sight from now on.

    Args:
        known: From before.
        seen: The sign, as it was when the picture was taken.
        rolled_since_cm: How far the train has rolled since then, as it reckons.
    """
    before = rolled_since_cm * seen.towards  # So much nearer it is by now, times the factor.
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
    """The sign in sight that this one is, if any: of its class, and the nearest to where it should be."""
    best, best_cm = None, np.inf
    for index, sign in enumerate(known.signs):
        error_cm = abs(seen.away_cm - known.mean[index + 1] - before * known.scale)
        variance = known.covariance[index + 1, index + 1] + seen.sigma_cm**2
        allowed_cm = max(SAME_SIGN * float(np.sqrt(variance)), SAME_PLACE_CM)
        if sign.sign_class is seen.sign_class and error_cm <= allowed_cm and error_cm < best_cm:
            best, best_cm = index, error_cm
    return best
