"""Does the stack fit on two cores? Five processes and a broker drive one feed round and round for a minute.

Capture, detector, autopilot and train talk over an embedded broker at 15 frames a second; after half the
time the detector is killed (SIGKILL), and started again three seconds later. It prints frames a second, the
latency from capture to order, how far the train rolled after the kill, and whether it drove on. A spike
that retires a risk: the services proper come with `brakepoint up`.

    python -m benchmarks.live_spike [SECONDS]
"""

import asyncio
import json
import multiprocessing as mp
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as mqtt
from rich.console import Console
from rich.table import Table

from brakepoint.detector import SHIPPED_MODEL, Detector
from brakepoint.messages import Detections, Order, TrainState, decode_frame, encode_frame
from brakepoint.rules import AT_REST_CM_S, CONTROL_RATE_HZ
from brakepoint.steps import load_step
from brakepoint.train import ORDER_POWER
from brakepoint.truth import load_truth
from stubs.printing_hub import PrintingHub
from stubs.recorded_camera import RecordedCamera

PORT = 18830
VIDEO = Path("videos/track-empty.mp4")
RESTART_AFTER_S = 3.0


def broker() -> None:
    """The embedded broker."""
    from amqtt.broker import Broker

    async def serve() -> None:
        config = {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{PORT}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
        await Broker(config).start()
        await asyncio.Event().wait()

    asyncio.run(serve())


class Newest:
    """A client that keeps only the newest message of each topic that it subscribed to."""

    def __init__(self, *topics: str) -> None:
        self._arrived = threading.Condition()
        self._payloads: dict[str, bytes] = {}
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self.client.on_message = self._keep
        self.client.on_connect = lambda client, *_: [client.subscribe(topic) for topic in topics]
        self.client.connect("127.0.0.1", PORT)
        self.client.loop_start()

    def _keep(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        with self._arrived:
            self._payloads[message.topic] = message.payload
            self._arrived.notify()

    def take(self, topic: str, timeout_s: float = 1.0) -> bytes | None:
        """The newest payload since the last call, waited for; None when there was none in time."""
        with self._arrived:
            self._arrived.wait_for(lambda: topic in self._payloads, timeout_s)
            return self._payloads.pop(topic, None)


def every_tick(work: Callable[[], None]) -> None:
    """Calls `work` at the control rate, for ever."""
    due = time.monotonic()
    while True:
        work()
        due = max(due + 1 / CONTROL_RATE_HZ, time.monotonic())
        time.sleep(due - time.monotonic())


def capture() -> None:
    """Publishes what is to be seen where the train is; starts the feed anew at its end."""
    truth = load_truth(VIDEO.with_suffix(".json"))
    link, lap, frame_id = Newest("state"), -1, 0
    camera: RecordedCamera | None = None

    def work() -> None:
        nonlocal lap, camera, frame_id
        payload = link.take("state")
        if payload is None:
            return
        state = TrainState.model_validate_json(payload)
        if int(state.position_cm // truth.length_cm) != lap or camera is None:
            lap = int(state.position_cm // truth.length_cm)
            camera = RecordedCamera(VIDEO, truth, seed=lap)
        here = state.model_copy(
            update={"position_cm": state.position_cm % truth.length_cm, "at": time.time()}
        )
        frame_id += 1
        frame = camera.read(here)
        link.client.publish(
            "frame", encode_frame(type(frame)(frame_id, here.at, state.position_cm, frame.image))
        )

    every_tick(work)


def detect() -> None:
    """Turns frames into detections."""
    link, detector = Newest("frame"), Detector(SHIPPED_MODEL, threads=1)
    while True:
        if payload := link.take("frame"):
            link.client.publish("detections", detector.detect(decode_frame(payload)).model_dump_json())


def drive() -> None:
    """Turns detections into orders, at the latest once a tick."""
    link, step = Newest("detections", "state"), load_step("step6_autopilot").step
    memory, detections, state = None, None, None
    while True:
        if payload := link.take("detections", 1 / CONTROL_RATE_HZ):
            detections = Detections.model_validate_json(payload)
        if newer := link.take("state", 0):
            state = TrainState.model_validate_json(newer)
        memory, order = step(memory, detections, state, time.time())
        seen_at = detections.captured_at if payload and detections else None
        link.client.publish("order", json.dumps({"order": order.model_dump(), "seen_at": seen_at}))


def train(records: mp.Queue) -> None:
    """The simulated train: obeys the newest order and says where it is."""
    link, hub = Newest("order"), PrintingHub(None)

    def obey() -> None:
        while True:
            if payload := link.take("order"):
                message = json.loads(payload)
                hub.apply(Order.model_validate(message["order"]))
                if message["seen_at"]:
                    records.put(("latency", time.time(), time.time() - message["seen_at"]))

    threading.Thread(target=obey, daemon=True).start()

    def report() -> None:
        state = hub.state(time.time())
        link.client.publish("state", state.model_dump_json())
        records.put(("state", state.at, (state.position_cm, state.speed_cm_s)))

    every_tick(report)


def start(context: mp.context.SpawnContext, target: Callable[..., None], *args: object) -> mp.Process:
    """Starts a service as a process."""
    process = context.Process(target=target, args=args, daemon=True)
    process.start()
    return process  # type: ignore[return-value]


def main(seconds: float) -> None:
    """Runs everything and prints what was measured."""
    context = mp.get_context("spawn")
    records: mp.Queue = context.Queue()
    processes = [start(context, broker)]
    time.sleep(3)
    processes += [start(context, capture), start(context, drive), start(context, train, records)]
    detector = start(context, detect)
    time.sleep(8)
    began = time.time()
    time.sleep(seconds / 2)
    detector.kill()
    killed = time.time()
    time.sleep(RESTART_AFTER_S)
    detector = start(context, detect)
    restarted = time.time()
    time.sleep(max(seconds / 2 - RESTART_AFTER_S, 8))
    events = []
    while not records.empty():
        events.append(records.get())
    for process in (*processes, detector):
        process.kill()
    report(events, began, killed, restarted)


def report(events: list, began: float, killed: float, restarted: float) -> None:
    """Prints the table."""
    latencies = sorted(
        1000 * value for kind, at, value in events if kind == "latency" and began < at < killed
    )
    states = [(at, *value) for kind, at, value in events if kind == "state"]
    before = [state for state in states if state[0] <= killed][-1]
    rest = next((state for state in states if state[0] > killed and state[2] < AT_REST_CM_S), None)
    again = next((state for state in states if state[0] > restarted and state[2] > AT_REST_CM_S), None)
    table = Table(title=f"Live spike, {len(ORDER_POWER)} kinds of order, 5 processes and a broker")
    table.add_column("")
    table.add_column("", justify="right")
    table.add_row("orders a second", f"{len(latencies) / (killed - began):.1f}")
    table.add_row("capture to order, median", f"{statistics.median(latencies):.0f} ms")
    table.add_row("capture to order, p95", f"{latencies[int(0.95 * len(latencies))]:.0f} ms")
    table.add_row("speed when the detector was killed", f"{before[2]:.0f} cm/s")
    table.add_row("rolled on until at rest", f"{rest[1] - before[1]:.0f} cm" if rest else "did not stop")
    table.add_row("drove on after the restart", f"{again[0] - restarted:.1f} s" if again else "no")
    Console().print(table)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
