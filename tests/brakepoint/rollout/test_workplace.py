"""Between a push and the overlay: what is started is stopped again, and one push is delivered at a time."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from brakepoint.errors import UserError
from brakepoint.rollout import registry, workplace
from brakepoint.rollout.registry import Registry
from brakepoint.rollout.workplace import Workplace
from brakepoint.sockets import LOCALHOST


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A machine with everything that a delivery needs, and what happens to its parts."""
    happened: list[str] = []
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")

    def note(event: str) -> Callable[..., None]:
        return lambda *_: happened.append(event)

    class Started:
        address = "127.0.0.1:5000"

        def __init__(self, folder: Path) -> None: ...

        def __enter__(self) -> "Started":
            happened.append("registry started")
            return self

        def __exit__(self, *_: object) -> None:
            happened.append("registry stopped")

    store = SimpleNamespace(clear=note("store cleared"), push_base=note("base pushed"))
    kit = SimpleNamespace(manifests=[])
    for name, stand_in in {
        "Registry": Started,
        "Forge": lambda folder: SimpleNamespace(open=note("forge opened")),
        "Store": lambda *_: store,
        "Roots": lambda *_: SimpleNamespace(base=lambda architecture: None, base_image="base"),
        "Kit": lambda *_: kit,
        "of_tasks": lambda *_: {},
    }.items():
        monkeypatch.setattr(workplace, name, stand_in)
    monkeypatch.setattr(Workplace, "_manifests", lambda _: [])
    monkeypatch.setattr(Workplace, "_run", lambda _: {"metadata": {"name": "run"}})
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: name)
    return happened


BEGINNING = ["registry started", "store cleared", "base pushed", "forge opened"]


def test_what_a_delivery_has_started_is_cleared_and_stopped_after_it(events, tmp_path: Path) -> None:
    with Workplace(tmp_path / "delivery"):
        assert events == BEGINNING

    assert events == [*BEGINNING, "store cleared", "registry stopped"]


def test_it_is_stopped_too_if_the_beginning_fails(events, tmp_path: Path, monkeypatch) -> None:
    def fail(_: Workplace) -> None:
        raise UserError("rollout.error.no_run")

    monkeypatch.setattr(Workplace, "_manifests", fail)

    with pytest.raises(UserError), Workplace(tmp_path / "delivery"):
        pytest.fail("it began")
    assert events == [*BEGINNING[:3], "store cleared", "registry stopped"]


def test_while_one_push_is_delivered_another_is_refused(events, tmp_path: Path) -> None:
    folder = tmp_path / "delivery"
    with Workplace(folder), pytest.raises(UserError, match=str(folder)), Workplace(folder):
        pytest.fail("two at once")

    with Workplace(folder):
        pass


@pytest.mark.parametrize(
    ("user", "lacking", "said"), [(1000, None, "root"), (0, "skopeo", "skopeo"), (0, "capsh", "capsh")]
)
def test_who_may_not_or_cannot_deliver_is_told_what_is_missing(
    events, tmp_path: Path, monkeypatch, user: int, lacking: str | None, said: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(shutil, "which", lambda name: None if name == lacking else name)

    with pytest.raises(UserError) as refused, Workplace(tmp_path / "delivery"):
        pytest.fail("it began")
    assert f"missing: {said}." in str(refused.value)
    assert events == [] and not (tmp_path / "delivery").exists()


@pytest.fixture
def sleeping(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that is a process and nothing more."""

    def start(self: Any) -> None:
        self._process = subprocess.Popen(["sleep", "60"])

    monkeypatch.setattr(registry, "_run", lambda *_: "hashed")
    monkeypatch.setattr(Registry, "start", start)


def test_a_registry_ends_with_its_block_and_its_secrets_are_its_owners_alone(
    sleeping, tmp_path: Path
) -> None:
    with Registry(tmp_path / "registry") as running:
        process = running._process
        assert process is not None and process.poll() is None

    assert process.poll() is not None
    assert running.folder.stat().st_mode & 0o077 == 0
    for name in ("htpasswd", "auth.json", "config.yaml"):
        assert (running.folder / name).stat().st_mode & 0o077 == 0
        assert (running.folder / name).read_text("utf-8")
    assert len((running.account / "token").read_text("utf-8")) >= 32


def test_a_registry_that_does_not_answer_does_not_keep_running(tmp_path: Path, monkeypatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start(*_: object, **__: object) -> "subprocess.Popen[bytes]":
        started.append(popen(["sleep", "60"]))
        return started[0]

    monkeypatch.setattr(registry.subprocess, "Popen", start)
    monkeypatch.setattr(registry, "STARTS_WITHIN_S", 0.1)
    monkeypatch.setattr(Registry, "_answers", lambda _: False)
    place = Registry(tmp_path / "registry")
    with pytest.raises(UserError, match="log"):
        place.start()

    assert started[0].poll() is not None


def test_a_registry_keeps_its_address_which_overlays_name_unless_another_program_has_it(tmp_path) -> None:
    first = Registry(tmp_path / "registry").address
    assert Registry(tmp_path / "registry").address == first

    port = int(first.rpartition(":")[2])
    with socket.create_server((LOCALHOST, port)):
        other = Registry(tmp_path / "registry").address
    assert other != first
    assert Registry(tmp_path / "registry").address == other
