"""Reads single keys from a terminal, if there is one."""

import os
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Keyboard:
    """Waits for a key.

    Args:
        descriptor: File descriptor of the terminal; None if there is none, in which case no key ever arrives.
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    @property
    def is_there(self) -> bool:
        """Whether there is a keyboard."""
        return self._descriptor is not None

    def wait(self, seconds: float) -> str:
        """Waits for a key, and returns it immediately; an empty string if no key arrives in time."""
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
    """Delivers keys one by one, without Enter, for as long as the context lasts."""
    try:
        import termios
        import tty
    except ImportError:  # Not available on this system.
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
