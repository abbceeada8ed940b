"""The detector as a service: frames in, detections out, always the newest frame."""

import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
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
from brakepoint.services.replicas import Replicas, join
from brakepoint.services.service_loop import ProbeFile, serve
from brakepoint.services.topics import CONTROL, DETECTIONS, FRAME, MISSION
from brakepoint.truth import load_truth

TURN_S = 0.2
BLIND_BELOW = 6.0
"""A picture with a smaller spread of grey levels shows nothing: the lens is covered, or there is no light."""


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


class SharedModel(NamedTuple):
    """A model, or None for the oracle, and the model's lock, since several trains may share the model."""

    model: Detector | None
    in_use: threading.Lock


class Served(NamedTuple):
    """A train that is being served: its seat's number, the event that ends the serving, and its future."""

    seat: int
    leaving: threading.Event
    serving: Future[None]


class Shift:
    """Serves this replica's share of the trains, each on a thread.

    Each train gets the first free seat, so that the copies of the model serve equally many
    trains.

    Args:
        settings: The settings, with all trains.
        replicas: Determines the share.
        models: The copies of the model, which may still be loading.
    """

    def __init__(
        self, settings: ServiceSettings, replicas: Replicas, models: Future[list[SharedModel]]
    ) -> None:
        self._trains = {train.train_id: train for train in settings.of_each_train}
        self._replicas, self._models = replicas, models
        self._served: dict[str, Served] = {}
        self._heartbeat = ProbeFile()

    def run(self, stopping: threading.Event, threads: Executor) -> None:
        """Takes trains over and hands them over, until `stopping` is set or a thread raises an error."""
        try:
            while not stopping.is_set():
                self._turn(threads)
        finally:
            for served in self._served.values():
                served.leaving.set()

    def _turn(self, threads: Executor) -> None:
        if self._models.done() and not self._replicas.is_ready:
            self._models.result()
            self._replicas.ready()
        share = self._replicas.share(TURN_S)
        if share != self._served.keys() and (self._replicas.others or self._served):
            names = ", ".join(name for name in self._trains if name in share)
            tell("shares", replicas=1 + self._replicas.others, trains=names or "–")
        for train in self._served.keys() - share:
            self._served.pop(train).leaving.set()
        for train in share - self._served.keys():
            seat = min(set(range(len(self._trains))) - {served.seat for served in self._served.values()})
            leaving = threading.Event()
            serving = threads.submit(self._serve, self._trains[train], seat, leaving)
            self._served[train] = Served(seat, leaving, serving)
        for served in self._served.values():
            if served.serving.done():
                served.serving.result()
        if self._replicas.is_ready and not self._served:
            self._heartbeat.beat()  # This replica is well, and has nothing to do.

    def _serve(self, train: ServiceSettings, seat: int, leaving: threading.Event) -> None:
        with Bus(train, "detector", (CONTROL, FRAME, MISSION)) as bus:
            while not self._models.done() and not leaving.is_set():
                bus.beat()
                wait([self._models], TURN_S)
            if self._models.done():
                models = self._models.result()
                model, in_use = models[seat % len(models)]
                serve(Detecting(bus, model, train.shown, in_use), bus, leaving)
            if self._replicas.others:
                bus.hand_over()


def run(settings: ServiceSettings, stopping: threading.Event) -> None:
    """Joins the other replicas, loads the model, and serves this replica's share of the trains.

    On a train, speed matters more than identical results on every machine, so half precision is used.
    """
    import cv2

    cv2.setNumThreads(1)
    trains = len(settings.of_each_train)
    most = 1 + 2 * trains  # A train may come back while its previous thread is still ending.
    with ThreadPoolExecutor(most) as threads, join(settings, "detector") as replicas:
        models = threads.submit(load_models, settings.detector, trains)
        Shift(settings, replicas, models).run(stopping, threads)


def load_models(detector: str, trains: int) -> list[SharedModel]:
    """Loads the model, which takes minutes when an engine is built.

    For one train, the model uses all threads, to be fast. For several, it is loaded once for each thread, and
    each copy examines a frame of its own: two threads that share one frame mostly wait for each other.

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
