"""The guest as the host sees it: a process, and a wire to the program that runs in it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CLOCK_TRIES = 20
BOOT_S = 900.0
ANSWER_S = 600.0
"""An emulated processor is slow, and may have to share a busy one; a guest that hangs fails here."""


class Guest:
    """The guest, and questions to the program in it.

    Args:
        folder: Where `Air` has its socket, `radio`; the guest's log goes there, too.
        link: Port of the host at which the guest's port 18831 is to be reached; the guest's time is then
            the host's. None for a guest without a network, whose time goes by what it executes.
    """

    def __init__(self, folder: Path, link: int | None = None) -> None:
        self._log, wire = folder / "guest.log", folder / "wire"
        command: list[str | Path] = [
            HERE / "guest",
            folder / "radio",
            wire,
            sys.executable,
            HERE / "guest.py",
        ]
        environment = {**os.environ, "LINK_PORT": str(link or "")}
        with socket.socket(socket.AF_UNIX) as listening, self._log.open("w") as log:
            listening.bind(str(wire))
            listening.listen()
            self._process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True
            )
            self._wire = self._accept(listening)
        self._lines = self._wire.makefile()
        self._answer("boot", BOOT_S)
        if link is not None:
            self._set_clock()

    def _accept(self, listening: socket.socket) -> socket.socket:
        listening.settimeout(1)
        until = time.monotonic() + BOOT_S
        while self._process.poll() is None and time.monotonic() < until:
            with suppress(TimeoutError):
                return listening.accept()[0]
        raise AssertionError(f"the guest does not start:\n{self.log()}")

    def _set_clock(self) -> None:
        """Sets the guest's clock by the host's, by the quickest of some questions."""
        tries = []
        for _ in range(CLOCK_TRIES):
            asked_at = time.time()
            said = self.ask("wall")
            answered_at = time.time()
            tries.append((answered_at - asked_at, (asked_at + answered_at) / 2 - said))
        self.ask("put_forward", min(tries)[1])

    def ask(self, question: str, *arguments: Any) -> Any:
        """Calls a method of guest.py's `Guest`, and returns its answer."""
        self._wire.sendall(json.dumps([question, *arguments]).encode() + b"\n")
        return self._answer(question, ANSWER_S)

    def _answer(self, question: str, timeout_s: float) -> Any:
        self._wire.settimeout(timeout_s)
        try:
            line = self._lines.readline()
        except TimeoutError:
            line = ""
        assert line, f"the guest does not answer to «{question}»:\n{self.log()}"
        return json.loads(line)

    def await_that(self, is_so: Callable[[], bool]) -> None:
        """Waits until a condition holds."""
        until = time.monotonic() + ANSWER_S
        while not is_so():
            assert time.monotonic() < until, f"it did not come to pass:\n{self.log()}"
            time.sleep(0.005)

    def times_said(self, words: str) -> int:
        """How often a text is in the guest's output."""
        return self._log.read_text("utf-8", "replace").count(words)

    def log(self) -> str:
        """The end of the guest's output."""
        return self._log.read_text("utf-8", "replace")[-6000:]

    def end(self) -> None:
        self._wire.close()
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait()
