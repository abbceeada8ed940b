"""The link between the controller and the simulated train, in place of the radio: lines of JSON over TCP.

Orders are sent to the train, and reports come back.
"""

import socket
import threading
from contextlib import suppress

from pydantic import ValidationError

from brakepoint.messages import Finite, GivenOrder, Message, TrainState

LINE_MAX_BYTES = 4_000
BACK_OFF_S = 0.3
CONNECT_TIMEOUT_S = 1.0


class FromTrain(Message):
    """One line from the train.

    Attributes:
        run: Number of the train's current run; −1 before the first.
        state: The train's speed and position.
        seen_at: When the frame on which the last order is based was captured.
        heard_at: When that order arrived.
    """

    run: int
    state: TrainState
    seen_at: Finite | None = None
    heard_at: Finite | None = None


class Link:
    """The controller's end of the link. It connects automatically, and reconnects when the link is cut.

    Args:
        host: Host of the train's side.
        port: Port of the train's side.
    """

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._socket: socket.socket | None = None
        self._newest: FromTrain | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def is_up(self) -> bool:
        """Whether the train is connected."""
        return self._socket is not None

    def take(self) -> FromTrain | None:
        """The newest report since the last call, if there was one."""
        newest, self._newest = self._newest, None
        return newest

    def send(self, order: GivenOrder) -> bool:
        """Sends an order; an order that cannot be sent immediately is lost, as on the radio."""
        connected = self._socket
        if connected is None:
            return False
        try:
            connected.sendall(order.model_dump_json().encode() + b"\n")
        except OSError:
            # Reports may still arrive, but only a new link takes orders again, so this one is cut; by now,
            # `self._socket` may be the new one.
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
            return False
        return True

    def close(self) -> None:
        """Disconnects; may be called twice."""
        self._closed.set()
        if self._socket is not None:
            self._socket.close()

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                with socket.create_connection(self._address, CONNECT_TIMEOUT_S) as connected:
                    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._socket = connected
                    self._read(connected)
            except OSError:
                pass
            self._socket = None
            self._closed.wait(BACK_OFF_S)

    def _read(self, connected: socket.socket) -> None:
        with connected.makefile("rb") as lines:
            # A closed socket is released only when its file is closed, too.
            while not self._closed.is_set() and (line := lines.readline(LINE_MAX_BYTES)):
                try:
                    self._newest = FromTrain.model_validate_json(line)
                except ValidationError:
                    continue
