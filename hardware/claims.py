"""Who drives a hub has it alone: of two drivers, each would undo the other's brake."""

import hashlib
import os
import socket

from brakepoint.errors import UserError
from brakepoint.systems import LINUX


def claim(what: str, otherwise: str) -> socket.socket:
    """Takes a thing for this process until the answer is closed, or the process ends, however it ends.

    It is a name among the system's sockets, so there is no file that a killed process could leave behind.
    Another message bus is another radio, so it is part of the name.

    Args:
        what: A hub's address, or the file with a sign of life.
        otherwise: What to say if another driver has it: of the text `hub.error.{otherwise}`.

    Raises:
        UserError: Another driver has it.
    """
    whole = f"{os.environ.get('DBUS_SYSTEM_BUS_ADDRESS', '')} {what}"
    name = f"\0brakepoint-{hashlib.sha256(whole.encode()).hexdigest()}"  # A name has 107 bytes at most.
    held = socket.socket(socket.AF_UNIX)
    try:
        if LINUX:
            held.bind(name)
    except OSError as error:
        held.close()
        raise UserError(f"hub.error.{otherwise}", what=what) from error
    return held
