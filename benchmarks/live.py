"""Measures the live services together: frames per second, and the latency from capture to order."""

from dataclasses import dataclass

from brakepoint.messages import Status
from brakepoint.services import ServiceSettings
from brakepoint.services.bus import Bus
from brakepoint.services.live_mission import DRIVING, start
from brakepoint.services.supervisor import Supervisor
from brakepoint.services.topics import CONTROL, MISSION, STATUS

LISTEN_S = 3.0


@dataclass(frozen=True)
class LiveMeasurement:
    """The results of all services together, each in its own process, with the embedded broker.

    Attributes:
        frames_per_s: Frames per second processed by the detector.
        latency_median_ms: Median time from the capture of a frame to the order at the train.
        latency_p95_ms: 95th percentile of these times.
    """

    frames_per_s: float
    latency_median_ms: float
    latency_p95_ms: float


def measure_live(feed: str, model: str, beats: int = 10) -> LiveMeasurement:
    """Drives a feed live for this many heartbeats, about a second each.

    Args:
        feed: Name of the feed, or path to an mp4.
        model: The detector's model, or `oracle`.
        beats: Number of heartbeats of the detector to wait for.
    """
    settings = ServiceSettings(feed=feed, detector=model)
    with (
        Supervisor(settings, DRIVING, lambda *_: None) as services,
        Bus(services.settings, "", (CONTROL, MISSION, STATUS)) as bus,
    ):
        start(bus, feed)
        heard: dict[str, list[Status]] = {"detector": [], "controller": []}
        while len(heard["detector"]) < beats or len(heard["controller"]) < beats:
            status = bus.take(STATUS, LISTEN_S)
            if status is not None and status.service in heard:
                heard[status.service].append(status)
    rates = [status.per_s for status in heard["detector"][2:]]
    last = heard["controller"][-1]
    return LiveMeasurement(
        frames_per_s=sum(rates) / len(rates),
        latency_median_ms=last.latency_ms or 0.0,
        latency_p95_ms=last.latency_p95_ms or 0.0,
    )
