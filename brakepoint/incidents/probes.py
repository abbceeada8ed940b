"""Checks whether an incident's train is healthy by its behaviour, not by the contents of its files.

Three probes cover everything. The first drives the line on the virtual clock, with perfect detections in
place of the model: it tests camera, clocks, calibration and autopilot. The second shows pictures of the line
to the model: it tests camera, model and threshold. The third runs a detector in its own process: it tests
memory.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from io import StringIO
from typing import Any

from brakepoint.adapters import SIMULATED_HUB, open_camera, open_hub
from brakepoint.detector import Detector
from brakepoint.feeds import find_feed
from brakepoint.incidents.memory import needed_mb
from brakepoint.incidents.site import Site
from brakepoint.incidents.wiring import Optics
from brakepoint.messages import (
    Detection,
    Detections,
    Frame,
    GivenOrder,
    Light,
    Order,
    OrderKind,
    Reason,
    SignClass,
    TrainState,
)
from brakepoint.mission.loop import OracleDetector, PlainCamera, Step, decide, run_mission
from brakepoint.mission.scoring import score_run
from brakepoint.services.gate import Gate
from brakepoint.truth import GroundTruth, load_truth

SCORE_MIN = 95.0
"""A healthy train scores at least this, out of 100."""
PICTURES = 3
"""Number of pictures of each class that are shown to the model."""
TALL_PX = 24.0
"""Least height of the signs in the sample: a healthy model misses none of these."""
FOUND_MIN, FALSE_MAX = 0.8, 0.4
"""The smallest share of signs found, and the largest number of false alarms per sign."""


@dataclass(frozen=True)
class Finding:
    """The result of a probe. Texts: `incident.finding.{name}.well` and `.ill`.

    Attributes:
        name: Name of the probe.
        well: Whether the train passed.
        values: The measured values.
    """

    name: str
    well: bool
    values: dict[str, float]


def drives(site: Site) -> Finding:
    """Drives the line once, on the virtual clock.

    Raises:
        UserError: The autopilot is missing, does not load, or raised an exception.
    """
    truth = load_truth(find_feed(site.setup.feed).with_suffix(".json"))
    step = _through_the_broker_of(site, site.step)
    hub = open_hub(SIMULATED_HUB, out=StringIO())
    run = run_mission(_Sight(site, truth.seed), hub, _Oracle(truth, site.zoom), step, truth)
    score = score_run(run, truth)
    well = score.accomplished and score.score >= SCORE_MIN
    return Finding("drives", well, {"score": score.score})


class _Sight:
    """The camera of a site, with blank pictures, which are fast to make and enough for the oracle."""

    def __init__(self, site: Site, seed: int) -> None:
        self._camera, self._optics = PlainCamera(seed), Optics(site.setup.camera, site.zoom)

    def read(self, train_state: TrainState) -> Frame:
        return self._optics.pass_on(self._camera.read(train_state))

    def close(self) -> None:
        """Does nothing: there is nothing to release."""


class _Oracle(OracleDetector):
    """Finds every sign, at its place in the magnified picture."""

    def __init__(self, truth: GroundTruth, zoom: float) -> None:
        super().__init__(truth)
        self._zoom, self._size = zoom, (truth.camera.width_px, truth.camera.height_px)

    def detect(self, frame: Frame) -> Detections:
        detections = super().detect(frame)
        magnified = (self._magnified(item) for item in detections.items)
        items = tuple(item for item in magnified if item is not None)
        return detections.model_copy(update={"items": items})

    def _magnified(self, item: Detection) -> Detection | None:
        """A detection in the magnified picture; None if it is outside that picture."""
        width, height = self._size
        left, right = (_kept(width / 2, at, self._zoom) for at in item.box[::2])
        top, bottom = (_kept(height / 2, at, self._zoom) for at in item.box[1::2])
        if left >= right or top >= bottom:
            return None
        return item.model_copy(update={"box": (left, top, right, bottom)})


def _kept(middle: float, at: float, zoom: float) -> float:
    """A coordinate after magnification, clamped to the picture."""
    return min(max(middle + (at - middle) * zoom, 0.0), 2 * middle)


def _through_the_broker_of(site: Site, step: Step) -> Step:
    """The autopilot as it reaches the train through the site's broker: each message has its sender's time.

    Messages that their sender may not publish, or that the controller would reject, do not arrive; without
    orders the train brakes by itself.
    """
    clocks, rights, gate = site.setup.clocks, site.setup.rights, Gate()
    sees = "frame" in rights.capture and "detections" in rights.detector
    knows_itself = {"state", "mission"} <= set(rights.controller)
    is_heard = "order" in rights.autopilot
    gate.begin_run(0)

    def heard(
        memory: Any, detections: Detections | None, state: TrainState | None, now: float
    ) -> tuple[Any, Order]:
        detections = detections if sees else None
        state = state if knows_itself else None
        if detections is not None:
            captured_at = detections.captured_at + clocks.capture
            detections = detections.model_copy(update={"captured_at": captured_at})
        own = now + clocks.autopilot
        memory, order = decide(step, memory, detections, state, own)
        given = GivenOrder(
            **order.model_dump(exclude={"at"}), at=own, giver="autopilot", number=round(now * 1000), run=0
        )
        if is_heard and gate.refusal(given, now + clocks.controller) is None:
            return memory, gate.passed(given, now, state.position_cm if state else 0.0)
        return memory, Order(kind=OrderKind.BRAKE, reason=Reason.NO_ORDERS, at=now)

    return heard


def sees(site: Site) -> Finding:
    """Shows the model pictures of the line with nearby signs.

    Raises:
        UserError: The model is missing or invalid.
    """
    truth = load_truth(find_feed(site.setup.feed).with_suffix(".json"))
    detector = Detector(site.model, site.setup.detector.confidence)
    found = wrong = there = 0
    for number, frame in _pictures(site.setup.feed):
        optics = Optics(site.setup.camera, site.zoom)
        items = detector.detect(optics.pass_on(frame)).items
        wanted, known = _tall(truth, number), truth.perfect_detections(number)
        found += sum(any(_is_same(sign, item) for item in items) for sign in wanted)
        wrong += sum(not any(_is_same(sign, item) for sign in known) for item in items)
        there += len(wanted)
    well = found >= FOUND_MIN * there and wrong <= FALSE_MAX * there
    return Finding("sees", well, {"found": found, "there": there, "wrong": wrong})


def lives(site: Site) -> Finding:
    """Checks whether the detector may use as much memory as it needs.

    Raises:
        UserError: The model is missing.
    """
    return Finding("lives", needed_mb(site.model) <= site.setup.detector.memory_mb, {})


PROBES: dict[str, Callable[[Site], Finding]] = {"drives": drives, "sees": sees, "lives": lives}


@cache
def _pictures(feed: str) -> list[tuple[int, Frame]]:
    """Pictures of a feed as the camera takes them at rest, and their frame numbers."""
    video = find_feed(feed)
    truth = load_truth(video.with_suffix(".json"))
    taken = []
    with closing(open_camera(f"video:{video}", truth.seed)) as camera:
        for number in _telling_frames(truth):
            at_cm = truth.frames[number].position_cm
            state = TrainState(
                at=0.0, position_cm=at_cm, speed_cm_s=0.0, power=0.0, braking=True, light=Light.OFF
            )
            frame = camera.read(state)
            assert frame is not None, "a recorded camera always has a picture"
            taken.append((number, frame))
    return taken


def _telling_frames(truth: GroundTruth) -> list[int]:
    """Frames with tall signs of each class, spread evenly along the line, in order."""
    chosen: set[int] = set()
    for sign_class in SignClass:
        having = [
            number
            for number in range(len(truth.frames))
            if any(sign.sign_class is sign_class for sign in _tall(truth, number))
        ]
        chosen.update(having[:: max(1, len(having) // PICTURES)])
    return sorted(chosen)


def _tall(truth: GroundTruth, number: int) -> list[Detection]:
    return [sign for sign in truth.perfect_detections(number) if sign.height_px >= TALL_PX]


def _is_same(sign: Detection, item: Detection) -> bool:
    """Whether a detection matches a sign: same class, and its centre is inside the sign's box."""
    left, top, right, bottom = sign.box
    inside = left <= item.centre_x_px <= right and top <= item.centre_y_px <= bottom
    return inside and item.sign_class is sign.sign_class
