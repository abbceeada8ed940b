"""Single keys from a terminal, where there is one."""

import os
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Keyboard:
    """Waits for a key.

    Args:
        descriptor: Of the terminal; None where there is none, and then no key ever comes.
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    @property
    def is_there(self) -> bool:
        """Whether somebody can press keys."""
        return self._descriptor is not None

    def wait(self, seconds: float) -> str:
        """Waits for a key, and returns it at once; an empty text if none came in time."""
        if self._descriptor is None:
            time.sleep(seconds)
            return ""
        ready, _, _ = select.select([self._descriptor], [], [], seconds)
        if not ready:
            return ""
        key = os.read(self._descriptor, 1)
        if not key:
            raise KeyboardInterrupt  # The terminal was closed.
        return key.decode(errors="replace").lower()


@contextmanager
def keyboard() -> Iterator[Keyboard]:
    """Lets keys come one by one, without Enter, for as long as the context lasts."""
    try:
        import termios
        import tty
    except ImportError:  # Not on this system.
        yield Keyboard(None)
        return
    if not sys.stdin.isatty():
        yield Keyboard(None)
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor, termios.TCSANOW)
    try:
        yield Keyboard(descriptor)
    finally:
        termios.tcsetattr(descriptor, termios.TCSANOW, before)
