"""Ports to listen on."""

import itertools
import random
import socket

LOCALHOST = "127.0.0.1"
PORT_MAX = 65_535
UNASSIGNED = range(10_000, 20_000)
"""Ports that no system assigns by itself: Linux assigns ports from 32,768, other systems from 49,152.

A port outside this range might be assigned to another process before the one that chose it listens on it.
"""
_SHUFFLED = itertools.cycle(random.sample(UNASSIGNED, len(UNASSIGNED)))
"""The ports in random order, so that `free_port` returns a different one each time."""


def is_host_name(host: str) -> bool:
    """Whether a string can be looked up as a host; Python raises an unrelated error for one that cannot."""
    try:
        return bool(host.encode("idna"))
    except UnicodeError:  # Two dots in a row, or more than 63 letters between two dots.
        return False


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen on a port; connections that are being closed do not prevent that."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def answers(host: str, port: int, timeout_s: float = 1.0) -> bool:
    """Whether a server accepts connections on a port."""
    try:
        socket.create_connection((host, port), timeout_s).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """A free local port that has not been returned before."""
    return next(port for port in _SHUFFLED if is_free(LOCALHOST, port))
