"""Ports to listen at."""

import itertools
import random
import socket

LOCALHOST = "127.0.0.1"
UNASSIGNED = range(10_000, 20_000)
"""Ports that a system gives to nobody who asks for any; Linux begins at 32,768, others at 49,152.

Any of those might go to another process before whoever chose it listens there.
"""
_SHUFFLED = itertools.cycle(random.sample(UNASSIGNED, len(UNASSIGNED)))
"""None comes twice."""


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there; connections that are just ending do not stop it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def answers(host: str, port: int, timeout_s: float = 1.0) -> bool:
    """Whether somebody takes connections there."""
    try:
        socket.create_connection((host, port), timeout_s).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """A port of this machine that nobody listens at, and that was not given out before."""
    return next(port for port in _SHUFFLED if is_free(LOCALHOST, port))
