"""The controller's end of the link to the train."""

import socket
from contextlib import suppress

from brakepoint.services.link import CONNECT_TIMEOUT_S, Link
from brakepoint.sockets import LOCALHOST

REPORTS_S = 0.02


def has_left(train: socket.socket, reports: int) -> bool:
    """Whether the controller leaves while the train sends reports."""
    train.settimeout(REPORTS_S)
    with suppress(ConnectionError):
        for _ in range(reports):
            train.sendall(b"a report\n")
            with suppress(TimeoutError):
                return train.recv(1) == b""
        return False
    return True


def test_a_closed_link_leaves_the_train_although_the_train_reports_on_and_on() -> None:
    with socket.create_server((LOCALHOST, 0)) as server:
        link = Link(*server.getsockname())
        train, _ = server.accept()
        with train:
            assert not has_left(train, reports=2)
            link.close()
            link.close()

            assert has_left(train, reports=round(2 * CONNECT_TIMEOUT_S / REPORTS_S))
