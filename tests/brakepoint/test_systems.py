"""What a system lacks is reported in a sentence before anything begins."""

import io
import os
import subprocess
import sys
import threading

import pytest
from patience import PATIENCE_S

from benchmarks import drill
from brakepoint.cli import run
from brakepoint.errors import UserError
from brakepoint.services import ServiceSettings
from brakepoint.services.supervisor import Supervisor
from brakepoint.systems import LIFELINE_VARIABLE, on_end_of_parent, require_posix
from hardware.heartbeat import heartbeat_path


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brakepoint.systems.POSIX", False)


def test_on_windows_the_live_train_is_refused(windows) -> None:
    with pytest.raises(UserError, match="WSL"):
        Supervisor(ServiceSettings(), ["train"], lambda name, line: None)


def test_on_windows_a_train_by_bluetooth_is_refused_as_no_guard_could_brake_it(windows) -> None:
    with pytest.raises(UserError, match="WSL"):
        heartbeat_path()


def test_on_windows_the_guard_is_refused(windows, capsys) -> None:
    assert run(["hub", "guard"]) == 2
    assert "brakepoint hub guard" in capsys.readouterr().err


def test_elsewhere_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brakepoint.systems.POSIX", True)

    require_posix("brakepoint up")


def test_where_there_is_no_proc_the_drill_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brakepoint.systems.LINUX", False)

    with pytest.raises(UserError, match="make drill"):
        drill.main()


def test_a_process_with_a_lifeline_notices_the_end_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    noticed = threading.Event()
    monkeypatch.setenv(LIFELINE_VARIABLE, "1")
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    on_end_of_parent(noticed.set)

    assert noticed.wait(PATIENCE_S)
    assert LIFELINE_VARIABLE not in os.environ


def test_a_process_without_a_lifeline_leaves_its_input_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    unread = io.StringIO("y")
    monkeypatch.delenv(LIFELINE_VARIABLE, raising=False)
    monkeypatch.setattr(sys, "stdin", unread)

    on_end_of_parent(lambda: pytest.fail("the parent is still there"))

    assert unread.read() == "y"


def test_a_signal_that_interrupts_the_beginning_of_a_wait_for_it_is_not_lost() -> None:
    """The interrupted thread holds the event's lock, without which no handler can set the event."""
    code = """
import signal
from brakepoint.systems import stop_event

stopping = stop_event()
with stopping._cond:
    signal.raise_signal(signal.SIGTERM)
stopping.wait()
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE_S)
