"""A service's connection to the broker: publishing, receiving, and the heartbeat."""

import hashlib
import re
import socket
import ssl
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from brakepoint.errors import UserError
from brakepoint.messages import FRAME_MAX_BYTES, TOPIC_ROOT, Frame, Health, Message, Picture, Status
from brakepoint.services import SERVICES, ServiceSettings, metrics, tell
from brakepoint.services.clock import CLOCK
from brakepoint.services.events import EventType, make_event
from brakepoint.services.topics import EVENT, STATUS, Topic
from brakepoint.sockets import answers, is_host_name

T = TypeVar("T")
HEARTBEAT_S = 1.0
KEEPALIVE_S = 5
"""After one and a half times this, the broker gives up on a silent client, and publishes its last will."""
BACK_OFF_S = (1, 2)
"""Delay of the first attempt to reconnect, and the longest delay between later attempts."""
PATIENCE_S = 3.0
"""A longer absence of the broker is logged.

At the start the broker is always absent, since all services start at once.
"""
PORTS = {"mqtt": 1883, "mqtts": 8883}
TRAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
SESSION_KEEPER = "controller"
"""The service whose session outlives a lost connection or dead process: a person's stop must not be lost."""
SECRET_NAME_BYTES = 9
SHORT_S, SHORT_MAX = 5.0, 3
"""This many consecutive connections that a broker accepted and soon closed aren't an accident."""


class ThrownOut(Exception):  # noqa: N818  The broker works as it should: another has the same name.
    """The broker repeatedly disconnects this client, because another one connects under the same name."""


class BrokerAddress(NamedTuple):
    """Address and credentials of a broker."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls: bool


def parse_broker(url: str) -> BrokerAddress:
    """Reads `mqtt://user:password@host:port` or `mqtts://…`.

    Raises:
        UserError: The text is not such a URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise UserError("live.error.broker_url", url=_without_password(url)) from None
    host = parts.hostname or ""
    if not is_host_name(host):
        raise UserError("live.error.broker_url", url=_without_password(url))
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    return BrokerAddress(host, port, user, password, parts.scheme == "mqtts")


def _without_password(url: str) -> str:
    """Hides everything before the host, even if the text isn't a URL: passwords may contain any character."""
    return re.sub(r"^([^/]*//)?.*@", r"\1…@", url, flags=re.DOTALL)


class Latency(NamedTuple):
    """Latency from the capture of a frame to the train's receipt of the order."""

    median_ms: float
    p95_ms: float


class Bus:
    """One client of the broker. It connects automatically, and reconnects whenever the connection is lost.

    Args:
        settings: Address and credentials of the broker, and the train, which is the namespace of the topics.
        service: Name of this service; empty for a client that only listens.
        topics: Topics to subscribe to.
        health_on: Topic on which the client publishes its own health, and its last will.

    Attributes:
        refused: Number of invalid messages.
        done: Pieces of work done since the last heartbeat.

    Raises:
        UserError: The URL or the train's name is invalid, or a certificate is missing or invalid.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        service: str,
        topics: Iterable[Topic[Any]] = (),
        health_on: Topic[Status] = STATUS,
    ) -> None:
        if not TRAIN_ID.fullmatch(settings.train_id):
            raise UserError("live.error.train_id", train_id=settings.train_id)
        self.service, self.refused, self.done = service, 0, 0
        self.train_id = settings.train_id
        self._root = f"{TOPIC_ROOT}/{settings.train_id}/"
        self._topics = {topic.name: topic for topic in topics}
        self._inbox: dict[str, deque[bytes]] = {name: deque() for name in self._topics}
        self._arrived = threading.Condition()
        self._sending: dict[str, mqtt.MQTTMessageInfo] = {}
        self._health, self._health_on, self._beaten_at = Health.STARTING, health_on, 0.0
        self._lost_at, self._trouble = time.monotonic(), ""
        self._connected_at, self._short = 0.0, 0
        self._client = self._connect(parse_broker(settings.broker), settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_thrown_out(self) -> bool:
        """Whether another client uses this client's unique name."""
        return self._short >= SHORT_MAX and self.service == SESSION_KEEPER

    @property
    def is_connected(self) -> bool:
        """Whether this client is connected to the broker."""
        return bool(self._client.is_connected())

    def close(self) -> None:
        """Publishes the farewell, unless another client took over, and disconnects; may be called twice."""
        self._health = Health.GONE
        if not self.is_thrown_out:
            self.beat(now=True)
        self._disconnect()

    def hand_over(self) -> None:
        """Disconnects without a farewell: another replica of this service already publishes its health."""
        self._disconnect()
        metrics.BROKER_CONNECTED.remove(self.train_id, self.service)

    def _disconnect(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _connect(self, broker: BrokerAddress, settings: ServiceSettings) -> mqtt.Client:
        # There must not be two controllers for a train, so the broker may disconnect the older one. There may
        # be several of the other services, each with its own name.
        keeps_session = self.service == SESSION_KEEPER
        own_name = _secret_name(broker, settings) if keeps_session else f"-{uuid.uuid4().hex[:12]}"
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            f"{self.train_id}-{self.service}{own_name}",
            clean_session=not keeps_session,
        )
        client.on_socket_open = _send_at_once
        client.on_connect, client.on_message = self._connected, self._heard
        client.on_connect_fail, client.on_disconnect = self._not_reached, self._disconnected
        client.username_pw_set(broker.user, broker.password)
        if broker.tls:
            _set_tls(client, settings)
        if self.service:
            will = Status(service=self.service, health=Health.GONE, at=0.0)
            topic = self._health_on
            client.will_set(self._path(topic), topic.encode(will), topic.qos, topic.retain)
        client.reconnect_delay_set(*BACK_OFF_S)
        client.connect_async(broker.host, broker.port, KEEPALIVE_S)
        client.loop_start()
        return client

    def _path(self, topic: Topic[Any], service: str = "") -> str:
        return self._root + topic.name + (f"/{service or self.service}" if topic.each else "")

    def _connected(self, client: mqtt.Client, _data: object, _flags: object, reason: Any, *_: object) -> None:
        if reason.is_failure:
            self._complain("broker_refused", why=reason)
            return
        self._connected_at = time.monotonic()
        if self._short < SHORT_MAX:
            if self._trouble:
                self._complain("broker_back")
            self._trouble = ""
        metrics.BROKER_CONNECTED.labels(self.train_id, self.service).set(1)
        metrics.BROKER_CONNECTIONS.labels(self.train_id, self.service).inc()
        for topic in self._topics.values():
            client.subscribe(self._path(topic, "+"), topic.qos)
        self._beaten_at = 0.0  # A restarted broker has forgotten everything.

    def _not_reached(self, client: mqtt.Client, _data: object) -> None:
        self._short = 0
        if time.monotonic() - self._lost_at > PATIENCE_S:
            self._complain("broker_not_reached", host=client.host, port=client.port)

    def _disconnected(self, client: mqtt.Client, *_: object) -> None:
        self._lost_at = time.monotonic()
        # The client would send pending messages when it is connected again. By then, a person may have
        # stopped the train that they would start, and the broker may retain something newer.
        client.drop_out_messages()
        was_short = self._lost_at - self._connected_at < SHORT_S
        # A broker that dies closes its connections, too, and throws nobody out.
        self._short = self._short + 1 if was_short and answers(client.host, client.port) else 0
        if self._short >= SHORT_MAX and not self.is_thrown_out:
            self._complain("broker_throws_out", most=FRAME_MAX_BYTES)
        metrics.BROKER_CONNECTED.labels(self.train_id, self.service).set(0)

    def _complain(self, key: str, **values: object) -> None:
        """Logs a problem with the broker once, however often it occurs."""
        if self.service in SERVICES and key != self._trouble:
            tell(key, **values)
        self._trouble = key

    def _heard(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        name = message.topic.removeprefix(self._root).partition("/")[0]
        topic = self._topics.get(name)
        if topic is None:
            return  # The embedded broker also sends retained messages without a subscription.
        metrics.MESSAGES.labels(self.train_id, self.service, name).inc()
        if len(message.payload) > topic.max_bytes:
            self.refuse(topic)
            return
        inbox = self._inbox[name]
        with self._arrived:
            if len(inbox) >= topic.keep:
                inbox.popleft()
                metrics.MESSAGES_SKIPPED.labels(self.train_id, self.service, name).inc()
            inbox.append(bytes(message.payload))
            self._arrived.notify_all()

    def refuse(self, topic: Topic[Any]) -> None:
        """Counts an invalid message."""
        self.refused += 1
        metrics.MESSAGES_REFUSED.labels(self.train_id, self.service, topic.name).inc()

    def work(self) -> None:
        """Counts a piece of work: a frame captured or examined, an order issued or passed on."""
        self.done += 1
        metrics.WORK.labels(self.train_id, self.service).inc()

    def take(self, topic: Topic[T], timeout_s: float = 0.0) -> T | None:
        """The next valid message of a topic; the newest one, if only that one is kept.

        Args:
            topic: One of the subscribed topics.
            timeout_s: How long to wait for a message.

        Returns:
            The message; None if there is none in time.
        """
        until = time.monotonic() + timeout_s
        inbox = self._inbox[topic.name]
        while True:
            with self._arrived:
                if not self._arrived.wait_for(lambda: inbox, max(until - time.monotonic(), 0.0)):
                    return None
                payload = inbox.popleft()
            try:
                return topic.decode(payload)
            except (ValueError, UserError):
                self.refuse(topic)

    def has(self, topic: Topic[Any], timeout_s: float) -> bool:
        """Waits for a message, valid or not, and returns whether there is one."""
        inbox = self._inbox[topic.name]
        with self._arrived:
            return self._arrived.wait_for(lambda: len(inbox) > 0, timeout_s)

    def say(self, topic: Topic[Any], message: Message | Frame | Picture) -> None:
        """Publishes a message.

        A message that the next of its kind replaces is dropped if the previous one is still being sent, so
        that a slow broker isn't flooded.
        """
        if topic.qos == 0:
            last = self._sending.get(topic.name)
            if last is not None and last.rc == mqtt.MQTT_ERR_SUCCESS and not last.is_published():
                return
        self._sending[topic.name] = self._send(self._path(topic), topic.encode(message), topic)

    def tell_event(self, event_type: EventType, **data: Any) -> None:
        """Publishes an event, as a CloudEvent."""
        event = make_event(event_type, self.train_id, self.service, data)
        self._send(self._path(EVENT), EVENT.encode(event), EVENT)

    def say_bytes(self, topic: Topic[Any], payload: bytes) -> None:
        """Publishes arbitrary bytes, for faults and tests."""
        self._send(self._path(topic), payload, topic)

    def report(self, status: Status) -> None:
        """Publishes the status of a service that isn't on the broker itself."""
        self._send(self._path(STATUS, status.service), STATUS.encode(status), STATUS)

    def _send(self, path: str, payload: bytes, topic: Topic[Any]) -> mqtt.MQTTMessageInfo:
        if topic.qos and not self._client.is_connected():
            # The client would queue the message until it is out of date.
            return mqtt.MQTTMessageInfo(0)
        return self._client.publish(path, payload, topic.qos, topic.retain)

    def ready(self) -> None:
        """Marks this service as ready to do its work."""
        self._health = Health.READY
        self.beat(now=True)

    def beat(self, now: bool = False, latency: Latency | None = None) -> bool:
        """Publishes this service's status about once a second; must be called in every turn of its loop.

        A service that hangs therefore falls silent.

        Args:
            now: Publish immediately.
            latency: Recent measurements, if the service takes any.

        Returns:
            Whether the status was published.

        Raises:
            ThrownOut: Another client uses this client's unique name.
        """
        if self.is_thrown_out and not now:
            raise ThrownOut
        elapsed_s = time.monotonic() - self._beaten_at
        if elapsed_s < HEARTBEAT_S and not now:
            return False
        if not self.service or not self._client.is_connected():
            return False
        per_s = self.done / elapsed_s if self._beaten_at else 0.0
        self._beaten_at, self.done = time.monotonic(), 0
        status = Status(
            service=self.service,
            health=self._health,
            at=CLOCK.now(),
            refused=self.refused,
            per_s=round(per_s, 1),
            latency_ms=latency.median_ms if latency else None,
            latency_p95_ms=latency.p95_ms if latency else None,
        )
        self._send(self._path(self._health_on), self._health_on.encode(status), self._health_on)
        return True


def _send_at_once(_client: object, _data: object, connection: Any) -> None:
    """Disables Nagle's algorithm, which delays a message until the broker acknowledges the previous one."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _secret_name(broker: BrokerAddress, settings: ServiceSettings) -> str:
    """The suffix of the name under which the broker keeps a session.

    A client that connects under the same name ends the session and receives the session's queued messages.
    The suffix is therefore known only to those who may log in as this service: it is derived from the
    password or the key, and reveals neither.
    """
    key = Path(settings.key)
    secret = (broker.password or "").encode() + (key.read_bytes() if key.is_file() else b"")
    if not secret:
        return ""  # No login is required, so everyone may stop and start the train.
    salt = f"brakepoint {settings.train_id} {broker.user}".encode()
    return f"-{hashlib.scrypt(secret, salt=salt, n=2**14, r=8, p=1, dklen=SECRET_NAME_BYTES).hex()}"


def _set_tls(client: mqtt.Client, settings: ServiceSettings) -> None:
    """Enables verification of the broker's certificate, and sets the client certificate if there is one."""
    try:
        client.tls_set(settings.ca or None, settings.certificate or None, settings.key or None)
    except (OSError, ValueError, ssl.SSLError) as error:
        files = ", ".join(filter(None, (settings.ca, settings.certificate, settings.key)))
        raise UserError("live.error.certificate", files=files, why=error) from error
