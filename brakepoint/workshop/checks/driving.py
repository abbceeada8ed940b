"""What the checks of step 6 drive with: feeds without pictures, perfect detections, and faults."""

from functools import cache
from itertools import count
from typing import Any

import numpy as np

from brakepoint.messages import Frame, TrainState
from brakepoint.mission.loop import OracleDetector, PlainCamera, run_mission
from brakepoint.mission.records import Run
from brakepoint.ports import Camera
from brakepoint.truth import GroundTruth


@cache
def feed(name: str) -> GroundTruth:
    """The ground truth of a feed of the course."""
    from footage.scenario import SCENARIOS_DIR, load_scenario
    from footage.truth import synthetic_truth

    return synthetic_truth(load_scenario(SCENARIOS_DIR / f"{name}.yaml"))


class FaultyCamera:
    """Fails from some moment on: it shows the same picture again and again, or none.

    Args:
        good: How many pictures it shows before.
        freezes: Whether it freezes; else it goes blind.
    """

    def __init__(self, good: int, freezes: bool) -> None:
        self._camera = PlainCamera()
        self._good, self._freezes, self._reads = good, freezes, count()

    def read(self, train_state: TrainState) -> Frame | None:
        """Captures a picture, or fails."""
        frame = self._camera.read(train_state)
        if next(self._reads) < self._good:
            return frame
        if not self._freezes:
            return None
        return Frame(frame.frame_id, frame.captured_at, frame.position_cm, np.zeros((4, 4, 3), np.uint8))

    def close(self) -> None:
        """There is nothing to release."""


def drive(lab: Any, name: str, camera: Camera | None = None) -> Run:
    """Drives a feed with the attendee's autopilot and perfect detections."""
    from stubs.printing_hub import PrintingHub

    truth = feed(name)
    return run_mission(camera or PlainCamera(), PrintingHub(None), OracleDetector(truth), lab.step, truth)
