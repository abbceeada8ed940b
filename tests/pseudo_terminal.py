"""A separate terminal for a command: Ctrl-C goes to all its processes, as when a person presses it."""

import contextlib
import fcntl
import os
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

CTRL_C = b"\x03"
ENDS_WITHIN_S = 60


class Terminal:
    """Runs a command.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        environment: Variables in addition to those that are already set.

    Attributes:
        process: The command.
        said: Everything that has been written to the terminal.
    """

    def __init__(self, command: list[str], folder: Path, **environment: str) -> None:
        self._keyboard, screen = os.openpty()
        self.said = ""
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "TERM": "xterm", "BRAKEPOINT_LANG": "en", **environment},
            stdin=screen,
            stdout=screen,
            stderr=screen,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(screen)
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # The last process of the terminal has ended.
            while data := os.read(self._keyboard, 65536):
                with self._changed:
                    self.said += data.decode(errors="replace")
                    self._changed.notify_all()

    def press(self, keys: bytes = CTRL_C) -> None:
        """Presses keys."""
        with contextlib.suppress(OSError):
            os.write(self._keyboard, keys)

    def wait_for(self, words: str | Callable[[str], bool]) -> None:
        """Waits until the command has written a text."""
        seen = words if callable(words) else lambda said: words in said
        with self._changed:
            assert self._changed.wait_for(lambda: seen(self.said), ENDS_WITHIN_S), self.said

    def end(self) -> int:
        """Waits for the end and returns the exit status, as a shell does."""
        status = self.process.wait(ENDS_WITHIN_S)
        self._reader.join(ENDS_WITHIN_S)
        assert not self._reader.is_alive(), f"a process has outlived the command: {self.said}"
        return status if status >= 0 else 128 - status

    def close(self) -> None:
        """Ends the command if it is still running."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, 9)
        self.process.wait()
        self._reader.join(ENDS_WITHIN_S)
        os.close(self._keyboard)


@contextlib.contextmanager
def terminal(command: list[str], folder: Path, **environment: str) -> Iterator[Terminal]:
    """A terminal that is closed at the end of the block."""
    opened = Terminal(command, folder, **environment)
    try:
        yield opened
    finally:
        opened.close()


def interrupt_after(command: list[str], folder: Path, delay_s: float, **environment: str) -> tuple[int, str]:
    """Presses Ctrl-C a while after a command has begun; returns its exit status and its output."""
    with terminal(command, folder, **environment) as opened:
        time.sleep(delay_s)
        opened.press()
        status = opened.end()
        return status, opened.said
