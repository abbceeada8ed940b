"""What the checks of step 6 drive with: feeds without pictures, and perfect detections."""

from functools import cache
from typing import Any

from brakepoint.mission.loop import OracleDetector, PlainCamera, run_mission
from brakepoint.mission.records import Run
from brakepoint.truth import GroundTruth


@cache
def feed(name: str) -> GroundTruth:
    """The ground truth of a feed of the course."""
    from footage.scenario import SCENARIOS_DIR, load_scenario
    from footage.truth import synthetic_truth

    return synthetic_truth(load_scenario(SCENARIOS_DIR / f"{name}.yaml"))


def drive(lab: Any, name: str) -> Run:
    """Drives a feed with the attendee's autopilot and perfect detections."""
    from stubs.printing_hub import PrintingHub

    truth = feed(name)
    return run_mission(PlainCamera(), PrintingHub(None), OracleDetector(truth), lab.step, truth)
