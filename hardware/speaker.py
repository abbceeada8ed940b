"""Has a thread of its own say what the radio's has to say: a pipe that nobody reads must not stop a brake."""

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue


class Speaker:
    """Says lines in their order, and makes nobody wait for it.

    Args:
        say: Says one line; it may take as long as it likes, or fail.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._lines: SimpleQueue[str | threading.Event | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="speaker", daemon=True)
        self._thread.start()

    def say(self, line: str) -> None:
        """Has a line said."""
        self._lines.put(line)

    def flush(self, timeout_s: float) -> bool:
        """Waits until all is said, and says whether it is."""
        said = threading.Event()
        self._lines.put(said)
        return said.wait(timeout_s)

    def end(self, timeout_s: float) -> None:
        """Waits until all is said, but not longer than that; from then on nothing is. May be called twice."""
        self._lines.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            if isinstance(line, threading.Event):
                line.set()
                continue
            with suppress(OSError, ValueError):  # Nobody listens any more.
                self._say(line)
