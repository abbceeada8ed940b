"""The detector as a service: frames in, detections out, always the newest frame."""

import threading
from itertools import cycle
from typing import NamedTuple

from brakepoint.detector import SHIPPED_MODEL, Detector
from brakepoint.detector.runtime import threads_setting
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
"""A picture with a smaller spread of grey levels shows nothing: a covered lens, or no light."""


class Detecting:
    """Examines the newest frame. A blank picture is rejected, as is one that cannot be decoded.

    Args:
        bus: The broker.
        model: Finds the signs; None for the oracle.
        feed: The first feed, which the oracle must know.
        in_use: Lock for the model, which several trains may share.

    Raises:
        UserError: The feed is missing or invalid.
    """

    def __init__(self, bus: Bus, model: FrameDetector | None, feed: str, in_use: threading.Lock) -> None:
        self._bus, self._is_oracle, self._feed, self._in_use = bus, model is None, feed, in_use
        self._own = feed
        self._detector: FrameDetector = model if model is not None else _oracle(feed, feed)

    def control(self, control: Control) -> None:
        """Does nothing: a detector's only fault is to hang, which the loop handles."""

    def turn(self) -> None:
        """Examines one frame, if there is one."""
        self._follow_mission()
        if not self._bus.has(FRAME, TURN_S):
            return
        with self._in_use:  # The frame is taken only now, so that it is the newest.
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
        """Does nothing: there is nothing to release."""

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

    On a train, speed matters more than identical results on every machine, so half precision is used.
    """
    import cv2

    cv2.setNumThreads(1)
    trains = settings.of_each_train

    def serve_train(train: ServiceSettings, bus: Bus, shared: SharedModel) -> None:
        with bus:
            serve(Detecting(bus, shared.model, train.shown, shared.in_use), bus, stopping)

    buses = [Bus(train, "detector", (CONTROL, FRAME, MISSION)) for train in trains]
    try:
        with still_starting(buses):
            models = load_models(settings.detector, len(trains))
    except BaseException:
        for bus in buses:
            bus.close()
        raise
    first, *others = zip(trains, buses, cycle(models), strict=False)
    for other in others:
        threading.Thread(target=serve_train, args=other).start()
    serve_train(*first)


class SharedModel(NamedTuple):
    """A model, None for the oracle, and the lock for it, since several trains may share it."""

    model: Detector | None
    in_use: threading.Lock


def load_models(detector: str, trains: int) -> list[SharedModel]:
    """Loads the model, which takes minutes when an engine is built.

    For one train it uses all threads, to be fast. For several it is loaded as often as there are threads, and
    examines as many frames at once: two threads that share one frame mostly wait for each other.

    Args:
        detector: See `ServiceSettings`.
        trains: Number of trains to serve.
    """
    if detector == ORACLE:
        return [SharedModel(None, threading.Lock())]
    threads = threads_setting()
    copies = min(trains, threads)
    return [
        SharedModel(
            Detector(detector or SHIPPED_MODEL, threads=threads // copies, half=True), threading.Lock()
        )
        for _ in range(copies)
    ]
