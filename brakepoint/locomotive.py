"""The only model of the train: how power becomes speed, and how long the train takes to stop.

The motor approaches the speed for its power with a first-order lag; the brake decelerates at a constant rate.
Both have closed-form solutions, so a step of any length is exact and a run is the same at every rate. The
figures are those of a toy train with a battery hub. Measure those of your own train, and change them only
here.
"""

import math
from dataclasses import dataclass

from brakepoint.messages import OrderKind
from brakepoint.rules import FULL_SPEED_CM_S, LOW_SPEED_CM_S, ORDER_AGE_MAX_S, WATCHDOG_S

FULL_POWER = 100
DEAD_POWER = 20
"""Below this power in percent the motor only hums: friction holds the train."""
SPEED_PER_POWER = FULL_SPEED_CM_S / (FULL_POWER - DEAD_POWER)
"""Centimetres per second for each percent above `DEAD_POWER`; full power gives full speed."""
LAG_S = 0.35
"""Time for 63 % of a change of speed: the inertia of a locomotive with two wagons."""
BRAKING_CM_S2 = 60.0
"""Deceleration of the motor's electric brake."""


def speed_for_power(power: int) -> float:
    """The steady speed at a power, in cm/s."""
    return max(power - DEAD_POWER, 0) * SPEED_PER_POWER


def power_for_speed(speed_cm_s: float) -> int:
    """The power in percent for a steady speed, to the nearest whole percent."""
    return min(round(DEAD_POWER + speed_cm_s / SPEED_PER_POWER), FULL_POWER) if speed_cm_s > 0 else 0


ORDER_POWER = {
    OrderKind.FULL_SPEED: power_for_speed(FULL_SPEED_CM_S),
    OrderKind.LOW_SPEED: power_for_speed(LOW_SPEED_CM_S),
    OrderKind.BRAKE: 0,
}
"""The motor's power for each order, in percent."""


def braking_distance_cm(speed_cm_s: float) -> float:
    """How far the train rolls after it starts to brake."""
    return speed_cm_s**2 / (2 * BRAKING_CM_S2)


STOPPING_LIMIT_CM = FULL_SPEED_CM_S * (WATCHDOG_S + ORDER_AGE_MAX_S) + braking_distance_cm(FULL_SPEED_CM_S)
"""Whatever fails, the train stops within this distance of where it was when the fault occurred.

A last order may still arrive, then the watchdog waits, and then the train needs its braking distance.
"""


def slowing_distance_cm(speed_cm_s: float, target_cm_s: float, reached_cm_s: float) -> float:
    """The distance in which the motor slows the train down.

    Args:
        speed_cm_s: The train's current speed.
        target_cm_s: Steady speed at the new power.
        reached_cm_s: Speed at which the target counts as reached; above the target, which is only approached
            asymptotically.
    """
    if speed_cm_s <= reached_cm_s:
        return 0.0
    seconds = LAG_S * math.log((speed_cm_s - target_cm_s) / (reached_cm_s - target_cm_s))
    return target_cm_s * seconds + (speed_cm_s - reached_cm_s) * LAG_S


@dataclass(frozen=True)
class Motion:
    """The motion of a train.

    Attributes:
        position_cm: Distance covered along the track.
        speed_cm_s: Speed of the train.
    """

    position_cm: float = 0.0
    speed_cm_s: float = 0.0

    def pulled(self, power: int, seconds: float) -> "Motion":
        """The motion after some time at a power in percent."""
        return self.drawn_to(speed_for_power(power), seconds, LAG_S)

    def drawn_to(self, target: float, seconds: float, lag_s: float) -> "Motion":
        """The motion after some time while a motor with the given lag approaches a speed in cm/s."""
        change = (self.speed_cm_s - target) * math.exp(-seconds / lag_s)
        travel = target * seconds + (self.speed_cm_s - target - change) * lag_s
        # Rounding must not move a standing train at all, least of all backward.
        return Motion(self.position_cm + max(travel, 0.0), max(target + change, 0.0))

    def braked(self, seconds: float, braking_cm_s2: float = BRAKING_CM_S2) -> "Motion":
        """The motion after some time of braking."""
        if seconds >= self.speed_cm_s / braking_cm_s2:
            return Motion(self.position_cm + self.speed_cm_s**2 / (2 * braking_cm_s2), 0.0)
        speed = self.speed_cm_s - braking_cm_s2 * seconds
        return Motion(self.position_cm + (self.speed_cm_s + speed) / 2 * seconds, speed)
