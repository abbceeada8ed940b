"""What other clients hear of an attendee's lookout, on a separate broker: for the notebook of step 5."""

import queue
import socket
import threading
import uuid
from collections.abc import Callable
from contextlib import closing

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from brakepoint.messages import Health
from brakepoint.services.broker import embedded_broker
from brakepoint.services.bus import parse_broker
from brakepoint.services.topics import STATUS
from brakepoint.workshop.wire import DETECTOR_STATUS, ECHO, PATIENCE_S, ROOT, TRAIN, status_of


def overhear(lookout: Callable[[mqtt.Client, str], object]) -> tuple[list[str], list[str]]:
    """Disconnects the detector, then the lookout itself, and records the messages.

    Args:
        lookout: The attendee's function.

    Returns:
        The messages that a client hears meanwhile, and those that a later client hears after it connects:
        one line for each message, with topic and payload.
    """
    with embedded_broker() as url, closing(Listener(url)) as present:
        watcher, watching = _new_client(), threading.Event()
        lookout(watcher, TRAIN)
        watcher.on_subscribe = lambda *_: watching.set()
        _join(watcher, url)
        watching.wait(PATIENCE_S)
        detector = _new_client()
        gone, ready = (status_of("detector", health) for health in (Health.GONE, Health.READY))
        detector.will_set(DETECTOR_STATUS, gone, STATUS.qos, STATUS.retain)
        _join(detector, url)
        detector.publish(DETECTOR_STATUS, ready, STATUS.qos, STATUS.retain)
        present.listen_until(DETECTOR_STATUS)
        _lose(detector)
        present.listen_until("/control")
        _lose(watcher)
        present.listen_until("/status/lookout", Health.GONE)
        with closing(Listener(url)) as late:
            return present.lines, sorted(set(late.lines))


class Listener:
    """A client that hears every message about the train, including those that the broker retains.

    Args:
        url: The broker.

    Attributes:
        lines: The messages so far: topic and payload.
    """

    def __init__(self, url: str) -> None:
        self.lines: list[str] = []
        self._messages: queue.SimpleQueue[mqtt.MQTTMessage] = queue.SimpleQueue()
        self._client = _new_client()
        self._client.on_message = lambda _client, _data, message: self._messages.put(message)
        _join(self._client, url)
        echo = f"{ECHO}/{uuid.uuid4().hex}"
        self._client.publish(echo, b"?", 1, retain=True).wait_for_publish(PATIENCE_S)
        self._client.subscribe([(f"{ROOT}/#", 1), (echo, 1)])
        self.listen_until(echo)

    def listen_until(self, *words: str) -> None:
        """Waits for a message with these words, but not for ever: the attendee's code may never send it."""
        line = ""
        while not all(word in line for word in words):
            try:
                message = self._messages.get(timeout=PATIENCE_S)
            except queue.Empty:
                return
            line = f"{message.topic} {message.payload.decode()}"
            if message.topic.startswith(ROOT):
                self.lines.append(line)

    def close(self) -> None:
        """Disconnects."""
        self._client.disconnect()
        self._client.loop_stop()


def _new_client() -> mqtt.Client:
    return mqtt.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)


def _join(client: mqtt.Client, url: str) -> None:
    broker = parse_broker(url)
    client.connect(broker.host, broker.port)
    client.loop_start()


def _lose(client: mqtt.Client) -> None:
    """Cuts a client's connection, as if its process were killed."""
    if isinstance(connection := client.socket(), socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
