"""Ctrl-C ends the serving, at any moment."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("kserve")

import uvicorn

from brakepoint.serving import server
from brakepoint.sockets import LOCALHOST, free_port


def first(told: Callable[[], object], function: Any) -> Any:
    """The same coroutine function after something has happened."""

    async def after(*arguments: Any, **named: Any) -> Any:
        told()
        return await function(*arguments, **named)

    return after


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Serves while signals arrive at the given moments, and returns the moments that occurred."""

    def serve(*moments: str, number: int = signal.SIGINT) -> list[str]:
        passed: list[str] = []

        def at(moment: str) -> Callable[[], None]:
            def pass_by() -> None:
                passed.append(moment)
                if moment in moments:
                    signal.raise_signal(number)

            return pass_by

        make = server.aio.server

        def make_grpc(*arguments: Any, **named: Any) -> Any:
            made = make(*arguments, **named)
            monkeypatch.setattr(type(made), "start", first(at("gRPC begins"), type(made).start))
            monkeypatch.setattr(type(made), "stop", first(at("gRPC ends"), type(made).stop))
            return made

        monkeypatch.setattr(server.app, "middleware_stack", None)  # KServe has one for the whole process.
        monkeypatch.setattr(server.aio, "server", make_grpc)
        monkeypatch.setattr(uvicorn.Server, "startup", first(at("REST begins"), uvicorn.Server.startup))
        monkeypatch.setattr(uvicorn.Server, "shutdown", first(at("REST ends"), uvicorn.Server.shutdown))
        try:
            server.run([], LOCALHOST, free_port(), free_port(), at("ready"))
        except KeyboardInterrupt:
            passed.append("interrupted")
        return passed

    return serve


BEGINNING = ["gRPC begins", "REST begins"]


@pytest.mark.parametrize(
    "moments",
    [
        ["gRPC begins"],
        ["REST begins"],
        ["ready"],
        ["ready", "REST ends"],
        ["ready", "gRPC ends"],
        ["gRPC begins", "REST begins", "gRPC ends"],
    ],
    ids=" and ".join,
)
def test_ctrl_c_ends_both_servers_whenever_it_comes(ends, moments: list[str]) -> None:
    passed = ["ready"] if "ready" in moments else []

    assert ends(*moments) == [*BEGINNING, *passed, "REST ends", "gRPC ends", "interrupted"]


def test_a_signal_of_a_cluster_ends_both_servers_in_order(ends) -> None:
    assert ends("ready", number=signal.SIGTERM) == [*BEGINNING, "ready", "REST ends", "gRPC ends"]
