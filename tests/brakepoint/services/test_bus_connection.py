"""The connection of a service to the broker."""

import queue
import socket
from typing import Any

import pytest
from patience import PATIENCE_S

pytest.importorskip("paho")

from brakepoint.services import ServiceSettings, bus
from brakepoint.services.bus import Bus
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
