"""Runs `brakepoint serve` in a separate process, for a notebook, a benchmark or a test."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from brakepoint.errors import UserError
from brakepoint.sockets import LOCALHOST, free_port
from brakepoint.systems import LIFELINE_VARIABLE

STOP_TIMEOUT_S = 30


@dataclass(frozen=True)
class Endpoint:
    """A running server.

    Attributes:
        rest: `host:port` of the REST endpoint.
        grpc: `host:port` of the gRPC endpoint.
        process: The server.
    """

    rest: str
    grpc: str
    process: subprocess.Popen[str]

    @property
    def said(self) -> IO[str]:
        """The server's output."""
        assert self.process.stdout is not None
        return self.process.stdout


@contextmanager
def serving(model: str, **environment: str) -> Iterator[Endpoint]:
    """Serves a model on free ports until the context ends; requests are answered from the start.

    The server also ends with this process, for instance when a notebook's kernel is restarted.

    Args:
        model: Argument for `brakepoint serve`.
        environment: Variables for the server only.

    Raises:
        UserError: The server does not start; the reason is on stderr.
    """
    rest, grpc = free_port(), free_port()
    command = [sys.executable, "-m", "brakepoint", "serve", model]
    command += ["--rest-port", str(rest), "--grpc-port", str(grpc)]
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment, LIFELINE_VARIABLE: "1"},
        stdin=subprocess.PIPE,  # Closed when this process ends, however it ends.
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        start_new_session=True,  # On Ctrl-C, this process ends the server.
    )
    endpoint = Endpoint(f"{LOCALHOST}:{rest}", f"{LOCALHOST}:{grpc}", process)
    try:
        if not endpoint.said.readline():  # The line that announces that the server is ready.
            raise UserError("serving.error.not_started", model=model)
        yield endpoint
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
