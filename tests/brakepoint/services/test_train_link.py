"""The controller's end of the link to the train."""

import socket
import threading
from contextlib import suppress
from typing import Any, cast

from patience import PATIENCE_S, await_condition

from brakepoint.messages import GivenOrder, Light, OrderKind, Reason, TrainState
from brakepoint.services.link import FromTrain, Link
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

            assert has_left(train, reports=round(PATIENCE_S / REPORTS_S))


def test_a_link_that_takes_no_order_any_more_is_replaced_although_reports_arrive() -> None:
    at_rest = TrainState(at=0, position_cm=0, speed_cm_s=0, power=0, braking=True, light=Light.OFF)
    report = FromTrain(run=1, state=at_rest).model_dump_json().encode() + b"\n"
    order = GivenOrder(kind=OrderKind.BRAKE, reason=Reason.BY_HAND, at=0, giver="us", number=1, run=1)
    done = threading.Event()

    def report_on_and_on(train: socket.socket) -> None:
        with suppress(OSError):
            while not done.wait(REPORTS_S):
                train.sendall(report)

    with socket.create_server((LOCALHOST, 0)) as server:
        server.settimeout(PATIENCE_S)
        link = Link(*server.getsockname())
        train, _ = server.accept()
        with train:
            threading.Thread(target=report_on_and_on, args=(train,), daemon=True).start()
            while not link.is_up or link.send(order):
                pass
            server.accept()[0].close()
            done.set()
            link.close()


def test_an_order_that_fails_on_a_former_link_does_not_end_the_new_one() -> None:
    order = GivenOrder(kind=OrderKind.BRAKE, reason=Reason.BY_HAND, at=0, giver="us", number=1, run=1)
    with socket.create_server((LOCALHOST, 0)) as server:
        server.settimeout(PATIENCE_S)
        link = Link(*server.getsockname())
        trains = [server.accept()[0]]

        class Slow:
            """The former link: while it takes an order, the train is lost and found again."""

            def sendall(self, _: bytes) -> None:
                trains[0].close()
                trains.append(server.accept()[0])
                await_condition(lambda: link._socket not in (None, slow))
                raise TimeoutError

            def shutdown(self, _: int) -> None:
                raise OSError

        await_condition(lambda: link.is_up)
        link._socket = slow = cast(Any, Slow())
        assert not link.send(order)
        assert link.send(order)

        trains[1].settimeout(PATIENCE_S)
        assert trains[1].recv(1000).endswith(b"\n")
        trains[1].close()
        link.close()
