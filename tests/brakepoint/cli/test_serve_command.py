"""`brakepoint serve` says where it serves and what changes meanwhile, and leaves nothing running behind."""

import os
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from patience import PATIENCE_S

pytest.importorskip("kserve")

from brakepoint.cli import run
from brakepoint.cli import serve as command
from brakepoint.serving import engine, server, source
from brakepoint.serving.pictures import PIXELS_MOST, PIXELS_VARIABLE
from brakepoint.serving.source import Chosen
from brakepoint.texts import text


class Follower(threading.Thread):
    """A thread that records who has waited until it ended, and how long at most."""

    joined: ClassVar[list[float | None]] = []

    def join(self, timeout: float | None = None) -> None:
        self.joined.append(timeout)
        super().join(timeout)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """Runs the command with servers that end at once, and returns what they were given."""
    ended, has_told = threading.Event(), threading.Event()

    def follow(source: Any, known: str, switch: Any, tell: Any, stopping: threading.Event) -> None:
        tell("serving.switched", 2)
        tell("serving.trouble", "the disk is full")
        has_told.set()
        if stopping.wait(PATIENCE_S):
            ended.set()

    def serve(*options: str) -> list[Any]:
        given: list[Any] = []

        def serve_until_stopped(models: Any, host: str, rest: int, grpc: int, ready: Any) -> None:
            assert has_told.wait(PATIENCE_S)
            ready()
            given.extend((models, host, rest, grpc))
            raise KeyboardInterrupt

        monkeypatch.setattr(server, "run", serve_until_stopped)
        assert run(["serve", *options]) == 130
        assert ended.is_set(), "the follower would look for new models for ever"
        return given

    step = SimpleNamespace(
        Engine=lambda path, version: SimpleNamespace(switch=None, of=(path, version)),
        models=lambda engine, worker: engine.of,
    )
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.setattr(command, "load_step", lambda *_: step)
    monkeypatch.setattr(engine, "Worker", lambda: None)
    monkeypatch.setattr(source, "follow", follow)
    monkeypatch.setattr(
        source, "open_source", lambda model: nullcontext(lambda known: Chosen("1", Path(model)))
    )
    monkeypatch.setattr(Follower, "joined", [])
    monkeypatch.setattr(threading, "Thread", Follower)
    return serve


@pytest.mark.parametrize(
    ("options", "host", "rest", "grpc"),
    [
        ([], "127.0.0.1", "127.0.0.1:8080", "127.0.0.1:8081"),
        (["--host", "::1", "--rest-port", "80", "--grpc-port", "81"], "::1", "[::1]:80", "[::1]:81"),
    ],
)
def test_it_says_where_it_serves_and_which_version_took_over_and_troubles_go_to_stderr(
    serve, options: list[str], host: str, rest: str, grpc: str, capsys: pytest.CaptureFixture[str]
) -> None:
    models, *where = serve("m.onnx", *options)

    assert models == (Path("m.onnx"), "1")
    assert where == [host, *(int(address.rpartition(":")[2]) for address in (rest, grpc))]
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        text("serving.switched", about=2),
        text("serving.ready", version="1", rest=rest, grpc=grpc),
    ]
    assert err.splitlines() == [
        text("serving.trouble", about="the disk is full"),
        text("cli.interrupted"),
    ]


def test_it_waits_for_its_follower_but_not_for_ever(serve) -> None:
    serve("m.onnx")

    assert Follower.joined == [command.FOLLOWER_ENDS_WITHIN_S]


def test_a_picture_has_a_limit_unless_the_environment_gives_another(serve, monkeypatch) -> None:
    serve("m.onnx")
    assert os.environ[PIXELS_VARIABLE] == str(PIXELS_MOST)

    monkeypatch.setenv(PIXELS_VARIABLE, "99")
    serve("m.onnx")
    assert os.environ[PIXELS_VARIABLE] == "99"
