"""Sends frames one at a time, as fast as possible, to our services and to the public workshop's design."""

import json
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, cycle
from queue import Empty, Queue
from statistics import median, quantiles

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.detectors import YOLOV8N
from benchmarks.live_workshop import COMMANDS, IMAGES, pack
from benchmarks.live_yolov8n import save_model
from benchmarks.pictures import AT_REST, take_pictures
from brakepoint.errors import UserError
from brakepoint.messages import Frame, GivenOrder
from brakepoint.services import ServiceSettings, address
from brakepoint.services.bus import Bus, parse_broker
from brakepoint.services.clock import CLOCK
from brakepoint.services.link import FromTrain
from brakepoint.services.live_mission import start
from brakepoint.services.supervisor import Supervisor
from brakepoint.services.topics import CONTROL, FRAME, MISSION

BETWEEN_CAMERA_AND_TRAIN = ("controller", "detector", "autopilot")
ANSWER_WITHIN_S = 5.0
READY_WITHIN_S = 60.0
WARM_UP = 5

Arrived = Queue[float | None]
"""The capture time of the frame behind each order that arrives at the train."""


@dataclass(frozen=True)
class OneAtATime:
    """The results with one frame in flight.

    Attributes:
        frames_per_s: Answered frames per second.
        latency_median_ms: Median time from the capture of a frame to its order at the train.
        latency_p95_ms: 95th percentile of these times.
    """

    frames_per_s: float
    latency_median_ms: float
    latency_p95_ms: float

    @classmethod
    def of(cls, latencies_s: list[float], elapsed_s: float) -> "OneAtATime":
        """Summarises how long each frame took."""
        return cls(
            frames_per_s=len(latencies_s) / elapsed_s,
            latency_median_ms=1000 * median(latencies_s),
            latency_p95_ms=1000 * quantiles(latencies_s, n=20)[-1],
        )


def measure_ours(pictures: list[Frame], settings: ServiceSettings, frames: int) -> OneAtATime:
    """Measures our services; camera and train are simulated here."""
    arrived = Arrived()
    with (
        Supervisor(settings, BETWEEN_CAMERA_AND_TRAIN, lambda *_: None) as services,
        Bus(services.settings, "", (CONTROL, MISSION)) as bus,
        _train(services.settings.link, arrived),
    ):
        start(bus, settings.feed)
        return _one_at_a_time(pictures, partial(bus.say, FRAME), arrived, frames)


def measure_workshop(pictures: list[Frame], settings: ServiceSettings, frames: int) -> OneAtATime:
    """Measures the public workshop's services; camera, controller and train are simulated here."""
    if not YOLOV8N.is_file():
        save_model(YOLOV8N)
    arrived = Arrived()
    with ExitStack() as opened:
        broker = opened.enter_context(Supervisor(settings, (), lambda *_: None)).settings.broker
        client = opened.enter_context(_controller(broker, arrived))
        for role in (("detector", broker, str(YOLOV8N)), ("rules", broker)):
            opened.enter_context(_workshop(*role))

        def send(frame: Frame) -> None:
            client.publish(IMAGES, pack(frame.image, frame.captured_at))

        return _one_at_a_time(pictures, send, arrived, frames)


def measure_both(feed: str, model: str, frames: int, broker: str) -> dict[str, OneAtATime]:
    """Measures our services, then the public workshop's.

    Args:
        feed: The feed that the camera shows.
        model: Our detector's model, or `oracle`.
        frames: Number of frames.
        broker: URL of the broker for both; empty for the embedded one.
    """
    pictures, settings = take_pictures(feed), ServiceSettings(feed=feed, detector=model, broker=broker)
    return {
        "ours": measure_ours(pictures, settings, frames),
        "workshop": measure_workshop(pictures, settings, frames),
    }


def _one_at_a_time(
    pictures: list[Frame], send: Callable[[Frame], None], arrived: Arrived, frames: int
) -> OneAtATime:
    """Sends the next frame as soon as the previous one is answered."""
    numbers, shown = count(), cycle(pictures)

    def latency_s() -> float | None:
        frame = replace(next(shown), frame_id=next(numbers), captured_at=CLOCK.now())
        send(frame)
        return CLOCK.now() - frame.captured_at if _is_answered(frame, arrived) else None

    until = time.monotonic() + READY_WITHIN_S
    for _ in range(WARM_UP):
        while latency_s() is None:  # Not everyone is listening yet.
            if time.monotonic() > until:
                raise UserError("bench.compare.failed")
    started_at = time.monotonic()
    latencies_s = [found for _ in range(frames) if (found := latency_s()) is not None]
    if len(latencies_s) < 2:
        raise UserError("bench.compare.failed")
    return OneAtATime.of(latencies_s, time.monotonic() - started_at)


def _is_answered(frame: Frame, arrived: Arrived) -> bool:
    until = time.monotonic() + ANSWER_WITHIN_S
    with suppress(Empty):
        while True:
            if arrived.get(timeout=max(until - time.monotonic(), 0.0)) == frame.captured_at:
                return True
    return False


@contextmanager
def _train(link: str, arrived: Arrived) -> Iterator[None]:
    """Simulates the train: it receives every order, and reports that it is at rest."""

    class Radio(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._report(run=-1)
            with suppress(ConnectionError):  # The controller has disconnected.
                for line in self.rfile:
                    order = GivenOrder.model_validate_json(line)
                    arrived.put(order.seen_at)
                    self._report(order.run)

        def _report(self, run: int) -> None:
            report = FromTrain(run=run, state=AT_REST.model_copy(update={"at": CLOCK.now()}))
            self.wfile.write(report.model_dump_json().encode() + b"\n")

    with socketserver.ThreadingTCPServer(address(link), Radio) as server:
        server.daemon_threads, server.block_on_close = True, False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


@contextmanager
def _controller(broker_url: str, arrived: Arrived) -> Iterator[mqtt.Client]:
    """Simulates the public workshop's camera and controller, as another client of the same broker."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2)

    def hear(_client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        arrived.put(json.loads(message.payload)["id"])

    client.message_callback_add(COMMANDS, hear)
    broker = parse_broker(broker_url)
    client.connect(broker.host, broker.port)
    client.subscribe(COMMANDS)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


@contextmanager
def _workshop(role: str, broker_url: str, *model: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.live_workshop", role, broker_url, *model])
    try:
        yield
    finally:
        process.terminate()
        process.wait()
