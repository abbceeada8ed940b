"""Ensures that a hub has only one driver: two drivers would undo each other's brake."""

import hashlib
import os
import socket

from brakepoint.errors import UserError
from brakepoint.systems import LINUX


def claim(what: str, otherwise: str) -> socket.socket:
    """Claims a resource for this process until the result is closed, or the process ends in any way.

    The claim is an abstract socket name, so a killed process leaves no file behind. A different message bus
    means a different radio, so the bus is part of the name.

    Args:
        what: A hub's address, or the heartbeat file.
        otherwise: Key of the error if another driver has it: the text `hub.error.{otherwise}`.

    Raises:
        UserError: Another driver has the resource.
    """
    whole = f"{os.environ.get('DBUS_SYSTEM_BUS_ADDRESS', '')} {what}"
    name = f"\0brakepoint-{hashlib.sha256(whole.encode()).hexdigest()}"  # A name has at most 107 bytes.
    held = socket.socket(socket.AF_UNIX)
    try:
        if LINUX:
            held.bind(name)
    except OSError as error:
        held.close()
        raise UserError(f"hub.error.{otherwise}", what=what) from error
    return held


def release(held: list[socket.socket]) -> None:
    """Gives claims up; the list is empty afterwards."""
    while held:
        held.pop().close()
