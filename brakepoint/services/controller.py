"""The controller: passes the autopilot's orders on to the train, as long as a person lets the train drive."""

import os
import threading
import time
from collections import deque
from statistics import median, quantiles

from brakepoint.messages import (
    Action,
    Control,
    GivenOrder,
    Health,
    MissionState,
    OrderKind,
    Reason,
    SignClass,
    Status,
)
from brakepoint.services import ServiceSettings, address, metrics, tell
from brakepoint.services.bus import Bus, Latency, ThrownOut
from brakepoint.services.clock import CLOCK
from brakepoint.services.events import EventType
from brakepoint.services.gate import Gate, Refusal
from brakepoint.services.link import FromTrain, Link
from brakepoint.services.service_loop import ProbeFile, serve
from brakepoint.services.topics import CONTROL, MISSION, ORDER, STATE, STATUS
from brakepoint.texts import text

TURN_S = 1 / 60
"""Longest wait for an order: the train's reports arrive 30 times a second, and none should wait longer."""
RESUME_WITHIN_S = 30.0
"""A restarted controller resumes a mission that is no older than this; a person must restart older ones."""
LISTEN_S = 1.0
"""How long a new controller listens for such a mission before it declares its own."""
TRAIN_SILENT_S = 1.0
"""A train that has not reported for this long is absent."""
OTHER_GONE_S = 3.0
"""Another controller of the same train that has been silent for this long has gone.

A supervisor waits longer before it restarts a controller that stands by and therefore reports nothing.
"""
LATENCIES = 900
"""Number of latencies that are kept: a minute's worth at the control rate."""


Meaning = tuple[OrderKind, Reason, SignClass | None]


class Controller:
    """Passes orders on while the mission runs, and otherwise brakes, with `Reason.BY_HAND`.

    Args:
        bus: The broker.
        link: The train.
        feed: The first feed, or the URI of a real camera.
    """

    def __init__(self, bus: Bus, link: Link, feed: str) -> None:
        self._bus, self._link = bus, link
        self._gate = Gate()
        self._giver, self._number = f"controller-{os.getpid()}", 0
        self._report: FromTrain | None = None
        self._refusal: Refusal | None = None
        self._meaning: Meaning | None = None
        self._has_begun = False  # Whether the train is known to be in this run.
        self._latencies_ms: deque[float] = deque(maxlen=LATENCIES)
        self._mission = self._find_mission(feed)

    def _find_mission(self, feed: str) -> MissionState:
        """The mission that was running when the previous controller died, or else a new one, at rest."""
        now = CLOCK.now()
        known = self._bus.take(MISSION, LISTEN_S)
        if known is not None and known.running and 0 <= now - known.at < RESUME_WITHIN_S:
            tell("resumed", feed=known.feed)
            self._gate.begin_run(known.run, resumed=True)
            self._has_begun = True
            return known
        # Higher than the numbers of any earlier controller, even of one of which nothing is known.
        run = known.run + 1 if known else int(now)
        return MissionState(run=run, feed=feed, running=False, since=now, at=now)

    def control(self, control: Control) -> None:
        """Starts or stops the train, or puts it at the start of another feed."""
        if control.action is Action.STOP:
            tell("stopped")
            self._end()
        elif control.action is Action.FEED:
            self._begin(control.feed or self._mission.feed, running=False)
        elif control.action is Action.START:
            self._begin(control.feed or self._mission.feed, running=True)

    def turn(self) -> None:
        """Passes the newest order on, or brakes, and publishes the train's state."""
        order = self._bus.take(ORDER, TURN_S)
        self._hear_train()
        if not self._mission.running:
            self._brake()
        elif order is not None:
            self._pass_on(order)
        if self._bus.beat(latency=self._latency()):
            self._change()
            self._report_train()

    def close(self) -> None:
        """Brakes, and leaves no mission that could be resumed, unless another controller has taken over."""
        if not self._bus.is_thrown_out:
            self._end()
            self._brake()
        self._link.close()

    def _begin(self, feed: str, running: bool) -> None:
        tell("started" if running else "at_start", feed=feed)
        run = self._mission.run + 1
        self._gate.begin_run(run)
        self._latencies_ms.clear()
        self._meaning, self._has_begun = None, False
        self._change(run=run, feed=feed, running=running, since=CLOCK.now(), train_lost=False)
        if running:
            self._bus.tell_event(EventType.MISSION_STARTED, run=run, feed=feed)
        self._brake()  # A person's brake with a new run number puts the train at the start.

    def _end(self) -> None:
        if self._mission.running:
            self._bus.tell_event(EventType.MISSION_STOPPED, run=self._mission.run, feed=self._mission.feed)
        self._change(running=False)

    def _lose_train(self) -> None:
        """Ends a run that a restarted train has forgotten; a person must start a new one."""
        tell("train_lost")
        metrics.TRAIN_LOST.labels(self._bus.train_id, "controller").inc()
        self._bus.tell_event(EventType.TRAIN_LOST, run=self._mission.run, feed=self._mission.feed)
        self._change(running=False, train_lost=True)

    def _change(self, **changes: object) -> None:
        self._mission = self._mission.model_copy(update={**changes, "at": CLOCK.now()})
        metrics.MISSION_RUNNING.labels(self._bus.train_id, "controller").set(self._mission.running)
        self._bus.say(MISSION, self._mission)

    def _pass_on(self, order: GivenOrder) -> None:
        now = CLOCK.now()
        refusal = self._gate.refusal(order, now)
        if refusal is not None and refusal is not self._refusal:
            tell("refused", why=text(f"live.refusal.{refusal}"))
        self._refusal = refusal
        if refusal is not None:
            self._bus.refuse(ORDER)
            metrics.ORDERS_REFUSED.labels(self._bus.train_id, "controller", refusal).inc()
        elif self._report is not None:
            passed = self._gate.passed(order, now, self._report.state.position_cm)
            if self._link.send(passed):
                self._bus.work()
                self._tell_change(passed, self._report.state.position_cm)

    def _tell_change(self, order: GivenOrder, position_cm: float) -> None:
        if order.meaning != self._meaning:
            self._meaning = order.meaning
            self._bus.tell_event(
                EventType.ORDER_CHANGED,
                run=order.run,
                position_cm=round(position_cm, 1),
                **order.model_dump(mode="json", include={"kind", "reason", "sign"}),
            )

    def _brake(self) -> None:
        self._number += 1
        order = GivenOrder(
            kind=OrderKind.BRAKE,
            reason=Reason.BY_HAND,
            at=CLOCK.now(),
            giver=self._giver,
            number=self._number,
            run=self._mission.run,
        )
        self._link.send(order)

    def _hear_train(self) -> None:
        report = self._link.take()
        if report is None:
            return
        last, self._report = self._report, report
        if report.run == self._mission.run:
            self._has_begun = True
            if report.state.at > self._mission.since:
                self._bus.say(STATE, report.state)
        elif self._mission.running and self._has_begun:
            self._lose_train()
        elif self._mission.running:
            self._brake()  # The train does not know yet that a person began this run.
        is_new = last is None or report.heard_at != last.heard_at
        if is_new and report.seen_at is not None and report.heard_at is not None:
            latency_s = report.heard_at - report.seen_at
            self._latencies_ms.append(1000 * latency_s)
            metrics.ORDER_LATENCY.labels(self._bus.train_id, "controller").observe(latency_s)

    def _latency(self) -> Latency | None:
        if len(self._latencies_ms) < 2:
            return None
        p95_ms = quantiles(self._latencies_ms, n=20)[-1]
        return Latency(round(median(self._latencies_ms), 1), round(p95_ms, 1))

    def _report_train(self) -> None:
        """Publishes the train's status, since the train isn't on the broker: its reports show its health."""
        now = CLOCK.now()
        is_heard = self._report is not None and now - self._report.state.at < TRAIN_SILENT_S
        health = Health.READY if is_heard else Health.GONE
        self._bus.report(Status(service="train", health=health, at=now))


def run(settings: ServiceSettings, stopping: threading.Event) -> None:
    """Connects to the broker and the train; stands by while another controller drives the same train."""
    while not stopping.is_set():
        try:
            with Bus(settings, "controller", (CONTROL, ORDER, MISSION)) as bus:
                await_broker(bus, stopping)
                serve(Controller(bus, Link(*address(settings.link)), settings.shown), bus, stopping)
        except ThrownOut:
            tell("another_controller", train_id=settings.train_id)
            with Bus(settings, "", (STATUS,)) as listener:
                stand_by(listener, stopping)


def await_broker(bus: Bus, stopping: threading.Event) -> None:
    """Waits for the broker, which alone knows whether a mission was running; the train brakes by itself."""
    heartbeat = ProbeFile()
    while not bus.is_connected and not stopping.wait(TURN_S):
        heartbeat.beat()


def stand_by(listener: Bus, stopping: threading.Event) -> None:
    """Waits until no other controller has been heard from for a while."""
    heartbeat, heard_at = ProbeFile(), time.monotonic()
    while not stopping.is_set() and time.monotonic() - heard_at < OTHER_GONE_S:
        heartbeat.beat()
        status = listener.take(STATUS, TURN_S)
        if status is not None and status.service == "controller" and status.health is Health.READY:
            heard_at = time.monotonic()
