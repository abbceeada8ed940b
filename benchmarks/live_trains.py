"""How many trains a broker and the replicas of a detector can serve, with cameras at 15 frames per second."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks.pictures import take_pictures
from benchmarks.processes import memory_mb
from brakepoint.errors import UserError
from brakepoint.messages import Health, Picture, encode_frame, split_frame
from brakepoint.rules import CONTROL_RATE_HZ
from brakepoint.services import ServiceSettings
from brakepoint.services.bus import Bus
from brakepoint.services.clock import CLOCK
from brakepoint.services.service_loop import Pace
from brakepoint.services.supervisor import Supervisor
from brakepoint.services.topics import DETECTIONS, JPEG_QUALITY, PICTURE, REPLICA

WARM_UP_S = 2.0
REPLICA_WITHIN_S = 30.0


@dataclass(frozen=True)
class Served:
    """The results with this many trains.

    Attributes:
        trains: Number of trains.
        replicas: Number of replicas of the detector, which share the trains.
        frames_per_s: Frames per second that the detector answered, for all trains together.
        frames_per_train_s: Frames per second answered for the train that got the fewest answers.
        latency_median_ms: Median time from the capture of a frame to its detections back at the train.
        latency_p95_ms: 95th percentile of these times.
        detector_mb: Memory of the detector, all replicas together.
        broker_mb: Memory of the embedded broker; None for another broker.
    """

    trains: int
    replicas: int
    frames_per_s: float
    frames_per_train_s: float
    latency_median_ms: float
    latency_p95_ms: float
    detector_mb: float
    broker_mb: float | None


def measure_trains(
    feed: str, model: str, trains: int, seconds: float, replicas: int = 1, broker: str = ""
) -> Served:
    """Sends frames from this many trains for a while.

    Args:
        feed: The feed that their cameras show.
        model: The detector's model.
        trains: Number of trains.
        seconds: Duration in seconds.
        replicas: Number of replicas of the detector.
        broker: URL of the broker; by default the embedded one.
    """
    names = ",".join(f"train-{number}" for number in range(1, trains + 1))
    settings = ServiceSettings(broker=broker, feed=feed, detector=model, train_id=names)
    # Encoded in advance, so that the simulated cameras are not part of the measurement.
    pictures = [split_frame(encode_frame(frame, JPEG_QUALITY)) for frame in take_pictures(feed)]
    with ExitStack() as opened:
        detectors = [opened.enter_context(Supervisor(settings, ("detector",), lambda *_: None))]
        settings = detectors[0].settings
        buses = [opened.enter_context(Bus(each, "", (DETECTIONS,))) for each in settings.of_each_train]
        while len(detectors) < replicas:
            detectors.append(opened.enter_context(Supervisor(settings, ("detector",), lambda *_: None)))
        _await_replicas(settings, replicas)
        _play(buses, pictures, WARM_UP_S)
        latencies_ms = _play(buses, pictures, seconds)
        detector_mb = sum(memory_mb(each.pid("detector")) for each in detectors)
        broker_mb = None if broker else memory_mb(detectors[0].pid("broker"))
    together = sorted(value for each in latencies_ms for value in each)
    if len(together) < 2:
        raise UserError("bench.compare.failed")
    return Served(
        trains=trains,
        replicas=replicas,
        frames_per_s=len(together) / seconds,
        frames_per_train_s=min(map(len, latencies_ms)) / seconds,
        latency_median_ms=median(together),
        latency_p95_ms=quantiles(together, n=20)[-1],
        detector_mb=detector_mb,
        broker_mb=broker_mb,
    )


def _await_replicas(settings: ServiceSettings, replicas: int) -> None:
    """Waits until this many replicas have reported that they are ready."""
    with Bus(settings.of_each_train[0], "", (REPLICA,)) as bus:
        ready: set[str] = set()
        while len(ready) < replicas:
            status = bus.take(REPLICA, REPLICA_WITHIN_S)
            if status is None:
                raise UserError("bench.compare.failed")
            if status.health is Health.READY:
                ready.add(status.service)


def _play(buses: list[Bus], pictures: list[Picture], seconds: float) -> list[list[float]]:
    """Sends frames of every train at the control rate, spread evenly, and returns each answer's delay."""
    pace = Pace(CONTROL_RATE_HZ * len(buses))
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(len(buses)) as listeners:
        heard = [listeners.submit(_hear, bus, until) for bus in buses]
        number = 0
        while time.monotonic() < until:
            pace.wait()
            picture = pictures[number % len(pictures)]
            picture = picture._replace(frame_id=number, captured_at=CLOCK.now())
            buses[number % len(buses)].say(PICTURE, picture)
            number += 1
        return [each.result() for each in heard]


def _hear(bus: Bus, until: float) -> list[float]:
    """Delay of each answer in milliseconds."""
    late_ms = []
    while (left_s := until - time.monotonic()) > 0:
        if (detections := bus.take(DETECTIONS, left_s)) is not None:
            late_ms.append(1000 * (CLOCK.now() - detections.captured_at))
    return late_ms
