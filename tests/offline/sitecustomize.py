"""With this folder in PYTHONPATH, a process and its children can only reach this machine."""

import socket
from typing import Any

HOME = ("127.", "localhost", "::1", "0.0.0.0")
_connect, _connect_ex, _look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo


def _refuse(host: object) -> None:
    if isinstance(host, str) and host and not host.startswith(HOME) and host != socket.gethostname():
        raise OSError(f"no network in this room: {host}")


def connect(self: socket.socket, address: Any) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6):
        _refuse(address[0])
    return _connect(self, address)


def connect_ex(self: socket.socket, address: Any) -> int:
    if self.family in (socket.AF_INET, socket.AF_INET6):
        _refuse(address[0])
    return _connect_ex(self, address)


def getaddrinfo(host, *arguments, **named):
    _refuse(host.decode() if isinstance(host, bytes) else host)
    return _look_up(host, *arguments, **named)


_sockets: Any = socket.socket
_sockets.connect, _sockets.connect_ex, socket.getaddrinfo = connect, connect_ex, getaddrinfo
