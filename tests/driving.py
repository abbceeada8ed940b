"""Helpers for tests of the closed loop: feeds without videos, and detectors and autopilots with faults."""

from collections.abc import Iterator
from functools import cache

import numpy as np

from brakepoint.messages import Detection, Detections, Frame, Order, OrderKind, Reason, SignClass
from brakepoint.mission.loop import OracleDetector, PlainCamera, Step, run_mission
from brakepoint.mission.records import Run, Score
from brakepoint.mission.scoring import score_run
from brakepoint.scenery.geometry import synthetic_truth
from brakepoint.scenery.scenario import SCENARIOS_DIR, load_scenario
from brakepoint.truth import GroundTruth
from solutions.step6_autopilot import CONFIDENCE_MIN, step
from stubs.printing_hub import PrintingHub


@cache
def feed(name: str) -> GroundTruth:
    return synthetic_truth(load_scenario(SCENARIOS_DIR / f"{name}.yaml"))


def drive(truth: GroundTruth, autopilot: Step = step, detector=None, camera=None) -> Run:
    return run_mission(
        camera or PlainCamera(), PrintingHub(None), detector or OracleDetector(truth), autopilot, truth
    )


def score(truth: GroundTruth, autopilot: Step = step, detector=None) -> Score:
    return score_run(drive(truth, autopilot, detector), truth)


def never_brakes(memory, detections, train_state, now):
    return memory, Order(kind=OrderKind.FULL_SPEED, reason=Reason.CLEAR, at=now)


def always_brakes(memory, detections, train_state, now):
    return memory, Order(kind=OrderKind.BRAKE, reason=Reason.CLEAR, at=now)


def blind_to(sign_class: SignClass) -> Step:
    """The kit's autopilot, except that it ignores one class."""

    def autopilot(memory, detections, train_state, now):
        if detections is not None:
            items = tuple(item for item in detections.items if item.sign_class is not sign_class)
            detections = detections.model_copy(update={"items": items})
        return step(memory, detections, train_state, now)

    return autopilot


class NoisyDetector:
    """Jitters boxes, misses signs, sees nothing far away, and raises false alarms in single frames."""

    def __init__(
        self, truth: GroundTruth, seed: int, jitter=0.1, missed=0.2, false_alarms=0.05, lowest_px=15.0
    ):
        self._oracle = OracleDetector(truth)
        self._random = np.random.default_rng(seed)
        self._jitter, self._missed, self._false_alarms = jitter, missed, false_alarms
        self._lowest_px = lowest_px

    def detect(self, frame: Frame) -> Detections:
        seen = self._oracle.detect(frame)
        return seen.model_copy(update={"items": (*self._seen(seen.items), *self._invented())})

    def _seen(self, items: tuple[Detection, ...]) -> Iterator[Detection]:
        for item in items:
            if item.height_px < self._lowest_px or self._random.random() < self._missed:
                continue
            size = np.array([item.width_px, item.height_px] * 2)
            box = np.array(item.box) + size * self._random.uniform(-self._jitter, self._jitter, 4) / 2
            confidence = self._random.uniform(CONFIDENCE_MIN, 1.0)
            yield Detection(sign_class=item.sign_class, confidence=confidence, box=tuple(box.tolist()))

    def _invented(self) -> Iterator[Detection]:
        if self._random.random() < self._false_alarms:
            left, top, size = self._random.uniform((0, 150, 15), (500, 300, 90))
            sign_class = list(SignClass)[self._random.integers(2)]
            yield Detection(sign_class=sign_class, confidence=0.9, box=(left, top, left + size, top + size))
