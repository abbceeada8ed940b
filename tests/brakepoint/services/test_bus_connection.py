"""The connection of a service to the broker."""

import queue
import socket
from typing import Any

import pytest
from patience import PATIENCE_S, await_condition

pytest.importorskip("paho")

from brakepoint.messages import Action, Control
from brakepoint.services import ServiceSettings, bus
from brakepoint.services.bus import Bus
from brakepoint.services.topics import CONTROL
from brakepoint.sockets import LOCALHOST


def test_a_message_does_not_wait_for_the_acknowledgement_of_the_last_one(monkeypatch: pytest.MonkeyPatch):
    opened: queue.Queue[Any] = queue.Queue()
    send_at_once = bus._send_at_once

    def open_and_show(client: object, data: object, connection: Any) -> None:
        before = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        send_at_once(client, data, connection)
        opened.put((before, connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))

    monkeypatch.setattr(bus, "_send_at_once", open_and_show)
    with socket.create_server((LOCALHOST, 0)) as broker:
        url = f"mqtt://{LOCALHOST}:{broker.getsockname()[1]}"
        with Bus(ServiceSettings(broker=url), "autopilot"):
            before, after = opened.get(timeout=PATIENCE_S)

    assert (before, bool(after)) == (0, True)


def test_a_request_is_not_repeated_on_the_next_connection(monkeypatch: pytest.MonkeyPatch):
    """Meanwhile, a person may have stopped the train that it would start."""
    monkeypatch.setattr(bus, "BACK_OFF_S", (0.01, 0.01))

    def admitted(broker: socket.socket) -> socket.socket:
        """The next client; who only asks whether the broker listens is none."""
        while True:
            connection, _ = broker.accept()
            connection.settimeout(PATIENCE_S)
            if connection.recv(4096):
                connection.sendall(b"\x20\x02\x00\x00")
                return connection
            connection.close()

    def heard(connection: socket.socket, action: Action) -> bytes:
        payload = b""
        while action.value.encode() not in payload:
            received = connection.recv(4096)
            assert received
            payload += received
        return payload

    with socket.create_server((LOCALHOST, 0)) as broker:
        broker.settimeout(PATIENCE_S)
        url = f"mqtt://{LOCALHOST}:{broker.getsockname()[1]}"
        with Bus(ServiceSettings(broker=url), "") as client:
            for action in (Action.START, Action.STOP):
                with admitted(broker) as connection:
                    await_condition(lambda: client.is_connected)
                    client.say(CONTROL, Control(action=action, at=0.0))
                    payload = heard(connection, action)
                await_condition(lambda: not client.is_connected)

    assert Action.START.value.encode() not in payload
