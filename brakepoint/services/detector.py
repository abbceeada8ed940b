"""The detector as a service: frames in, detections out, always the newest frame."""

import threading

from brakepoint.detector import SHIPPED_MODEL, Detector
from brakepoint.errors import UserError
from brakepoint.feeds import find_named_feed
from brakepoint.messages import Control, Frame
from brakepoint.mission.drive import ORACLE
from brakepoint.mission.loop import FrameDetector, OracleDetector
from brakepoint.services import ServiceSettings, tell
from brakepoint.services.bus import Bus
from brakepoint.services.service_loop import serve, still_starting
from brakepoint.services.topics import CONTROL, DETECTIONS, FRAME, MISSION
from brakepoint.truth import load_truth

TURN_S = 0.2
BLIND_BELOW = 6.0
"""A picture whose grey levels spread less than this shows nothing: a covered lens, no light."""


class Detecting:
    """Looks at the newest frame. A picture that shows nothing is refused, as one that does not decode is.

    Args:
        bus: The broker.
        model: Finds the signs; None for the oracle.
        feed: The feed to begin with, which the oracle must know.
        in_use: Is held by whoever uses the model, which several trains may share.

    Raises:
        UserError: The feed is missing or unfit.
    """

    def __init__(self, bus: Bus, model: FrameDetector | None, feed: str, in_use: threading.Lock) -> None:
        self._bus, self._is_oracle, self._feed, self._in_use = bus, model is None, feed, in_use
        self._own = feed
        self._detector: FrameDetector = model if model is not None else _oracle(feed, feed)

    def control(self, control: Control) -> None:
        """Nothing is asked of a detector but to hang, which the loop does for it."""

    def turn(self) -> None:
        """Looks at one frame, if there is one."""
        self._follow_mission()
        if not self._bus.has(FRAME, TURN_S):
            return
        with self._in_use:  # Only then the frame is taken, the newest of that moment.
            frame = self._bus.take(FRAME)
            if frame is None:
                return
            if _is_blind(frame):
                self._bus.refuse(FRAME)
                return
            detections = self._detector.detect(frame)
        self._bus.work()
        self._bus.say(DETECTIONS, detections)

    def close(self) -> None:
        """There is nothing to let go of."""

    def _follow_mission(self) -> None:
        mission = self._bus.take(MISSION)
        if mission is None or not self._is_oracle or mission.feed == self._feed:
            return
        try:
            self._detector, self._feed = _oracle(mission.feed, self._own), mission.feed
        except UserError as error:
            tell("trouble", why=error)


def _oracle(feed: str, own: str) -> OracleDetector:
    return OracleDetector(load_truth(find_named_feed(feed, own).with_suffix(".json")))


def _is_blind(frame: Frame) -> bool:
    return float(frame.image[::8, ::8].std()) < BLIND_BELOW


def run(settings: ServiceSettings, stopping: threading.Event) -> None:
    """Loads the model and joins the broker, for each train that it serves.

    In front of a train speed counts, and nothing need be the same on every machine: half precision will do.
    """
    import cv2

    cv2.setNumThreads(1)
    in_use = threading.Lock()

    def serve_train(train: ServiceSettings, bus: Bus) -> None:
        with bus:
            serve(Detecting(bus, model, train.shown, in_use), bus, stopping)

    buses = [(train, Bus(train, "detector", (CONTROL, FRAME, MISSION))) for train in settings.of_each_train]
    try:
        with still_starting([bus for _, bus in buses]):
            model = _model(settings)
    except BaseException:
        for _, bus in buses:
            bus.close()
        raise
    first, *others = buses
    for other in others:
        threading.Thread(target=serve_train, args=other).start()
    serve_train(*first)


def _model(settings: ServiceSettings) -> Detector | None:
    """Loads the model, which takes minutes where an engine is built; None for the oracle."""
    if settings.detector == ORACLE:
        return None
    return Detector(settings.detector or SHIPPED_MODEL, half=True)
