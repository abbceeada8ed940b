"""The kit's own server ends with its block, and with the process that started it; at last by force."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from brakepoint.sockets import LOCALHOST, answers
from brakepoint.store import embedded


def test_our_own_server_stops_and_takes_another_port_if_the_usual_one_is_taken(tmp_path, monkeypatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(embedded, "USUAL_PORT", taken.getsockname()[1])
        with embedded.serve_s3(tmp_path / "s3") as (endpoint, _, secret):
            port = int(endpoint.rpartition(":")[2])
            assert port != embedded.USUAL_PORT
            assert len(secret) == 32
    assert not answers(LOCALHOST, port)


def test_our_own_server_does_not_outlive_who_started_it(tmp_path) -> None:
    serve = "from brakepoint.store.embedded import *\nwith serve_s3() as s: print(s[0], flush=True); input()"
    parent = subprocess.Popen(
        [sys.executable, "-c", serve], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    port = int(parent.stdout.readline().rpartition(":")[2])
    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate()

    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and answers(LOCALHOST, port):
        time.sleep(0.02)
    assert not answers(LOCALHOST, port)


@pytest.mark.parametrize(
    ("hears", "ended_by"),
    [("sleep 60", signal.SIGTERM), ("trap '' TERM; echo deaf; exec sleep 60", signal.SIGKILL)],
    ids=["it hears", "it is deaf"],
)
def test_a_server_is_asked_to_end_and_only_killed_if_it_does_not(
    hears: str, ended_by: signal.Signals, tmp_path, monkeypatch
) -> None:
    log = tmp_path / "log"
    if ended_by is signal.SIGKILL:
        monkeypatch.setattr(embedded, "STOP_TIMEOUT_S", 0.05)

    with embedded.running(["sh", "-c", hears], {}, log) as process:
        while "echo" in hears and not log.read_bytes():
            time.sleep(0.01)

    assert process.returncode == -ended_by
