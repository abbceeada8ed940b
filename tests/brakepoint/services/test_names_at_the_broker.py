"""The services' client names at the broker: no one takes the controller's, and no two compete for it."""

import socket
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
from fake_bus import FakeBus
from patience import await_condition

pytest.importorskip("paho")

from prometheus_client import REGISTRY

from brakepoint.messages import Health, Status
from brakepoint.services import ServiceSettings, bus, controller, metrics
from brakepoint.services.bus import SHORT_MAX, Bus, ThrownOut
from brakepoint.services.supervisor import HUNG_AFTER_S
from brakepoint.services.topics import REPLICA, STATUS
from brakepoint.sockets import LOCALHOST, free_port


def name(service: str, **given: str) -> str:
    """A service's client name with these settings."""
    told: dict[str, Any] = {"broker": f"mqtt://{LOCALHOST}:{free_port()}"} | given
    with Bus(ServiceSettings(**told), service) as client:
        return client._client._client_id.decode()


def login(password: str, user: str = "train-1") -> str:
    return f"mqtt://{user}:{password}@{LOCALHOST}:{free_port()}"


def test_the_controller_has_one_name_for_its_password_and_nobody_else_can_tell_it() -> None:
    own = name("controller", broker=login("secret"))

    assert own == name("controller", broker=login("secret")), "the broker keeps its session under it"
    assert own.startswith("train-1-controller-") and len(own) == len("train-1-controller-") + 18
    assert "secret" not in own
    others = {
        name("controller", broker=login("another")),
        name("controller", broker=login("secret", user="viewer")),
        name("controller", broker=login("secret"), train_id="train-2"),
    }
    assert len(others | {own}) == 4


def test_a_key_of_ones_own_counts_as_a_password(tmp_path) -> None:
    names = set()
    for content in ("one", "two"):
        (tmp_path / "key").write_text(content)
        names.add(name("controller", key=str(tmp_path / "key")))

    assert len(names) == 2 and all(len(one) > len("train-1-controller-") for one in names)


def test_where_nobody_logs_in_the_name_is_not_a_secret() -> None:
    assert name("controller") == "train-1-controller"


def test_of_the_others_there_may_be_several() -> None:
    assert name("detector", broker=login("secret")) != name("detector", broker=login("secret"))


def test_a_last_will_is_said_where_the_health_is(monkeypatch) -> None:
    nowhere = ServiceSettings(broker=f"mqtt://{LOCALHOST}:{free_port()}", train_id="a")
    for health_on, path in ((STATUS, b"brakepoint/a/status/detector"), (REPLICA, b"brakepoint/a/replica")):
        with Bus(nowhere, "detector", (), health_on) as client:
            paho = client._client
            assert (paho._will_topic, paho._will_retain) == (path, health_on.retain)
            assert STATUS.decode(bytes(paho._will_payload)).health is Health.GONE


def test_who_hands_over_says_nothing_and_is_no_longer_counted_as_disconnected(monkeypatch) -> None:
    reported: list[Health] = []
    monkeypatch.setattr(
        Bus, "_send", lambda self, path, payload, topic: reported.append(STATUS.decode(payload).health)
    )
    nowhere = ServiceSettings(broker=f"mqtt://{LOCALHOST}:{free_port()}", train_id="handed-over")
    metrics.BROKER_CONNECTED.labels("handed-over", "detector").set(1)
    with Bus(nowhere, "detector") as client:
        monkeypatch.setattr(client._client, "is_connected", lambda: True)
        client.ready()
        client.hand_over()
        monkeypatch.undo()

    labels = {"train": "handed-over", "service": "detector"}
    assert reported == [Health.READY]
    assert REGISTRY.get_sample_value("brakepoint_broker_connected", labels) is None


def test_who_was_thrown_out_says_no_farewell_in_the_name_of_the_other(monkeypatch) -> None:
    reported: list[Health] = []
    monkeypatch.setattr(
        Bus, "_send", lambda self, path, payload, topic: reported.append(STATUS.decode(payload).health)
    )
    nowhere = ServiceSettings(broker=f"mqtt://{LOCALHOST}:{free_port()}")
    with Bus(nowhere, "controller") as client:
        monkeypatch.setattr(client._client, "is_connected", lambda: True)
        client.ready()
        client._short = SHORT_MAX

    assert reported == [Health.READY]


@pytest.fixture
def thrower(monkeypatch) -> Iterator[str]:
    """A broker that admits everyone and closes the connection at once."""
    monkeypatch.setattr(bus, "BACK_OFF_S", (0.01, 0.01))
    with socket.create_server((LOCALHOST, 0)) as listener:
        stopping = threading.Event()

        def serve() -> None:
            while not stopping.is_set():
                connection, _ = listener.accept()
                with connection:
                    if connection.recv(
                        4096
                    ):  # Nothing is received from a client that asks whether it listens.
                        connection.sendall(b"\x20\x02\x00\x00")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        yield f"mqtt://{LOCALHOST}:{port}"
        stopping.set()
        socket.create_connection((LOCALHOST, port)).close()
        thread.join()


def test_a_controller_that_is_thrown_out_again_and_again_gives_way(thrower) -> None:
    with Bus(ServiceSettings(broker=thrower), "controller") as client:

        def is_thrown_out() -> bool:
            try:
                client.beat()
            except ThrownOut:
                return True
            return False

        await_condition(is_thrown_out)


def test_a_broker_that_dies_throws_nobody_out(thrower, monkeypatch) -> None:
    asked: list[int] = []

    def answers(host: str, port: int) -> bool:
        asked.append(port)
        return False

    monkeypatch.setattr(bus, "answers", answers)
    with Bus(ServiceSettings(broker=thrower), "controller") as client:
        await_condition(lambda: len(asked) > 2 * SHORT_MAX)
        client.beat()

    assert not client.is_thrown_out and f":{asked[0]}" in thrower


def test_another_service_names_the_broker_once_and_keeps_trying(thrower, monkeypatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(bus, "tell", lambda key, **values: told.append(key))
    with Bus(ServiceSettings(broker=thrower), "capture") as client:
        await_condition(lambda: client._short > 2 * SHORT_MAX)
        client.beat()

    assert told == ["broker_throws_out"]


class Listener(FakeBus):
    """Receives the given messages, one per turn, while a clock advances."""

    def __init__(self, clock: list[float], *said: Status | None) -> None:
        super().__init__()
        self._clock, self._said = clock, list(said)

    def take(self, topic, timeout_s=0.0):
        assert topic is STATUS
        self._clock[0] += 1.0
        return self._said.pop(0) if self._said else None


def test_who_stands_by_waits_until_the_other_controller_was_silent_for_a_while(monkeypatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(controller.time, "monotonic", lambda: clock[0])
    alive = Status(service="controller", health=Health.READY, at=1.0)
    gone = Status(service="controller", health=Health.GONE, at=0.0)
    other = Status(service="capture", health=Health.READY, at=1.0)
    listener: Any = Listener(clock, alive, None, None, alive, gone, other, None)
    controller.stand_by(listener, threading.Event())

    assert clock[0] == 104.0 + controller.OTHER_GONE_S
    assert controller.OTHER_GONE_S + controller.LISTEN_S < HUNG_AFTER_S, "nobody restarts it meanwhile"


def test_who_stands_by_can_be_stopped() -> None:
    stopping = threading.Event()
    stopping.set()
    listener: Any = FakeBus()

    controller.stand_by(listener, stopping)


def test_a_controller_asks_for_the_mission_only_when_the_broker_is_there(monkeypatch) -> None:
    """It would start a mission of its own while the broker still has one that is running."""
    stopping, bus = threading.Event(), FakeBus()
    bus.is_connected = False
    waits = iter([False, False, True])

    def wait(_: float) -> bool:
        bus.is_connected = next(waits)
        return False

    monkeypatch.setattr(stopping, "wait", wait)
    controller.await_broker(cast(Any, bus), stopping)

    assert bus.is_connected and not list(waits)


def test_who_waits_for_the_broker_can_be_stopped() -> None:
    stopping, bus = threading.Event(), FakeBus()
    bus.is_connected = False
    stopping.set()

    controller.await_broker(cast(Any, bus), stopping)


def test_a_controller_that_gave_way_drives_again_when_the_other_has_gone(monkeypatch) -> None:
    told: list[str] = []
    stopping = threading.Event()
    served: list[str] = []

    class Context(FakeBus):
        def __init__(self, settings: object, service: str, topics: object) -> None:
            super().__init__(service)

        def __enter__(self):
            return self

        def __exit__(self, *error: object) -> None:
            """There is nothing to close."""

    def serve(part, bus, stopping) -> None:
        served.append(bus.service)
        if len(served) == 1:
            raise ThrownOut
        stopping.set()

    monkeypatch.setattr(controller, "Bus", Context)
    monkeypatch.setattr(controller, "Link", lambda *address: None)
    monkeypatch.setattr(controller, "Controller", lambda *given: None)
    monkeypatch.setattr(controller, "serve", serve)
    monkeypatch.setattr(controller, "OTHER_GONE_S", 0.0)
    monkeypatch.setattr(controller, "tell", lambda key, **values: told.append(key))
    controller.run(ServiceSettings(link=f"{LOCALHOST}:1"), stopping)

    assert served == ["controller", "controller"] and told == ["another_controller"]
