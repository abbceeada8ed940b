"""Two clients of the embedded broker with one name: the newer has the session and receives its messages."""

import asyncio
import queue
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any, Self

import pytest
from patience import PATIENCE_S, await_condition

pytest.importorskip("paho")
pytest.importorskip("amqtt")

import amqtt.broker
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from brakepoint.services.broker import embedded_broker
from brakepoint.services.bus import parse_broker

NAME, TOPIC = "train-1-controller", "brakepoint/train-1/order"


class Client:
    """A client that keeps its session and does not reconnect; what happens to it can be awaited."""

    def __init__(self, url: str, name: str) -> None:
        self.subscribed, self.ended = queue.SimpleQueue[bool](), queue.SimpleQueue[bool]()
        self.heard = queue.SimpleQueue[bytes]()
        self._mqtt = mqtt.Client(
            CallbackAPIVersion.VERSION2, name, clean_session=False, reconnect_on_failure=False
        )
        self._mqtt.on_connect = self._subscribe
        self._mqtt.on_subscribe = lambda *_: self.subscribed.put(True)
        self._mqtt.on_message = lambda _client, _data, message: self.heard.put(bytes(message.payload))
        self._mqtt.on_disconnect = self._end
        broker = parse_broker(url)
        self._mqtt.connect(broker.host, broker.port)
        self._mqtt.loop_start()
        self.subscribed.get(timeout=PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._mqtt.disconnect()
        self._mqtt.loop_stop()

    def _subscribe(self, *_: object) -> None:
        self._mqtt.subscribe(TOPIC, 1)

    def _end(self, *_: object) -> None:
        self.ended.put(True)
        self.subscribed.put(False)

    def say(self, payload: bytes) -> None:
        self._mqtt.publish(TOPIC, payload, 1).wait_for_publish(PATIENCE_S)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with embedded_broker() as url:
        yield url


@contextmanager
def taken_over(url: str, times: int) -> Iterator[Client]:
    """The last of several clients, each of which took over the session of the one before."""
    with ExitStack() as clients:
        newest = clients.enter_context(Client(url, NAME))
        for _ in range(times):
            former, newest = newest, clients.enter_context(Client(url, NAME))
            former.ended.get(timeout=PATIENCE_S)
        yield newest


@pytest.mark.parametrize("times", [1, 2, 3])
def test_who_takes_over_a_session_receives_its_messages(url, times) -> None:
    with Client(url, "autopilot") as autopilot, taken_over(url, times) as newest:
        autopilot.say(b"brake")

        assert newest.heard.get(timeout=PATIENCE_S) == b"brake"


@pytest.mark.parametrize("formers", [0, 1], ids=["of a new session", "of a session that has another"])
def test_of_two_simultaneous_clients_one_ends_and_the_other_receives_the_messages(
    monkeypatch, formers
) -> None:
    asking: list[Any] = []
    authenticate = amqtt.broker.Broker._authenticate

    async def together(broker: amqtt.broker.Broker, session: Any, listener: Any) -> bool:
        asking.append(session)
        while len(asking) < formers + 2:
            await asyncio.sleep(0.01)
        return await authenticate(broker, session, listener)

    with embedded_broker() as url, ExitStack() as clients:
        autopilot = clients.enter_context(Client(url, "autopilot"))
        for _ in range(formers):
            asking.append(clients.enter_context(Client(url, NAME)))
        monkeypatch.setattr(amqtt.broker.Broker, "_authenticate", together)
        with ThreadPoolExecutor(2) as pool:
            both = [clients.enter_context(one) for one in pool.map(lambda _: Client(url, NAME), range(2))]
        await_condition(lambda: any(not one.ended.empty() for one in both))
        [newest] = [one for one in both if one.ended.empty()]
        autopilot.say(b"brake")

        assert newest.heard.get(timeout=PATIENCE_S) == b"brake"
