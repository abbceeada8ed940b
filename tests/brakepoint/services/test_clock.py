"""The time of the messages, and what is measured with it, when the machine's clock is set."""

from types import SimpleNamespace
from typing import Any

import pytest

from brakepoint.services import ServiceSettings, clock
from brakepoint.services.clock import CLOCK_VARIABLE, MessageClock
from brakepoint.services.supervisor import Supervisor


@pytest.fixture
def machine(monkeypatch):
    """A machine whose clocks a test sets."""
    machine = SimpleNamespace(wall_s=1_000_000.0, steady_s=50.0)
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: machine.wall_s))
    monkeypatch.setattr(clock, "steady_s", lambda: machine.steady_s)
    return machine


def test_services_of_several_machines_go_by_the_machine_s_clock(machine):
    told = MessageClock()
    assert told.now() == 1_000_000
    machine.wall_s -= 7200

    assert told.now() == 1_000_000 - 7200


@pytest.mark.parametrize("jump_s", [-7200, 7200])
def test_what_agrees_on_a_clock_does_not_notice_that_the_machine_s_is_set(machine, jump_s):
    first = MessageClock()
    ahead = first.hold()
    other = MessageClock(float(ahead[CLOCK_VARIABLE]))
    machine.wall_s, machine.steady_s = machine.wall_s + jump_s, machine.steady_s + 3

    assert first.now() == other.now() == 1_000_003
    assert first.hold() == ahead, "what was agreed on stays"


@pytest.mark.parametrize(("clocks", "expected"), [(("monotonic", "boot"), 7.0), (("monotonic",), 5.0)])
def test_a_laptop_that_sleeps_is_not_late_where_its_system_counts_that(monkeypatch, clocks, expected):
    known: dict[str, Any] = {"monotonic": lambda: 5.0, "clock_gettime": {7: 7.0}.__getitem__}
    if "boot" in clocks:
        known["CLOCK_BOOTTIME"] = 7
    monkeypatch.setattr(clock, "time", SimpleNamespace(**known))

    assert clock.steady_s() == expected


def services(**settings):
    with_time = Supervisor(ServiceSettings(feed="track-empty", **settings), ["train"], lambda *_: None)
    try:
        return with_time.launch("train")[1].get(CLOCK_VARIABLE)
    finally:
        with_time.stop()


def test_services_that_one_machine_runs_alone_agree_and_others_do_not(monkeypatch):
    monkeypatch.setattr("brakepoint.services.supervisor.CLOCK", MessageClock(7.0))
    monkeypatch.delenv(CLOCK_VARIABLE, raising=False)

    assert services() == "7.0"
    assert services(broker="mqtt://127.0.0.1:1") is None
    assert services(link="127.0.0.1:1") is None
