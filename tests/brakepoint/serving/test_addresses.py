"""What `brakepoint serve` refuses before it loads anything, what its follower survives, and when it ends."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

pytest.importorskip("kserve")

from brakepoint.cli import run as cli
from brakepoint.cli import serve
from brakepoint.errors import UserError
from brakepoint.serving import process, source
from brakepoint.serving.process import serving
from brakepoint.serving.server import run
from brakepoint.sockets import free_port, is_free
from brakepoint.systems import LIFELINE_VARIABLE


@pytest.mark.parametrize("port", ["0", "-1", "65536", "99999"])
@pytest.mark.parametrize("option", ["--rest-port", "--grpc-port"])
def test_a_port_that_does_not_exist_is_refused(option: str, port: str, capsys, monkeypatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")

    assert cli(["serve", option, port]) == 2

    assert "(1…65535)" in capsys.readouterr().err


def test_an_unknown_host_is_not_a_port_in_use(monkeypatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(UserError) as caught:
        run([], "nowhere", 8080, 8081, lambda: None)

    assert caught.value.key == "serving.error.host"


def test_two_servers_cannot_share_a_port() -> None:
    port = free_port()

    with pytest.raises(UserError) as caught:
        run([], "127.0.0.1", port, port, lambda: None)

    assert caught.value.key == "serving.error.same_port"


@pytest.mark.parametrize(
    ("host", "family"),
    [("::1", socket.AF_INET6), ("127.0.0.1", socket.AF_INET), ("localhost", socket.AF_INET)],
)
def test_a_port_is_looked_for_where_its_address_is(monkeypatch, host: str, family: int) -> None:
    probe = MagicMock()
    monkeypatch.setattr(socket, "socket", probe)

    assert is_free(host, 8080)

    probe.assert_called_once_with(family)
    probe().__enter__().bind.assert_called_once_with((host, 8080))


@pytest.mark.parametrize(
    "error", [PermissionError(13, "no"), NotImplementedError(), UserError("serving.bad.repository")]
)
def test_the_follower_survives_whatever_a_switch_raises(monkeypatch, error: Exception) -> None:
    monkeypatch.setattr(source, "LOOK_EVERY_S", 0.001)
    stopping, switched, told = threading.Event(), [], []

    def switch(path: Path, version: str) -> None:
        switched.append(version)
        if len(switched) < 3:
            raise error

    def tell(what: str, about: object) -> None:
        told.append((what, about))
        if what == "serving.switched":
            stopping.set()

    source.follow(lambda known: source.Chosen("2", Path("2.onnx")), "1", switch, tell, stopping)

    said = str(error) or "NotImplementedError"
    assert told == [("serving.trouble", said), ("serving.switched", "2")]


def test_a_server_of_a_notebook_ends_when_the_kernel_is_gone(monkeypatch) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(serve, "on_end_of_parent", lambda react: react())
    monkeypatch.setattr(os, "kill", lambda *ended: told.append(ended))

    assert cli(["serve", "missing.onnx"]) == 2

    assert told == [(os.getpid(), signal.SIGTERM)]


def test_a_server_of_a_notebook_that_does_not_end_when_asked_is_killed(monkeypatch) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); signal.pause()"
    popen = subprocess.Popen

    def start(_: list[str], **settings: Any) -> "subprocess.Popen[str]":
        return popen([sys.executable, "-uc", deaf], **settings)

    monkeypatch.setattr(subprocess, "Popen", start)
    monkeypatch.setattr(process, "STOP_TIMEOUT_S", 0.0)
    with serving("a.onnx") as endpoint:
        assert endpoint.process.poll() is None

    assert endpoint.process.returncode == -signal.SIGKILL


def test_a_server_of_a_notebook_has_the_kernel_s_lifeline(monkeypatch) -> None:
    popen = MagicMock()
    monkeypatch.setattr(subprocess, "Popen", popen)

    with serving("a.onnx", BRAKEPOINT_LANG="fr"):
        pass

    settings = popen.call_args.kwargs
    assert settings["stdin"] == subprocess.PIPE
    assert (settings["env"][LIFELINE_VARIABLE], settings["env"]["BRAKEPOINT_LANG"]) == ("1", "fr")
