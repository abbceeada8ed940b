import asyncio
import errno
import socket
import threading
from contextlib import suppress
from itertools import takewhile

import pytest
from patience import PATIENCE_S
from prometheus_client import REGISTRY

from brakepoint.adapters import SIMULATED_HUB
from brakepoint.locomotive import STOPPING_LIMIT_CM, braking_distance_cm
from brakepoint.messages import GivenOrder, OrderKind, Reason
from brakepoint.rules import FULL_SPEED_CM_S, ORDER_AGE_MAX_S, WATCHDOG_S
from brakepoint.services import ServiceSettings, train_side
from brakepoint.services.clock import CLOCK
from brakepoint.services.link import FromTrain
from brakepoint.services.train_side import GuardedTrain
from brakepoint.sockets import LOCALHOST, answers, free_port
from stubs.printing_hub import PrintingHub


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def order(at, number=0, run=1, reason=Reason.CLEAR, kind=OrderKind.FULL_SPEED):
    return GivenOrder(kind=kind, reason=reason, at=at, giver="test", number=number, run=run)


def begin(train, clock, run=1):
    train.hear(order(clock.now, run=run, reason=Reason.BY_HAND, kind=OrderKind.BRAKE))


def drive(train, clock, seconds):
    begin(train, clock)
    until = clock.now + seconds
    while clock.now < until:
        train.hear(order(clock.now))
        clock.now += WATCHDOG_S / 3
    return train.report().state


def test_a_train_without_orders_stands(clock):
    train = GuardedTrain(clock=clock, now=clock)
    clock.now += 10

    assert train.report().state.speed_cm_s == 0


@pytest.mark.parametrize("asleep_s", [0.01, 5.0])
def test_the_watchdog_bites_in_time_however_late_it_looks(clock, asleep_s):
    train = GuardedTrain(clock=clock, now=clock)
    before = drive(train, clock, 5)
    last_heard = clock.now - WATCHDOG_S / 3
    while clock.now < last_heard + 5:
        clock.now += asleep_s
        train.report()

    state = train.report().state
    assert state.speed_cm_s == 0
    rolled_cm = state.position_cm - before.position_cm + FULL_SPEED_CM_S * WATCHDOG_S / 3
    assert rolled_cm == pytest.approx(
        FULL_SPEED_CM_S * WATCHDOG_S + braking_distance_cm(FULL_SPEED_CM_S), abs=0.1
    )
    assert rolled_cm < STOPPING_LIMIT_CM


def test_an_old_order_is_not_heard(clock):
    train = GuardedTrain(clock=clock, now=clock)
    begin(train, clock)
    assert not train.hear(order(clock.now - 1.1 * ORDER_AGE_MAX_S))
    clock.now += WATCHDOG_S / 2

    assert train.report().state.speed_cm_s == 0


@pytest.mark.parametrize(
    ("age_s", "is_heard"), [(0.99 * ORDER_AGE_MAX_S, True), (1.01 * ORDER_AGE_MAX_S, False)]
)
def test_an_order_is_heard_up_to_its_greatest_age(clock, age_s, is_heard):
    train = GuardedTrain(clock=clock, now=clock)
    begin(train, clock)

    assert train.hear(order(clock.now - age_s)) is is_heard


def test_the_report_says_when_the_last_order_came_and_on_what_it_was_decided(clock):
    train = GuardedTrain(clock=clock, now=clock)
    assert (train.report().run, train.report().seen_at) == (-1, None)
    begin(train, clock)
    clock.now += 0.1
    train.hear(order(clock.now).model_copy(update={"seen_at": clock.now - 0.05}))
    heard_at = clock.now
    clock.now += 0.1

    report = train.report()
    assert (report.heard_at, report.seen_at, report.state.at) == (heard_at, heard_at - 0.05, clock.now)


def test_a_new_run_puts_the_train_at_the_start(clock):
    train = GuardedTrain(clock=clock, now=clock)
    drive(train, clock, 3)
    begin(train, clock, run=2)

    report = train.report()
    assert (report.run, report.state.position_cm, report.state.speed_cm_s) == (2, 0, 0)


def test_only_a_person_begins_a_run(clock):
    started_anew = GuardedTrain(clock=clock, now=clock)

    assert not started_anew.hear(order(clock.now, run=1))
    clock.now += WATCHDOG_S / 2
    assert started_anew.report().state.speed_cm_s == 0
    assert started_anew.report().run == -1


def test_the_watchdog_bites_once_for_each_silence(clock):
    bites = []
    train = GuardedTrain(clock=clock, now=clock, bitten=lambda: bites.append(clock.now))
    for _ in range(2):
        drive(train, clock, 1)
        for _ in range(5):
            clock.now += WATCHDOG_S
            train.report()

    assert len(bites) == 2


def test_a_real_hub_is_opened_once_and_its_distances_count_from_the_start_of_the_run(clock, monkeypatch):
    opened, times = [], []

    class RealHub(PrintingHub):
        is_simulated = False

        def state(self, now):
            times.append(now)
            return super().state(now)

    def open_hub(uri):
        opened.append(RealHub(None))
        return opened[-1]

    monkeypatch.setattr("brakepoint.services.train_side.open_hub", open_hub)
    train = GuardedTrain("ble:", clock=clock, now=clock)
    drive(train, clock, 3)
    assert train.report().state.position_cm > 50
    clock.now += 5
    begin(train, clock, run=2)

    assert train.report().state.position_cm == 0
    assert len(opened) == 1
    assert times == sorted(times)


@pytest.mark.parametrize("jump_s", [-7200.0, 7200.0])
def test_the_watchdog_bites_in_time_whatever_the_clock_of_the_messages_does(clock, jump_s):
    wall = Clock()
    train = GuardedTrain(clock=clock, now=wall)
    begin(train, wall)
    while clock.now < 1005:
        assert train.hear(order(wall.now))
        clock.now, wall.now = clock.now + WATCHDOG_S / 3, wall.now + WATCHDOG_S / 3
    before = train.report().state
    wall.now += jump_s
    after = train.report().state
    clock.now += 3

    assert before.speed_cm_s > 0
    assert (after.speed_cm_s, after.position_cm) == (before.speed_cm_s, before.position_cm)
    assert after.at == wall.now
    assert train.report().state.speed_cm_s == 0
    assert train.hear(order(wall.now)), "orders by the new clock count"
    assert train.hear(order(wall.now - ORDER_AGE_MAX_S - 0.1)) is False


def test_a_report_is_sent_thirty_times_a_second(monkeypatch) -> None:
    stopping, pauses_s = threading.Event(), []

    async def sleep(seconds: float) -> None:
        pauses_s.append(seconds)
        if len(pauses_s) == 3:
            stopping.set()

    monkeypatch.setattr(train_side.asyncio, "sleep", sleep)
    train_side.run(ServiceSettings(hub=SIMULATED_HUB, link=f"127.0.0.1:{free_port()}"), stopping)

    assert pauses_s == [pytest.approx(1 / 30)] * 4


def serve_one_connection(stopping: threading.Event) -> None:
    """Runs the train's side, and connects to it once; returns when it has stopped."""
    port = free_port()
    settings = ServiceSettings(hub=SIMULATED_HUB, link=f"{LOCALHOST}:{port}")
    train = threading.Thread(target=train_side.run, args=(settings, stopping))
    train.start()
    while train.is_alive() and not answers(LOCALHOST, port):
        pass
    train.join()


@pytest.mark.parametrize("number", [errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ECONNRESET])
def test_a_radio_that_fails_is_a_lost_link_and_no_trace_in_the_log(monkeypatch, caplog, number) -> None:
    stopping = threading.Event()

    async def readline(_: object) -> bytes:
        stopping.set()
        raise OSError(number, "the radio failed")

    monkeypatch.setattr(train_side.asyncio.StreamReader, "readline", readline)
    serve_one_connection(stopping)

    assert stopping.is_set()
    assert not [record for record in caplog.records if record.name == "asyncio"]


def test_a_controller_that_connects_while_the_train_stops_leaves_no_trace_in_the_log(caplog) -> None:
    port, connections = free_port(), []

    class Stopping(threading.Event):
        def is_set(self) -> bool:
            connections.append(socket.create_connection((LOCALHOST, port)))
            return True

    train_side.run(ServiceSettings(hub=SIMULATED_HUB, link=f"{LOCALHOST}:{port}"), Stopping())

    with connections[0] as controller, suppress(ConnectionResetError):
        controller.settimeout(PATIENCE_S)
        assert controller.recv(1) == b""
    assert not [record for record in caplog.records if record.name == "asyncio"]


def test_a_controller_that_is_still_connected_at_the_end_leaves_no_trace_in_the_log(
    monkeypatch, caplog
) -> None:
    stopping = threading.Event()

    async def readline(_: object) -> bytes:
        stopping.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(train_side.asyncio.StreamReader, "readline", readline)
    serve_one_connection(stopping)

    assert stopping.is_set()
    assert not [record for record in caplog.records if record.name == "asyncio"]


def line(said: GivenOrder) -> bytes:
    return said.model_dump_json().encode() + b"\n"


@pytest.mark.live
def test_prometheus_gets_what_happened_to_the_train_and_at_its_link() -> None:
    stopping, port = threading.Event(), free_port()
    settings = ServiceSettings(train_id="measured", hub=SIMULATED_HUB, link=f"{LOCALHOST}:{port}")
    side = threading.Thread(target=train_side.run, args=(settings, stopping), daemon=True)
    side.start()
    while not answers(LOCALHOST, port):
        assert side.is_alive()
    until = CLOCK.now() + PATIENCE_S
    with socket.create_connection((LOCALHOST, port)) as link, link.makefile("rb") as reports:
        in_time = takewhile(lambda _: CLOCK.now() < until, reports)
        said = (FromTrain.model_validate_json(report) for report in in_time)
        link.sendall(b"not an order\n")
        link.sendall(line(order(CLOCK.now() - 2 * ORDER_AGE_MAX_S)))
        sent = 2
        while next(said).run != 1:  # On a busy machine, an order may be too old when it arrives.
            link.sendall(line(order(CLOCK.now(), reason=Reason.BY_HAND, kind=OrderKind.BRAKE)))
            sent += 1
        while next(said).state.speed_cm_s < 5:
            link.sendall(line(order(CLOCK.now())))
            sent += 1
        at_rest = next(report.state for report in said if report.state.speed_cm_s == 0)  # It hears nothing.
        stopping.set()
    side.join()

    def measured(name: str, **labels: str) -> float | None:
        of = {"train": "measured", "service": "train", **labels}
        return REGISTRY.get_sample_value(f"brakepoint_{name}", of)

    assert measured("messages_total", topic="link") == sent
    assert measured("messages_refused_total", topic="link") == 1
    assert (measured("orders_refused_total", reason="train") or 0) >= 1
    assert (measured("watchdog_bites_total") or 0) >= 1
    assert (measured("train_speed_cm_s"), measured("train_position_cm")) == (0, at_rest.position_cm)
    assert at_rest.position_cm > 0
