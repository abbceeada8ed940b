"""The notebook's view of the wire, and the broker behind it, also where an attendee's code does nothing."""

import socket
from contextlib import ExitStack

import pytest

pytest.importorskip("amqtt")

from brakepoint.services import broker
from brakepoint.sockets import LOCALHOST, answers
from brakepoint.workshop import overhearing
from brakepoint.workshop.overhearing import overhear


def test_a_lookout_that_does_nothing_is_not_waited_for_for_ever(monkeypatch) -> None:
    monkeypatch.setattr(overhearing, "PATIENCE_S", 0.2)
    heard, afterwards = overhear(lambda client, train_id: None)

    assert [line.partition(" ")[0] for line in heard] == 2 * ["brakepoint/train-7/status/detector"]
    assert ['"health":"gone"' in line for line in (*heard, *afterwards)] == [False, True, True]


def test_an_embedded_broker_listens_until_its_context_ends() -> None:
    with broker.embedded_broker() as url:
        port = int(url.removeprefix(f"mqtt://{LOCALHOST}:"))
        assert answers(LOCALHOST, port)

    assert not answers(LOCALHOST, port)


def test_an_embedded_broker_ends_whoever_is_still_connected_without_a_word() -> None:
    with ExitStack() as connections:
        with broker.embedded_broker() as url:
            port = int(url.removeprefix(f"mqtt://{LOCALHOST}:"))
            connections.enter_context(socket.create_connection((LOCALHOST, port)))

        assert not answers(LOCALHOST, port)


def test_an_embedded_broker_that_cannot_start_raises_why(monkeypatch) -> None:
    with socket.socket() as taken:
        taken.bind((LOCALHOST, 0))
        taken.listen()
        monkeypatch.setattr(broker, "free_port", lambda: taken.getsockname()[1])

        with pytest.raises(Exception, match="in use"), broker.embedded_broker():
            pass
