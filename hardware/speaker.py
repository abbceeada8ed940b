"""Prints messages from a separate thread: a pipe that nobody reads must not delay a brake."""

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue


class Speaker:
    """Prints lines in order, without making the caller wait.

    Args:
        say: Prints one line; the call may take any time, or fail.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._lines: SimpleQueue[str | threading.Event | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="speaker", daemon=True)
        self._thread.start()

    def say(self, line: str) -> None:
        """Queues a line."""
        self._lines.put(line)

    def flush(self, timeout_s: float) -> bool:
        """Waits until everything is printed, and returns whether this happened in time."""
        said = threading.Event()
        self._lines.put(said)
        return said.wait(timeout_s)

    def end(self, timeout_s: float) -> None:
        """Waits for a limited time until everything is printed; then prints nothing more.

        May be called twice.
        """
        self._lines.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            if isinstance(line, threading.Event):
                line.set()
                continue
            with suppress(OSError, ValueError):  # Nobody reads the output any more.
                self._say(line)
