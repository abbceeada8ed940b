"""Runs an attendee's broker client on an embedded broker, amid the messages of other services."""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from brakepoint.messages import TOPIC_ROOT, Health, MissionState, Status
from brakepoint.services.broker import embedded_broker
from brakepoint.services.bus import parse_broker
from brakepoint.services.clock import CLOCK
from brakepoint.services.topics import MISSION, STATUS
from brakepoint.workshop.verdicts import Wrong

TRAIN = "train-7"
ROOT = f"{TOPIC_ROOT}/{TRAIN}"
DETECTOR_STATUS = f"{ROOT}/status/detector"
NEIGHBOUR_STATUS = f"{TOPIC_ROOT}/train-8/status/detector"
"""The same topic of another train, on the same broker."""
ECHO = "echo"
"""When this message arrives, everything sent before it has been heard."""
CARRIER = "carrier"
"""Name of the threads that carry the messages of an attendee's client."""
PATIENCE_S = 5.0
"""A client that has not heard the echo within this time is stuck: an echo takes milliseconds."""


class Sent(NamedTuple):
    """A message as a client hands it over: topic, payload, quality of service, whether it is retained."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


class TappedClient(mqtt.Client):
    """A client that records the calls of its methods.

    Attributes:
        will: The client's last will, if there is one.
        sent: The messages, in order.
        filters: The subscriptions, in order: topic filter and quality of service.
        listeners: The functions for the messages of some topics, by topic filter.
        meddled: The last method that the attendee's code called to connect, run or stop the client, which
            only the caller should do.
    """

    def __init__(self) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, f"lookout-{uuid.uuid4().hex}")
        self.will: Sent | None = None
        self.sent: list[Sent] = []
        self.filters: list[tuple[str, int]] = []
        self.listeners: dict[str, Any] = {}
        self.meddled = ""

    def publish(
        self, topic: str, payload: Any = None, qos: int = 0, retain: bool = False, properties: Any = None
    ) -> mqtt.MQTTMessageInfo:
        """Records and publishes a message."""
        self.sent.append(Sent(topic, _as_bytes(payload), qos, retain))
        return super().publish(topic, payload, qos, retain, properties)

    def will_set(
        self, topic: str, payload: Any = None, qos: int = 0, retain: bool = False, properties: Any = None
    ) -> None:
        """Records and sets the last will."""
        self.will = Sent(topic, _as_bytes(payload), qos, retain)
        super().will_set(topic, payload, qos, retain, properties)

    def subscribe(self, topic: Any, qos: int = 0, options: Any = None, properties: Any = None) -> Any:
        """Subscribes, and records the subscription, in any of the forms that paho accepts."""
        pairs = topic if isinstance(topic, list) else [topic if isinstance(topic, tuple) else (topic, qos)]
        self.filters += pairs
        return super().subscribe(topic, qos, options, properties)

    def message_callback_add(self, sub: str, callback: Any) -> None:
        """Records and registers a function for the messages of a topic."""
        self.listeners[sub] = callback
        super().message_callback_add(sub, callback)

    def connect(self, *_: Any, **__: Any) -> Any:
        """Does nothing: the caller connects and runs the client."""
        self.meddled = "connect"

    def loop_start(self) -> Any:
        """Does nothing: the caller connects and runs the client."""
        self.meddled = "loop_start"

    def loop_forever(self, *_: Any, **__: Any) -> Any:
        """Does nothing: the caller connects and runs the client."""
        self.meddled = "loop_forever"

    def loop_stop(self) -> Any:
        """Does nothing: the caller connects and runs the client."""
        self.meddled = "loop_stop"

    def disconnect(self, *_: Any, **__: Any) -> Any:
        """Does nothing: the caller connects and runs the client."""
        self.meddled = "disconnect"


def _as_bytes(payload: Any) -> bytes:
    if not isinstance(payload, str | bytes | bytearray):
        raise Wrong("step5.lookout.payload", found=type(payload).__name__)
    return payload.encode() if isinstance(payload, str) else bytes(payload)


def status_of(service: str, health: Health) -> bytes:
    """A service's status as a payload; for a service that is gone, its last will, without a date."""
    return STATUS.encode(
        Status(service=service, health=health, at=0 if health is Health.GONE else CLOCK.now())
    )


class Scene:
    """A client among other services, whose messages the broker already retains when the client connects.

    One of these services listens to everything. The embedded broker, amqtt, therefore sends all retained
    messages to every client that connects, whether the client has subscribed to them or not.

    Args:
        client: The client to observe, not connected yet, with its `on_connect`.
        url: The broker.

    Attributes:
        trouble: The exception that `on_connect` or another function of the client raised, if any.
        connected: Whether the client's `on_connect` has returned.
        said_at_once: How many messages the client had sent by then.
    """

    def __init__(self, client: TappedClient, url: str) -> None:
        self._client, self._broker = client, parse_broker(url)
        self._echoed = threading.Semaphore(0)
        self._others = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._connection: tuple[Any, ...] = ()
        self.trouble: Exception | None = None
        self.connected = False
        self.said_at_once = 0

    def begin(self) -> None:
        """Lets the others publish, connects the client, and waits until it has heard what is retained."""
        listening = threading.Event()
        self._others.on_subscribe = lambda *_: listening.set()
        self._others.connect(self._broker.host, self._broker.port)
        self._others.loop_start()
        self._others.subscribe(f"{TOPIC_ROOT}/#", 1)
        listening.wait(PATIENCE_S)
        mission = MissionState(run=1, feed="track-stop", running=True, since=0, at=CLOCK.now())
        self._say(MISSION.name, MISSION.encode(mission))
        self._report("autopilot", Health.GONE)
        self._others.publish(NEIGHBOUR_STATUS, status_of("detector", Health.GONE), 1, retain=True)
        self._others.publish(ECHO, b"?", 1, retain=True).wait_for_publish(PATIENCE_S)
        theirs: Any = self._client.on_connect

        def on_connect(*arguments: Any) -> None:
            self._connection = arguments
            theirs(*arguments)
            self.connected, self.said_at_once = True, len(self._client.sent)
            mqtt.Client.subscribe(self._client, ECHO, 1)

        self._theirs, self._client.on_connect = theirs, on_connect
        mqtt.Client.message_callback_add(self._client, ECHO, lambda *_: self._echoed.release())
        threading.Thread(target=self._carry, name=CARRIER, daemon=True).start()
        self._settle()

    def hear(self, service: str, health: Health) -> None:
        """Lets another service publish its status, and waits until the client has heard the status."""
        self._report(service, health)
        self._others.publish(ECHO, b"?", 1)
        self._settle()

    def connect_again(self) -> None:
        """Calls the client's `on_connect` as after a reconnection."""
        self._theirs(*self._connection)

    def end(self) -> None:
        """Disconnects everyone."""
        for client in (self._client, self._others):
            mqtt.Client.disconnect(client)
        self._others.loop_stop()

    def _report(self, service: str, health: Health) -> None:
        """Publishes the status of another service."""
        self._say(f"{STATUS.name}/{service}", status_of(service, health))

    def _say(self, name: str, payload: bytes) -> None:
        self._others.publish(f"{ROOT}/{name}", payload, 1, retain=True)

    def _carry(self) -> None:
        """Runs the client, in its own thread."""
        try:
            mqtt.Client.connect(self._client, self._broker.host, self._broker.port)
            mqtt.Client.loop_forever(self._client)
        except Exception as error:
            self.trouble = error
            self._echoed.release()

    def _settle(self) -> None:
        """Waits until the client has heard everything, or has raised an exception."""
        if not self._echoed.acquire(timeout=PATIENCE_S):
            raise Wrong("step5.lookout.waits")


@contextmanager
def sleepless() -> Iterator[None]:
    """Makes `time.sleep` an error in the threads that carry messages: if one sleeps, no message travels."""
    sleep = time.sleep

    def refuse(seconds: float) -> None:
        if threading.current_thread().name == CARRIER:
            raise Wrong("step5.lookout.waits")
        sleep(seconds)

    with patch.object(time, "sleep", refuse):
        yield


@contextmanager
def scene(client: TappedClient) -> Iterator[Scene]:
    """Runs the client on a separate broker until the context ends."""
    with embedded_broker() as url:
        found = Scene(client, url)
        try:
            found.begin()
            yield found
        finally:
            found.end()
