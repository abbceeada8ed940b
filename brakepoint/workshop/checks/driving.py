"""Driving for the checks of step 6: feeds without pictures, and perfect detections."""

from functools import cache
from typing import Any

from brakepoint.adapters import SIMULATED_HUB, open_hub
from brakepoint.mission.loop import OracleDetector, PlainCamera, run_mission
from brakepoint.mission.records import Run
from brakepoint.scenery.geometry import synthetic_truth
from brakepoint.scenery.scenario import SCENARIOS_DIR, load_scenario
from brakepoint.truth import GroundTruth


@cache
def feed(name: str) -> GroundTruth:
    """The ground truth of a feed of the course."""
    return synthetic_truth(load_scenario(SCENARIOS_DIR / f"{name}.yaml"))


def drive(lab: Any, name: str) -> Run:
    """Drives a feed with the attendee's autopilot and perfect detections."""
    truth = feed(name)
    return run_mission(
        PlainCamera(), open_hub(SIMULATED_HUB, out=None), OracleDetector(truth), lab.step, truth
    )
