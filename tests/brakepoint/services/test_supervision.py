"""Which service counts as hung, and when a dead one is restarted; without a process."""

import errno
import math
import os
import select
import signal
import subprocess
import sys
import threading
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest
from patience import PATIENCE_S

pytest.importorskip("paho")

from brakepoint.errors import UserError
from brakepoint.messages import Health, Status
from brakepoint.services import ServiceSettings, supervisor
from brakepoint.services.supervisor import (
    BACK_OFF_S,
    HUNG_AFTER_S,
    LASTED_S,
    PAUSE_S,
    READY_WITHIN_S,
    STARTED_WITHIN_S,
    STOP_WITHIN_S,
    WRONG_USAGE,
    Child,
    Supervisor,
)

NOW = 5000.0


def child(name="autopilot", started_at=NOW - 60, process=True, **values):
    running: Any = SimpleNamespace() if process else None
    return Child(name, process=running, started_at=started_at, **values)


def test_a_service_that_is_silent_although_it_would_be_heard_is_hung():
    silent = child(is_ready=True, heard_at=NOW - HUNG_AFTER_S - 0.1)
    witness = child("broker", heard_at=NOW, heard_since=NOW - 30)

    assert silent.is_hung(witness, NOW)
    assert silent.is_hung(None, NOW)
    assert not child(is_ready=True, heard_at=NOW - HUNG_AFTER_S).is_hung(witness, NOW)


@pytest.mark.parametrize(
    "witness",
    [
        child("broker", heard_at=NOW - HUNG_AFTER_S, heard_since=NOW - 30),
        child("broker", heard_at=NOW, heard_since=NOW - 1),
    ],
    ids=["silent itself", "heard again only now"],
)
def test_nobody_is_blamed_for_the_silence_of_the_one_through_whom_he_is_heard(witness):
    assert not child(is_ready=True, heard_at=NOW - 2 * HUNG_AFTER_S).is_hung(witness, NOW)


def test_a_service_that_is_not_ready_yet_has_longer_and_one_that_is_not_there_cannot_hang():
    starting = child(started_at=NOW - HUNG_AFTER_S - 1)
    never_ready = child(started_at=NOW - READY_WITHIN_S - 1)

    assert not starting.is_hung(None, NOW)
    assert never_ready.is_hung(None, NOW)
    assert not child(process=False, heard_at=1.0).is_hung(None, NOW)


def test_a_service_that_says_it_is_still_starting_is_waited_for_but_not_for_ever():
    builds = child(started_at=NOW)
    for now in range(int(NOW), int(NOW + STARTED_WITHIN_S), 10):
        assert not builds.is_hung(None, now)
        builds.hear_starting(now)

    assert builds.starting_at == NOW + STARTED_WITHIN_S - 10
    builds.hear_starting(NOW + STARTED_WITHIN_S)
    assert not builds.is_hung(None, builds.starting_at + READY_WITHIN_S)
    assert builds.is_hung(None, builds.starting_at + READY_WITHIN_S + 1)


def test_a_silence_begins_a_new_time_of_being_heard():
    heard = child()
    heard.hear(NOW)
    heard.hear(NOW + PAUSE_S)
    assert (heard.heard_since, heard.heard_at, heard.is_ready) == (NOW, NOW + PAUSE_S, True)

    heard.hear(NOW + 2 * PAUSE_S + 0.1)
    assert heard.heard_since == NOW + 2 * PAUSE_S + 0.1


@pytest.fixture
def clock(monkeypatch):
    now = [NOW]
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def said() -> list[tuple[str, str]]:
    """Each reported line, with its service's name."""
    return []


@pytest.fixture
def services(clock, monkeypatch, said):
    """A supervisor that starts nothing, for services on another machine's broker."""
    monkeypatch.setattr(supervisor, "Bus", lambda *_: SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(supervisor, "_end", lambda *_: None)
    return Supervisor(
        ServiceSettings(broker="mqtt://elsewhere:1"), ["autopilot"], lambda *line: said.append(line)
    )


def test_a_service_that_dies_again_and_again_is_started_ever_later(services, clock, said):
    dying, waits = services._children["autopilot"], []
    for _ in range(6):
        dying.process, dying.started_at = SimpleNamespace(), clock[0]
        services._bury(dying, SimpleNamespace(returncode=1))
        waits.append(dying.due_at - clock[0])

    assert waits == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    assert dying.process is None
    assert len(said) == 6


def test_what_a_service_writes_is_passed_on_even_if_it_is_no_text(services, said, monkeypatch):
    writes = "import sys; sys.stdout.buffer.write(b'a driver: \\xff\\n'); print('and on')"
    monkeypatch.setattr(services, "launch", lambda name: ([sys.executable, "-c", writes], dict(os.environ)))
    heard = threading.Event()

    def tell(name: str, line: str) -> None:
        said.append((name, line))
        if line == "and on":
            heard.set()

    monkeypatch.setattr(services, "_on_line", tell, raising=False)
    services._start(services._children["autopilot"])

    assert heard.wait(PATIENCE_S)
    assert said == [("autopilot", "a driver: \ufffd"), ("autopilot", "and on")]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory"),
        (UserError("delivery.error.no_program", pod="autopilot", program="a-program"), "a-program"),
    ],
    ids=["no memory", "the program was removed meanwhile"],
)
def test_a_service_that_cannot_be_started_again_is_tried_again_later_and_the_watch_lives_on(
    services, clock, said, monkeypatch, error, why
):
    waiting, started = services._children["autopilot"], []

    def start(*_, **__):
        started.append(clock[0])
        if len(started) == 1:
            raise error
        return SimpleNamespace(stdout=[])

    def watch_once():
        turns = iter((False, True))
        services._stopping = SimpleNamespace(wait=lambda _: next(turns))
        services._watch()

    monkeypatch.setattr(supervisor.subprocess, "Popen", start)
    services._bus = SimpleNamespace(ready=list, beat=list, take=lambda _: None, close=list)
    watch_once()
    assert (waiting.process, waiting.due_at) == (None, NOW + BACK_OFF_S[1])
    assert [name for name, _ in said] == ["autopilot"] and why in said[0][1]

    clock[0] += BACK_OFF_S[1] - 0.1
    watch_once()
    clock[0] += 0.1
    watch_once()
    assert started == [NOW, NOW + BACK_OFF_S[1]]
    assert waiting.process is not None


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "no space"), BrokenPipeError(), SystemExit(1)])
def test_lines_that_cannot_be_shown_are_read_all_the_same_and_end_no_watch(services, said, error):
    def show(name: str, line: str) -> None:
        said.append((name, line))
        raise error

    services = Supervisor(services.settings, ["autopilot"], show)
    services._listen("autopilot", SimpleNamespace(stdout=["one\n", "two\n"]))
    services._bury(services._children["autopilot"], SimpleNamespace(returncode=1))

    assert [line for _, line in said][:2] == ["one", "two"]
    assert services._children["autopilot"].due_at == NOW + BACK_OFF_S[0]


def test_the_broker_is_stopped_last_since_the_others_say_farewell_through_it(services, monkeypatch):
    stopped: list[tuple[str, str]] = []
    started = Supervisor(ServiceSettings(), ["train", "autopilot"], lambda *_: None)
    for name, each in started._children.items():
        asked = partial(stopped.append, ("asked", name))
        each.process = cast(Any, SimpleNamespace(name=name, terminate=asked))
    patience_s: list[float] = []

    def end(process: Any, until: float) -> None:
        stopped.append(("ended", process.name))
        patience_s.append(until - NOW)

    monkeypatch.setattr(supervisor, "_end", end)
    monkeypatch.setattr(started, "_bus", SimpleNamespace(close=partial(stopped.append, ("closed", "bus"))))

    started.stop()

    assert stopped[0] == ("closed", "bus")
    assert set(stopped[1:3]) == {("asked", "train"), ("asked", "autopilot")}
    assert set(stopped[3:5]) == {("ended", "train"), ("ended", "autopilot")}
    assert stopped[5:] == [("asked", "broker"), ("ended", "broker")]
    assert set(patience_s) == {STOP_WITHIN_S}, "a train's side brakes before it ends"


def test_a_service_that_does_not_end_when_asked_is_killed_with_the_helpers_that_it_forked():
    forks = "trap '' TERM; sleep 60 & echo ready; wait; sleep 60"
    process = subprocess.Popen(
        ["sh", "-c", forks],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None and process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.terminate()

    supervisor._end(process, until=0.0)

    assert process.returncode == -signal.SIGKILL
    assert process.stdin.closed
    assert select.select([process.stdout], [], [], PATIENCE_S)[0], "a helper still writes"
    assert process.stdout.read() == ""


@pytest.mark.parametrize("jump_s", [-3600.0, 0.0, 3600.0])
@pytest.mark.parametrize(("said_ago_s", "is_heard"), [(0.1, True), (61.0, False)])
def test_a_heartbeat_of_the_process_before_is_none_whatever_the_clock_is_set_to(
    services, monkeypatch, jump_s, said_ago_s, is_heard
):
    wall = [1000.0]
    monkeypatch.setattr(supervisor, "CLOCK", SimpleNamespace(now=lambda: wall[0]))
    watched = services._children["autopilot"]
    watched.due_at = math.inf  # Nothing is started.
    services._start(watched)
    wall[0] += jump_s + 60
    said = [Status(service="autopilot", health=Health.READY, at=wall[0] - said_ago_s)]
    services._bus = SimpleNamespace(beat=bool, take=lambda _: said.pop() if said else None)
    services._listen_to_all(NOW + 60)

    assert watched.is_ready is is_heard


def test_a_service_that_died_is_not_ready_although_its_last_heartbeat_is_still_on_its_way(
    services, clock, monkeypatch
):
    monkeypatch.setattr(supervisor, "CLOCK", SimpleNamespace(now=lambda: clock[0]))
    dead = services._children["autopilot"]
    dead.process, dead.started_at, dead.is_ready = SimpleNamespace(), NOW - 60, True
    services._bury(dead, SimpleNamespace(returncode=-9))
    said = [Status(service="autopilot", health=Health.READY, at=NOW - 0.1)]
    services._bus = SimpleNamespace(beat=bool, take=lambda _: said.pop() if said else None)
    services._listen_to_all(NOW)

    assert not dead.is_ready


def test_one_that_had_lasted_is_started_again_at_once(services, clock):
    dying = services._children["autopilot"]
    dying.started_at, dying.back_off_s = NOW - LASTED_S - 1, 8.0
    services._bury(dying, SimpleNamespace(returncode=-9))

    assert dying.due_at == NOW + BACK_OFF_S[0]


def test_one_that_was_used_wrongly_is_not_started_again(services):
    dying = services._children["autopilot"]
    services._bury(dying, SimpleNamespace(returncode=WRONG_USAGE))

    assert (dying.process, dying.due_at, services._failed) == (None, math.inf, "autopilot")


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (ServiceSettings(), ["broker", "train", "autopilot"]),
        (ServiceSettings(broker="mqtt://elsewhere:1"), ["train", "autopilot"]),
    ],
)
def test_the_embedded_broker_is_one_more_service_where_no_other_is_named(services, settings, names):
    started = Supervisor(settings, ["train", "autopilot"], lambda *_: None)

    assert list(started._children) == names
    assert started.settings.broker.startswith("mqtt://")
    assert started.settings.link


def test_the_broker_is_judged_by_the_clock_the_train_by_its_controller_and_the_others_by_the_broker(services):
    started = Supervisor(ServiceSettings(), ["train", "controller", "autopilot"], lambda *_: None)
    children = started._children

    assert started._witness(children["broker"]) is None
    assert started._witness(children["train"]) is children["controller"]
    assert started._witness(children["autopilot"]) is children["broker"]


def test_a_trains_side_that_runs_elsewhere_is_waited_for_and_never_started(services):
    elsewhere = Supervisor(ServiceSettings(link="127.0.0.1:1"), ["train"], lambda *_: None)
    elsewhere._start(elsewhere._children["train"])

    assert elsewhere._children["train"].process is None
    assert elsewhere.settings.link == "127.0.0.1:1"


def test_all_are_waited_for_as_long_as_one_says_that_it_is_still_starting(services, clock, monkeypatch):
    builds = services._children["autopilot"]

    def pass_time(seconds: float) -> None:
        clock[0] += 10
        if clock[0] <= NOW + 3 * READY_WITHIN_S:
            builds.hear_starting(clock[0])

    monkeypatch.setattr(supervisor.time, "sleep", pass_time)
    builds.started_at = NOW
    with pytest.raises(UserError) as caught:
        services._wait_until_ready()

    assert caught.value.key == "live.error.not_ready"
    assert clock[0] == NOW + 4 * READY_WITHIN_S + 10
