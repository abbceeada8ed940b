"""A service's end of the broker: what it says, what it hears, and its heartbeat."""

import hashlib
import re
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

T = TypeVar("T")
HEARTBEAT_S = 1.0
KEEPALIVE_S = 5
"""After one and a half times this the broker takes a silent client for dead, and speaks its last will."""
BACK_OFF_S = (1, 2)
"""A lost broker is looked for again after the first, then after the second, again and again."""
PATIENCE_S = 3.0
"""A broker that is away for longer is worth a line: at the start all begin at once, and it is never there."""
PORTS = {"mqtt": 1883, "mqtts": 8883}
TRAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
SESSION_KEEPER = "controller"
"""Who has a session that outlives a lost broker and a killed process: a person's stop must not be lost."""
SECRET_NAME_BYTES = 9
SHORT_S, SHORT_MAX = 5.0, 3
"""After so many connections in a row that the broker let in and soon ended, it is no accident."""


class ThrownOut(Exception):  # noqa: N818  The broker works as it should: another has the same name.
    """The broker lets another in under the same name, again and again."""


class BrokerAddress(NamedTuple):
    """Where a broker is and how it lets somebody in."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls: bool


def parse_broker(url: str) -> BrokerAddress:
    """Reads `mqtt://user:password@host:port` or `mqtts://…`.

    Raises:
        UserError: It is not such a URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise UserError("live.error.broker_url", url=_without_password(url)) from None
    if not parts.hostname:
        raise UserError("live.error.broker_url", url=_without_password(url))
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    return BrokerAddress(parts.hostname, port, user, password, parts.scheme == "mqtts")


def _without_password(url: str) -> str:
    return re.sub(r"//[^@]*@", "//…@", url)


class Latency(NamedTuple):
    """From the capture of a frame to the order at the train."""

    median_ms: float
    p95_ms: float


class Bus:
    """One client of the broker. It connects by itself, and again after every loss.

    Args:
        settings: Where the broker is, how it lets somebody in, and the train, the namespace of the topics.
        service: Who this is; nobody if empty: somebody who only listens.
        topics: What is listened to.

    Attributes:
        refused: How many messages were no good.
        done: What was done since the last heartbeat.

    Raises:
        UserError: The URL or the train's name is not one, or a certificate is missing or unfit.
    """

    def __init__(self, settings: ServiceSettings, service: str, topics: Iterable[Topic[Any]] = ()) -> None:
        if not TRAIN_ID.fullmatch(settings.train_id):
            raise UserError("live.error.train_id", train_id=settings.train_id)
        self.service, self.refused, self.done = service, 0, 0
        self.train_id = settings.train_id
        self._root = f"{TOPIC_ROOT}/{settings.train_id}/"
        self._topics = {topic.name: topic for topic in topics}
        self._inbox: dict[str, deque[bytes]] = {name: deque() for name in self._topics}
        self._arrived = threading.Condition()
        self._sending: dict[str, mqtt.MQTTMessageInfo] = {}
        self._health, self._beaten_at = Health.STARTING, 0.0
        self._lost_at, self._trouble = time.monotonic(), ""
        self._connected_at, self._short = 0.0, 0
        self._client = self._connect(parse_broker(settings.broker), settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_connected(self) -> bool:
        """Whether the broker is there."""
        return bool(self._client.is_connected())

    def close(self) -> None:
        """Says goodbye and disconnects; may be called twice."""
        self._health = Health.GONE
        self.beat(now=True)
        self._client.disconnect()
        self._client.loop_stop()

    def _connect(self, broker: BrokerAddress, settings: ServiceSettings) -> mqtt.Client:
        # Two controllers of one train would be one too many, so the broker may throw the older one out; of
        # the others there may be several, and each has a name of its own.
        keeps_session = self.service == SESSION_KEEPER
        own_name = _secret_name(broker, settings) if keeps_session else f"-{uuid.uuid4().hex[:12]}"
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            f"{self.train_id}-{self.service}{own_name}",
            clean_session=not keeps_session,
        )
        client.on_connect, client.on_message = self._connected, self._heard
        client.on_connect_fail, client.on_disconnect = self._not_reached, self._disconnected
        client.username_pw_set(broker.user, broker.password)
        if broker.tls:
            _set_tls(client, settings)
        if self.service:
            will = Status(service=self.service, health=Health.GONE, at=0.0)
            client.will_set(self._path(STATUS), STATUS.encode(will), STATUS.qos, STATUS.retain)
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
        self._beaten_at = 0.0  # A broker that was restarted has forgotten everything.

    def _not_reached(self, client: mqtt.Client, _data: object) -> None:
        self._short = 0
        if time.monotonic() - self._lost_at > PATIENCE_S:
            self._complain("broker_not_reached", host=client.host, port=client.port)

    def _disconnected(self, client: mqtt.Client, *_: object) -> None:
        self._lost_at = time.monotonic()
        self._short = self._short + 1 if self._lost_at - self._connected_at < SHORT_S else 0
        if self._short >= SHORT_MAX and self.service != SESSION_KEEPER:
            self._complain("broker_throws_out", most=FRAME_MAX_BYTES)
        metrics.BROKER_CONNECTED.labels(self.train_id, self.service).set(0)

    def _complain(self, key: str, **values: object) -> None:
        """Tells of a trouble with the broker once, however often it is met."""
        if self.service in SERVICES and key != self._trouble:
            tell(key, **values)
        self._trouble = key

    def _heard(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        name = message.topic.removeprefix(self._root).partition("/")[0]
        topic = self._topics.get(name)
        if topic is None:
            return  # The embedded broker hands retained messages to those who did not ask for them, too.
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
        """Counts a message that was no good."""
        self.refused += 1
        metrics.MESSAGES_REFUSED.labels(self.train_id, self.service, topic.name).inc()

    def work(self) -> None:
        """Counts a piece of work: a frame captured or looked at, an order given or passed on."""
        self.done += 1
        metrics.WORK.labels(self.train_id, self.service).inc()

    def take(self, topic: Topic[T], timeout_s: float = 0.0) -> T | None:
        """The next message of a topic that is good; the newest one where only that is kept.

        Args:
            topic: One of those that are listened to.
            timeout_s: How long to wait for it.

        Returns:
            None when there is none in time.
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
        """Waits until there is something to take, good or not, and says whether there is."""
        inbox = self._inbox[topic.name]
        with self._arrived:
            return self._arrived.wait_for(lambda: len(inbox) > 0, timeout_s)

    def say(self, topic: Topic[Any], message: Message | Frame | Picture) -> None:
        """Publishes a message.

        One that can wait for the next of its kind is left out while the one before is still on its way: a
        slow broker is not given ever more to do.
        """
        if topic.qos == 0:
            last = self._sending.get(topic.name)
            if last is not None and last.rc == mqtt.MQTT_ERR_SUCCESS and not last.is_published():
                return
        self._sending[topic.name] = self._send(self._path(topic), topic.encode(message), topic)

    def tell_event(self, event_type: EventType, **data: Any) -> None:
        """Publishes that something has happened, as a CloudEvent."""
        event = make_event(event_type, self.train_id, self.service, data)
        self._send(self._path(EVENT), EVENT.encode(event), EVENT)

    def say_bytes(self, topic: Topic[Any], payload: bytes) -> None:
        """Publishes something that need not be a message: for faults, and for tests."""
        self._send(self._path(topic), payload, topic)

    def report(self, status: Status) -> None:
        """Publishes the status of a service that is not on the broker itself."""
        self._send(self._path(STATUS, status.service), STATUS.encode(status), STATUS)

    def _send(self, path: str, payload: bytes, topic: Topic[Any]) -> mqtt.MQTTMessageInfo:
        if topic.qos and not self._client.is_connected():
            # The client would keep it for a broker that comes back, and it would be old by then.
            return mqtt.MQTTMessageInfo(0)
        return self._client.publish(path, payload, topic.qos, topic.retain)

    def ready(self) -> None:
        """From now on this service does its work."""
        self._health = Health.READY
        self.beat(now=True)

    def beat(self, now: bool = False, latency: Latency | None = None) -> bool:
        """Says how this service is, about once a second; to be called at every turn of its loop.

        A service that hangs therefore falls silent.

        Args:
            now: Say so at once.
            latency: What it has measured of late, if it does.

        Returns:
            Whether it was time to.

        Raises:
            ThrownOut: Another has the name that only one may have.
        """
        if self._short >= SHORT_MAX and self.service == SESSION_KEEPER and not now:
            raise ThrownOut
        elapsed_s = time.monotonic() - self._beaten_at
        if elapsed_s < HEARTBEAT_S and not now:
            return False
        if not self.service or not self._client.is_connected():
            return False
        per_s = self.done / elapsed_s if self._beaten_at else 0.0
        self._beaten_at, self.done = time.monotonic(), 0
        self.report(
            Status(
                service=self.service,
                health=self._health,
                at=CLOCK.now(),
                refused=self.refused,
                per_s=round(per_s, 1),
                latency_ms=latency.median_ms if latency else None,
                latency_p95_ms=latency.p95_ms if latency else None,
            )
        )
        return True


def _secret_name(broker: BrokerAddress, settings: ServiceSettings) -> str:
    """The end of the name under which the broker keeps a session.

    Whoever connects under the same name ends the session and takes what waits in it. So nobody knows it but
    who may log in as this service: it follows from the password or the key, and gives neither away.
    """
    key = Path(settings.key)
    secret = (broker.password or "").encode() + (key.read_bytes() if key.is_file() else b"")
    if not secret:
        return ""  # Nobody has to log in, so everybody may stop the train and start it.
    salt = f"brakepoint {settings.train_id} {broker.user}".encode()
    return f"-{hashlib.scrypt(secret, salt=salt, n=2**14, r=8, p=1, dklen=SECRET_NAME_BYTES).hex()}"


def _set_tls(client: mqtt.Client, settings: ServiceSettings) -> None:
    """Has the broker's certificate checked, and shows one's own if there is one."""
    try:
        client.tls_set(settings.ca or None, settings.certificate or None, settings.key or None)
    except (OSError, ValueError, ssl.SSLError) as error:
        files = ", ".join(filter(None, (settings.ca, settings.certificate, settings.key)))
        raise UserError("live.error.certificate", files=files, why=error) from error
