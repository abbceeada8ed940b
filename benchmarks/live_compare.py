"""Frames one at a time, as fast as they go: our services, and beside them the way of the public workshop."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from queue import Empty, Queue
from statistics import median, quantiles

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.detectors import YOLOV8N
from benchmarks.live_workshop import ANSWERS, IMAGES, READY, pack
from benchmarks.live_yolov8n import save_model
from brakepoint.adapters import open_camera
from brakepoint.errors import UserError
from brakepoint.messages import Frame, Light, TrainState
from brakepoint.ports import Camera
from brakepoint.services import Settings
from brakepoint.services.bus import Bus, parse_broker
from brakepoint.services.live_mission import start
from brakepoint.services.supervisor import Supervisor
from brakepoint.services.topics import CONTROL, FRAME, MISSION, ORDER, STATE

WITHOUT_CAMERA = ("train", "controller", "detector", "autopilot")
ANSWER_WITHIN_S = 5.0
READY_WITHIN_S = 60.0
WARM_UP = 5
AT_REST = TrainState(at=0.0, position_cm=0, speed_cm_s=0, power=0, braking=True, light=Light.OFF)


@dataclass(frozen=True)
class OneAtATime:
    """What is achieved with one frame in flight.

    Attributes:
        frames_per_s: Answered frames in a second.
        latency_median_ms: From the capture of a frame to what was decided on it.
        latency_p95_ms: 95th percentile of the same.
    """

    frames_per_s: float
    latency_median_ms: float
    latency_p95_ms: float

    @classmethod
    def of(cls, latencies_s: list[float], elapsed_s: float) -> "OneAtATime":
        """Sums up how long each frame took."""
        return cls(
            frames_per_s=len(latencies_s) / elapsed_s,
            latency_median_ms=1000 * median(latencies_s),
            latency_p95_ms=1000 * quantiles(latencies_s, n=20)[-1],
        )


def measure_ours(feed: str, model: str, frames: int) -> OneAtATime:
    """From a frame to the autopilot's order on it, by our services; the camera is played here."""
    settings = Settings(feed=feed, detector=model)
    with (
        Supervisor(settings, WITHOUT_CAMERA, lambda *_: None) as services,
        Bus(services.settings, "", (CONTROL, MISSION, ORDER, STATE)) as bus,
        closing(open_camera(f"video:{feed}")) as camera,
    ):
        start(bus, feed)
        state = AT_REST

        def send(number: int) -> float:
            nonlocal state
            state = bus.take(STATE) or state
            captured_at = time.time()
            bus.say(FRAME, replace(_capture(camera, state), frame_id=number, captured_at=captured_at))
            return captured_at

        def is_answered(captured_at: float) -> bool:
            until = time.monotonic() + ANSWER_WITHIN_S
            while time.monotonic() < until:
                order = bus.take(ORDER, ANSWER_WITHIN_S)
                if order is not None and order.seen_at == captured_at:
                    return True
            return False

        return _one_at_a_time(send, is_answered, frames)


def measure_workshop(feed: str, broker: str, frames: int) -> OneAtATime:
    """From a frame to what was seen in it, the public workshop's way: no autopilot, and no train."""
    if not YOLOV8N.is_file():
        save_model(YOLOV8N)
    answers: Queue[bytes] = Queue()
    with (
        _client(broker, answers) as client,
        _detector(broker),
        closing(open_camera(f"video:{feed}")) as camera,
    ):
        if answers.get(timeout=READY_WITHIN_S) != READY:
            raise UserError("bench.compare.failed")
        state = AT_REST

        def send(number: int) -> float:
            image = _capture(camera, state).image
            captured_at = time.time()
            client.publish(IMAGES, pack(image, captured_at))
            return captured_at

        def is_answered(captured_at: float) -> bool:
            try:
                return bool(json.loads(answers.get(timeout=ANSWER_WITHIN_S))["captured_at"] == captured_at)
            except Empty:
                return False

        return _one_at_a_time(send, is_answered, frames)


def measure_both(feed: str, model: str, frames: int) -> dict[str, OneAtATime]:
    """Measures ours and the workshop's, one after the other, each on the embedded broker."""
    ours = measure_ours(feed, model, frames)
    with Supervisor(Settings(feed=feed), (), lambda *_: None) as broker:
        theirs = measure_workshop(feed, broker.settings.broker, frames)
    return {"ours": ours, "workshop": theirs}


def _one_at_a_time(
    send: Callable[[int], float], is_answered: Callable[[float], bool], frames: int
) -> OneAtATime:
    latencies_s: list[float] = []
    started_at = time.time()
    for number in range(frames + WARM_UP):
        if number == WARM_UP:
            started_at = time.time()
        captured_at = send(number)
        if is_answered(captured_at) and number >= WARM_UP:
            latencies_s.append(time.time() - captured_at)
    if len(latencies_s) < 2:
        raise UserError("bench.compare.failed")
    return OneAtATime.of(latencies_s, time.time() - started_at)


def _capture(camera: Camera, state: TrainState) -> Frame:
    frame = camera.read(state)
    assert frame is not None, "a recorded camera always has one"
    return frame


@contextmanager
def _client(broker_url: str, answers: "Queue[bytes]") -> Iterator[mqtt.Client]:
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda *_: client.subscribe(ANSWERS)
    # The embedded broker hands retained messages to those who did not ask for them, too.
    client.message_callback_add(ANSWERS, lambda _client, _data, message: answers.put(message.payload))
    broker = parse_broker(broker_url)
    client.connect(broker.host, broker.port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


@contextmanager
def _detector(broker_url: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.live_workshop", broker_url, str(YOLOV8N)])
    try:
        yield
    finally:
        process.terminate()
        process.wait()
