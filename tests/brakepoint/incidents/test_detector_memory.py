"""A detector that takes more memory than it may is ended without a message."""

import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from brakepoint.incidents import memory
from brakepoint.incidents.memory import end_beyond, needed_mb, resident_mb
from brakepoint.models import SHIPPED_MODEL


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The processes that the watch has ended, and how; it looks without waiting."""
    ended: list[tuple[int, int]] = []
    monkeypatch.setattr(memory, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(memory.os, "kill", lambda pid, how: ended.append((pid, how)))
    return ended


def watched(sizes_mb: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Watches a process with these sizes in turn, and a limit of 100 MB."""
    stopping = threading.Event()

    def size() -> float:
        if len(sizes_mb) == 1:
            stopping.set()
        return sizes_mb.pop(0)

    monkeypatch.setattr(memory, "resident_mb", size)
    end_beyond(100.0, stopping)


def test_it_may_have_all_of_its_limit(killed, monkeypatch: pytest.MonkeyPatch) -> None:
    watched([10.0, 99.9, 100.0], monkeypatch)

    assert killed == []


def test_it_is_killed_once_it_has_more(killed, monkeypatch: pytest.MonkeyPatch) -> None:
    watched([10.0, 100.1], monkeypatch)

    assert killed == [(os.getpid(), signal.SIGKILL)]


def test_a_process_that_is_killed_says_nothing() -> None:
    watch = "from brakepoint.incidents import memory; import threading; memory.LOOK_EVERY_S = 0.0; "
    command = [sys.executable, "-c", watch + "memory.end_beyond(1.0, threading.Event())"]
    done = subprocess.run(command, capture_output=True, timeout=60)

    assert done.returncode == -signal.SIGKILL
    assert (done.stdout, done.stderr) == (b"", b"")


def test_a_detector_needs_more_than_the_tightest_limit_and_less_than_a_healthy_one() -> None:
    assert 110 < needed_mb(SHIPPED_MODEL) < 2048


def test_a_process_knows_what_it_has() -> None:
    """In a process of its own: this one may return memory of other tests meanwhile."""
    ballast = "before = resident_mb(); ballast = bytearray(50_000_000)"
    code = f"{ballast}; print(resident_mb() - before, len(ballast))"
    command = [sys.executable, "-c", f"from brakepoint.incidents.memory import resident_mb; {code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    grown_mb, size = map(float, done.stdout.split())
    assert 40 < grown_mb < 80
    assert size == 50_000_000


def test_a_model_that_does_not_load_is_not_an_answer(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        needed_mb(tmp_path / "none.onnx")


def test_macos_without_proc_says_in_bytes_how_much_memory_there_was_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "LINUX", False)
    monkeypatch.setattr(resource, "getrusage", lambda _: SimpleNamespace(ru_maxrss=123_400_000))

    assert resident_mb() == pytest.approx(123.4)
