"""The rules of the line: scores, ground truth and the course depend on these figures."""

import pytest

from brakepoint import rules
from brakepoint.messages import SignClass

FIGURES = {
    "CONTROL_RATE_HZ": 15,
    "FULL_SPEED_CM_S": 50,
    "LOW_SPEED_CM_S": 20,
    "SPEED_TOLERANCE": 1.1,
    "LOW_SPEED_STRETCH_CM": 80,
    "STOP_ZONE_CM": 30,
    "DANGER_WAIT_S": 2,
    "BESIDE_TRACK_CM": 15,
    "STOP_SIGNS": (SignClass.DANGER_AHEAD,),
    "PLATE_HEIGHT_CM": {SignClass.DANGER_AHEAD: 1.95, SignClass.SPEED_LIMIT: 1.9},
    "PLATE_CENTRE_CM": 4.6,
    "LATERAL_ACCELERATION_MAX_CM_S2": 40,
    "APPROACH_CM": 90,
    "SPEEDING_UP_CM": 30,
    "PASSING_CM": 10,
    "DAWDLING_BELOW": 0.8,
    "PATIENCE_S": 3,
    "AT_REST_CM_S": 0.5,
    "SLACK_S": 0.1,
    "STALLED_AFTER_S": 20,
    "PENALTY_PER_PERCENT_NOT_COVERED": 1,
    "PENALTY_DERAILED": 50,
    "PENALTY_SIGN_DISOBEYED": 30,
    "PENALTY_SIGN_SLOPPY": 5,
    "PENALTY_FALSE_STOP": 10,
    "PENALTY_OVERSPEED_PER_S": 5,
    "PENALTY_DAWDLING_PER_S": 1,
    "ORDER_AGE_MAX_S": 0.2,
    "WATCHDOG_S": 0.4,
}


def test_no_rule_changes_unnoticed() -> None:
    assert {name: value for name, value in vars(rules).items() if name.isupper()} == FIGURES


@pytest.mark.parametrize(("radius_cm", "speed_max_cm_s"), [(32, 35.8), (83, 57.6), (0, 0)])
def test_the_tight_curve_of_the_toy_track_is_taken_at_36_and_the_wide_one_at_full_speed(
    radius_cm, speed_max_cm_s
) -> None:
    assert rules.curve_speed_max_cm_s(radius_cm) == pytest.approx(speed_max_cm_s, abs=0.05)
