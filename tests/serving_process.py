"""Runs `brakepoint serve` in a process of its own, as people do."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO


@dataclass
class Served:
    """A server that answers.

    Attributes:
        rest: `host:port`.
        grpc: The same.
        process: The server.
    """

    rest: str
    grpc: str
    process: subprocess.Popen

    @property
    def said(self) -> IO[str]:
        """What it prints."""
        assert self.process.stdout is not None
        return self.process.stdout


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in sockets]
    for server in sockets:
        server.close()
    return ports


@contextmanager
def serving(model: str, **environment: str) -> Iterator[Served]:
    """Serves a model until the context ends; the server has said that it is ready."""
    rest, grpc = free_ports(2)
    command = [sys.executable, "-m", "brakepoint", "serve", model]
    command += ["--rest-port", str(rest), "--grpc-port", str(grpc)]
    environment = {**os.environ, "BRAKEPOINT_LANG": "en", "BRAKEPOINT_THREADS": "1", **environment}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, bufsize=1)
    try:
        served = Served(f"127.0.0.1:{rest}", f"127.0.0.1:{grpc}", process)
        assert "answers" in served.said.readline()
        yield served
    finally:
        process.terminate()
        process.wait(30)
