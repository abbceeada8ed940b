"""The controller alone, with a broker and a link that only record messages."""

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("paho")

from fake_bus import FakeBus, fake_bus
from prometheus_client import REGISTRY

from brakepoint.messages import (
    Action,
    Control,
    GivenOrder,
    Health,
    Light,
    MissionState,
    OrderKind,
    Reason,
    TrainState,
)
from brakepoint.services import controller
from brakepoint.services.controller import RESUME_WITHIN_S, TRAIN_SILENT_S, Controller
from brakepoint.services.events import EventType
from brakepoint.services.gate import Refusal
from brakepoint.services.link import FromTrain
from brakepoint.services.topics import MISSION, ORDER, STATE
from brakepoint.texts import text

NOW = 5000.0
RUN = int(NOW) + 1
"""The first run that a person starts, if the controller knows of none before."""


class FakeLink:
    """Plays the train's radio."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.report: Any = None
        self.is_closed = False

    def send(self, order):
        self.sent.append(order)
        return True

    def take(self):
        report, self.report = self.report, None
        return report

    def close(self):
        self.is_closed = True


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """The time, which is constant until a test changes it."""
    now = [NOW]
    monkeypatch.setattr(controller, "CLOCK", SimpleNamespace(now=lambda: now[0]))
    return now


@pytest.fixture
def bus():
    return FakeBus()


@pytest.fixture
def link():
    return FakeLink()


@pytest.fixture
def at_rest(bus, link):
    """A controller that has not received anything yet."""
    return Controller(bus, link, "track-stop")


@pytest.fixture
def driving(at_rest, link):
    """A controller whose run has begun, and whose train has confirmed it."""
    at_rest.control(Control(action=Action.START, feed="", at=NOW))
    link.report = report(run=RUN)
    at_rest.turn()
    link.sent.clear()
    return at_rest


def report(run, at=NOW + 0.01, position_cm=30.0, seen_at=None, heard_at=None):
    state = TrainState(at=at, position_cm=position_cm, speed_cm_s=50, power=50, braking=False, light=Light.ON)
    return FromTrain(state=state, run=run, seen_at=seen_at, heard_at=heard_at)


def order(run=RUN, number=1, kind=OrderKind.FULL_SPEED, at=NOW):
    return GivenOrder(kind=kind, reason=Reason.CLEAR, at=at, giver="autopilot-1", number=number, run=run)


def mission(running=True, run=7, at=NOW - 1):
    return MissionState(run=run, feed="track-full", running=running, since=NOW - 60, at=at)


def kinds(link):
    return [(order.kind, order.reason) for order in link.sent]


BY_HAND = (OrderKind.BRAKE, Reason.BY_HAND)


def test_until_a_person_starts_a_run_the_train_is_braked_and_no_order_passes(at_rest, bus, link):
    link.report = report(run=RUN - 1)
    bus.bring(ORDER, order(run=RUN - 1))
    at_rest.turn()

    assert kinds(link) == [BY_HAND]
    assert bus.worked == 0


def test_a_controller_that_knows_of_no_run_uses_no_number_of_a_controller_before_it(at_rest, link, clock):
    """Otherwise a train and an autopilot in the other's run would believe that they are in this one."""
    at_rest.control(Control(action=Action.START, feed="", at=NOW))
    clock[0] += 2.0
    Controller(fake_bus(), link, "track-stop").control(Control(action=Action.START, feed="", at=clock[0]))

    one, other = (order.run for order in link.sent)
    assert one != other


def test_in_a_run_orders_pass_and_are_counted_as_work(driving, bus, link):
    bus.bring(ORDER, order())
    driving.turn()

    assert kinds(link) == [(OrderKind.FULL_SPEED, Reason.CLEAR)]
    assert (bus.worked, bus.refused) == (1, [])
    assert bus.events[-1] is EventType.ORDER_CHANGED


def test_an_order_that_only_says_the_same_again_is_not_an_event(driving, bus):
    for number in (1, 2):
        bus.bring(ORDER, order(number=number))
        driving.turn()
    bus.bring(ORDER, order(number=3, kind=OrderKind.BRAKE))
    driving.turn()

    assert bus.events.count(EventType.ORDER_CHANGED) == 2


def test_an_order_for_another_run_is_refused_and_counted(driving, bus, link):
    bus.bring(ORDER, order(run=9))
    driving.turn()

    assert link.sent == []
    assert (bus.worked, bus.refused) == (0, [ORDER.name])


def measured(name: str, **labels: str) -> float:
    """The value that Prometheus gets; 0 if there is none yet."""
    of = {"train": FakeBus.train_id, "service": "controller", **labels}
    return REGISTRY.get_sample_value(f"brakepoint_{name}", of) or 0.0


def test_prometheus_gets_each_refused_order_with_the_reason(driving, bus):
    before = measured("orders_refused_total", reason=Refusal.OTHER_RUN)
    bus.bring(ORDER, order(run=9))
    driving.turn()

    assert measured("orders_refused_total", reason=Refusal.OTHER_RUN) == before + 1


def test_prometheus_gets_whether_a_mission_runs_and_how_often_a_train_was_lost(driving, link):
    before = measured("train_lost_total")
    assert measured("mission_running") == 1
    link.report = report(run=RUN - 1)
    driving.turn()

    assert (measured("mission_running"), measured("train_lost_total")) == (0, before + 1)


def test_prometheus_gets_the_time_from_picture_to_train(driving, link):
    before = measured("order_latency_seconds_count"), measured("order_latency_seconds_sum")
    link.report = report(run=RUN, seen_at=9.75, heard_at=10.0)
    driving.turn()

    assert measured("order_latency_seconds_count") == before[0] + 1
    assert measured("order_latency_seconds_sum") == pytest.approx(before[1] + 0.25)


def test_a_start_puts_the_train_at_the_beginning_of_a_new_run(at_rest, bus, link):
    at_rest.control(Control(action=Action.START, feed="track-full", at=NOW))

    said = bus.said_of(MISSION)[-1]
    assert (said.run, said.feed, said.running, said.since) == (RUN, "track-full", True, NOW)
    assert bus.events == [EventType.MISSION_STARTED]
    assert kinds(link) == [BY_HAND] and link.sent[0].run == RUN


def test_another_feed_waits_for_a_start(at_rest, bus):
    at_rest.control(Control(action=Action.FEED, feed="track-full", at=NOW))

    said = bus.said_of(MISSION)[-1]
    assert (said.run, said.feed, said.running) == (RUN, "track-full", False)
    assert bus.events == []


def test_a_stop_ends_the_run_and_brakes(driving, bus, link):
    driving.control(Control(action=Action.STOP, feed="", at=NOW))
    bus.bring(ORDER, order())
    driving.turn()

    assert not bus.said_of(MISSION)[-1].running
    assert bus.events[-1] is EventType.MISSION_STOPPED
    assert kinds(link) == [BY_HAND]


def test_a_stop_of_what_stands_is_not_an_event(at_rest, bus):
    at_rest.control(Control(action=Action.STOP, feed="", at=NOW))

    assert bus.events == []


@pytest.mark.parametrize(
    ("known", "is_resumed"),
    [
        (mission(), True),
        (mission(at=NOW), True),
        (mission(at=NOW - RESUME_WITHIN_S + 0.1), True),
        (mission(at=NOW - RESUME_WITHIN_S), False),
        (mission(at=NOW + 1), False),
        (mission(running=False), False),
    ],
    ids=["just now", "this moment", "barely", "too long ago", "in the future", "at rest"],
)
def test_a_new_controller_resumes_a_run_that_was_under_way_just_now_and_no_other(
    bus, link, known, is_resumed
):
    bus.bring(MISSION, known)
    taken_over = Controller(bus, link, "track-stop")
    link.report = report(run=known.run)
    bus.bring(ORDER, order(run=known.run))
    taken_over.turn()

    expected = (OrderKind.LOW_SPEED, Reason.CLEAR) if is_resumed else BY_HAND
    assert kinds(link) == [expected]
    if not is_resumed:
        taken_over.control(Control(action=Action.STOP, feed="", at=NOW))
        assert (bus.said_of(MISSION)[-1].run, bus.said_of(MISSION)[-1].feed) == (known.run + 1, "track-stop")


@pytest.mark.parametrize("is_thrown_out", [False, True])
def test_a_controller_that_closes_ends_the_mission_unless_another_controller_has_taken_it_over(
    driving, bus, link, is_thrown_out
):
    bus.is_thrown_out = is_thrown_out
    driving.close()

    assert bus.said_of(MISSION)[-1].running is is_thrown_out
    assert kinds(link) == ([] if is_thrown_out else [BY_HAND])
    assert link.is_closed


def test_a_train_that_has_forgotten_its_run_is_lost_until_a_person_starts_another(driving, bus, link, capsys):
    link.report = report(run=RUN - 1)
    driving.turn()

    assert text("live.log.train_lost") in capsys.readouterr().out

    said = bus.said_of(MISSION)[-1]
    assert (said.running, said.train_lost) == (False, True)
    assert EventType.TRAIN_LOST in bus.events
    assert kinds(link) == [BY_HAND]

    driving.control(Control(action=Action.START, feed="", at=NOW))
    assert not bus.said_of(MISSION)[-1].train_lost


def test_a_train_that_has_not_heard_of_the_run_yet_is_notified_again(at_rest, bus, link):
    at_rest.control(Control(action=Action.START, feed="", at=NOW))
    link.sent.clear()
    link.report = report(run=RUN - 1)
    at_rest.turn()

    assert kinds(link) == [BY_HAND] and link.sent[0].run == RUN
    assert bus.said_of(MISSION)[-1].running


def test_where_the_train_is_is_said_of_this_run_alone(driving, bus, link):
    bus.said.clear()
    for at in (NOW - 1, NOW, NOW + 1):
        link.report = report(run=RUN, at=at)
        driving.turn()

    assert [message.at for message in bus.said_of(STATE)] == [NOW + 1]


def test_the_trains_health_is_what_is_heard_of_it(at_rest, bus, link, clock):
    at_rest.turn()
    link.report = report(run=RUN - 1, at=NOW)
    at_rest.turn()
    clock[0] = NOW + TRAIN_SILENT_S
    at_rest.turn()

    assert [status.health for status in bus.reports] == [Health.GONE, Health.READY, Health.GONE]
    assert {status.service for status in bus.reports} == {"train"}


def test_between_two_heartbeats_nothing_is_repeated(at_rest, bus):
    bus.beats = False
    at_rest.turn()

    assert bus.said == bus.reports == []


def test_the_time_from_picture_to_train_is_measured_once_for_each_order(driving, bus, link):
    for heard_at in (10.0, 10.0, 11.0):
        assert bus.latency is None
        link.report = report(run=RUN, seen_at=heard_at - 0.1, heard_at=heard_at)
        driving.turn()

    assert bus.latency is not None
    assert bus.latency.median_ms == pytest.approx(100.0)


def test_the_reported_latency_is_the_median_and_the_95th_percentile(driving, bus, link):
    for number in range(100):
        link.report = report(run=RUN, seen_at=0.0, heard_at=(number + 1) / 1000)
        driving.turn()

    assert bus.latency.median_ms == pytest.approx(50.5)
    assert bus.latency.p95_ms == pytest.approx(96.0, abs=0.1)


def test_the_mission_is_repeated_with_each_heartbeat_so_that_a_new_controller_can_resume_it(
    driving, bus, clock
):
    clock[0] = NOW + 9
    driving.turn()

    said = bus.said_of(MISSION)[-1]
    assert (said.run, said.running, said.at, said.since) == (RUN, True, NOW + 9, NOW)


def test_closing_it_leaves_a_braked_train_and_no_run(driving, bus, link):
    driving.close()

    assert kinds(link) == [BY_HAND]
    assert link.is_closed
    assert not bus.said_of(MISSION)[-1].running
