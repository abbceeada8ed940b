"""What the kit requires of an operating system, with errors where a requirement is not met."""

import os
import queue
import signal
import sys
import threading
from collections.abc import Callable

from brakepoint.errors import UserError

POSIX = os.name == "posix"
"""True on Linux, macOS and WSL, but not on Windows itself."""
LINUX = sys.platform == "linux"
LIFELINE_VARIABLE = "BRAKEPOINT_LIFELINE"
"""Set for a child process whose standard input the parent holds open: the child ends when the parent does."""


def require_posix(what: str) -> None:
    """Raises an error on Windows itself, which lacks process groups, signals and user ids.

    Args:
        what: A command or a URI, as a person would type it.

    Raises:
        UserError: This is Windows.
    """
    if not POSIX:
        raise UserError("error.needs_posix", what=what)


def require_linux(what: str) -> None:
    """Raises an error unless /proc has information about other processes, which only Linux provides.

    Args:
        what: A command, as a person would type it.

    Raises:
        UserError: This is not Linux.
    """
    if not LINUX:
        raise UserError("error.needs_linux", what=what)


def stop_event(*, also_ctrl_c: bool = True) -> threading.Event:
    """An event that SIGTERM and Ctrl-C set from now on, instead of ending the process.

    Args:
        also_ctrl_c: Whether Ctrl-C sets it; otherwise Ctrl-C ends the process as usual.
    """
    stopping, asked = threading.Event(), queue.SimpleQueue[int]()

    def stop() -> None:
        asked.get()
        stopping.set()

    threading.Thread(target=stop, daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT) if also_ctrl_c else (signal.SIGTERM,):
        # Only the queue may be used here: an interrupted thread that waits for the event may hold its lock.
        signal.signal(number, lambda number, _: asked.put(number))
    return stopping


def on_end_of_parent(react: Callable[[], object]) -> None:
    """Calls a function when the parent ends, however it ends, if the parent has set `LIFELINE_VARIABLE`."""

    def wait() -> None:
        sys.stdin.read()
        react()

    if os.environ.pop(LIFELINE_VARIABLE, None):
        threading.Thread(target=wait, daemon=True).start()
