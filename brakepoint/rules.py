"""The rules of the line, by which runs are scored: one module for attendees, checks and ground truth.

Scale and speeds are those of a toy train that a person can watch: at full speed four metres take eight
seconds.
"""

from brakepoint.messages import SignClass

CONTROL_RATE_HZ = 15
"""Steps of the control loop per second, and pictures of the camera per second."""

FULL_SPEED_CM_S = 50.0
"""Speed of the train without an order to the contrary."""
LOW_SPEED_CM_S = 20.0
"""Speed ordered by `low_speed`, and allowed in low-speed stretches."""
SPEED_TOLERANCE = 1.10
"""A speed limit counts as kept up to this multiple of the limit: a motor's control is not exact."""

LOW_SPEED_STRETCH_CM = 80.0
"""How far after a SpeedLimit or DangerAhead the train stays at low speed."""
STOP_ZONE_CM = 30.0
"""The train stops for a DangerAhead at most this far before the sign, and not after it."""
DANGER_WAIT_S = 2.0
"""How long the train waits, at rest and with the headlight blinking, before it passes a DangerAhead."""
BESIDE_TRACK_CM = 15.0
"""A sign further than this from the track's centre line belongs to another track and does not apply here."""
STOP_SIGNS = (SignClass.DANGER_AHEAD,)
"""The signs before which the train stops; at all other signs that count it must be at low speed."""
PLATE_HEIGHT_CM = {SignClass.DANGER_AHEAD: 1.95, SignClass.SPEED_LIMIT: 1.90}
"""Height of the plates of the signs that count, which converts a box's height into a distance."""
PLATE_CENTRE_CM = 4.6
"""Height of every plate's centre above the table."""

LATERAL_ACCELERATION_MAX_CM_S2 = 40.0
"""With a larger lateral acceleration, v²/r, the train derails in a curve.

Chosen so that the tight curve of the common toy track, with a radius of 32 cm, allows 36 cm/s, and one
of 83 cm allows full speed.
"""


def curve_speed_max_cm_s(radius_cm: float) -> float:
    """The speed above which a train derails in a curve of this radius."""
    return float((LATERAL_ACCELERATION_MAX_CM_S2 * radius_cm) ** 0.5)


APPROACH_CM = 90.0
"""Before a sign that counts, driving below full speed is caution; elsewhere it is dawdling."""
SPEEDING_UP_CM = 30.0
"""Distance that the train may take to accelerate, from the start and from the end of a low-speed stretch."""
PASSING_CM = 10.0
"""A stop up to this far after a DangerAhead is a late stop for that sign, and not a false stop."""
DAWDLING_BELOW = 0.8
"""Driving below this fraction of full speed is dawdling where no sign requires it."""
PATIENCE_S = 3.0
"""Waiting before a DangerAhead is dawdling once it lasts this much longer than required."""
AT_REST_CM_S = 0.5
"""A lower speed counts as standing still."""
SLACK_S = 0.1
"""A wait that is this much too short, or speeding for this long, is allowed: time is counted in ticks."""
STALLED_AFTER_S = 20.0
"""A run ends when the train has not moved for this long."""

PENALTY_PER_PERCENT_NOT_COVERED = 1.0
PENALTY_DERAILED = 50.0
PENALTY_SIGN_DISOBEYED = 30.0
PENALTY_SIGN_SLOPPY = 5.0
"""For each sign obeyed apart from a minor fault: no blinking light, or too short a wait."""
PENALTY_FALSE_STOP = 10.0
PENALTY_OVERSPEED_PER_S = 5.0
PENALTY_DAWDLING_PER_S = 1.0
"""For driving below full speed where no sign requires it."""

ORDER_AGE_MAX_S = 0.2
"""An order that took longer to arrive is not passed on, because it is based on an outdated situation."""
WATCHDOG_S = 0.4
"""A train that has received no order for this long brakes by itself.

An autopilot issues an order at every step, so orders are their own heartbeat. Services that watch frames or
states must notice their absence just as soon.
"""
