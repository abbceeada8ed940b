"""The controller: passes the autopilot's orders on to the train, as long as a person lets it."""

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
    Status,
)
from brakepoint.services import Settings, address
from brakepoint.services.bus import Bus, Latency
from brakepoint.services.gate import Gate, Refusal
from brakepoint.services.link import FromTrain, Link
from brakepoint.services.serving import serve, tell
from brakepoint.services.topics import CONTROL, MISSION, ORDER, STATE
from brakepoint.texts import text

TURN_S = 1 / 60
"""The train's reports come 30 times a second; none shall wait long."""
RESUME_WITHIN_S = 30.0
"""A restarted controller goes on with a mission that is not older; any other needs a person."""
LISTEN_S = 1.0
"""How long a new controller listens for such a mission before it declares its own."""
LATENCIES = 900
"""A minute's worth at the control rate."""


class Controller:
    """Lets orders through while the mission runs, and else brakes by hand.

    Args:
        bus: The broker.
        link: The train.
        feed: The feed to begin with.
    """

    def __init__(self, bus: Bus, link: Link, feed: str) -> None:
        self._bus, self._link = bus, link
        self._gate = Gate()
        self._giver, self._number = f"controller-{os.getpid()}", 0
        self._report: FromTrain | None = None
        self._refusal: Refusal | None = None
        self._latencies_ms: deque[float] = deque(maxlen=LATENCIES)
        self._mission = self._find_mission(feed)

    def _find_mission(self, feed: str) -> MissionState:
        """The mission that was under way when the controller before died, or else a new one, at rest."""
        now = time.time()
        known = self._bus.take(MISSION, LISTEN_S)
        if known is not None and known.running and 0 <= now - known.at < RESUME_WITHIN_S:
            tell("resumed", feed=known.feed)
            self._gate.begin_run(known.run, resumed=True)
            return known
        return MissionState(run=known.run + 1 if known else 0, feed=feed, running=False, since=now, at=now)

    def control(self, control: Control) -> None:
        """Starts, stops, or puts the train at the start of another feed."""
        if control.action is Action.STOP:
            tell("stopped")
            self._change(running=False)
        elif control.action is Action.FEED:
            self._begin(control.feed or self._mission.feed, running=False)
        elif control.action is Action.START:
            self._begin(control.feed or self._mission.feed, running=True)

    def turn(self) -> None:
        """Passes the newest order on, or brakes, and says where the train is."""
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
        """Brakes, and leaves nothing that would be taken up again."""
        self._change(running=False)
        self._brake()
        self._link.close()

    def _begin(self, feed: str, running: bool) -> None:
        tell("started" if running else "at_start", feed=feed)
        run = self._mission.run + 1
        self._gate.begin_run(run)
        self._latencies_ms.clear()
        self._change(run=run, feed=feed, running=running, since=time.time())
        self._brake()  # The first order of a run puts the train at the start.

    def _change(self, **changes: object) -> None:
        self._mission = self._mission.model_copy(update={**changes, "at": time.time()})
        self._bus.say(MISSION, self._mission)

    def _pass_on(self, order: GivenOrder) -> None:
        now = time.time()
        refusal = self._gate.refusal(order, now)
        if refusal is not None and refusal is not self._refusal:
            tell("refused", why=text(f"live.refusal.{refusal}"))
        self._refusal = refusal
        if refusal is not None:
            self._bus.refused += 1
        elif self._report is not None:
            passed = self._gate.passed(order, now, self._report.state.position_cm)
            self._bus.done += self._link.send(passed)

    def _brake(self) -> None:
        self._number += 1
        order = GivenOrder(
            kind=OrderKind.BRAKE,
            reason=Reason.BY_HAND,
            at=time.time(),
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
        if report.run == self._mission.run and report.state.at > self._mission.since:
            self._bus.say(STATE, report.state)
        is_new = last is None or report.heard_at != last.heard_at
        if is_new and report.seen_at is not None and report.heard_at is not None:
            self._latencies_ms.append(1000 * (report.heard_at - report.seen_at))

    def _latency(self) -> Latency | None:
        if len(self._latencies_ms) < 2:
            return None
        p95_ms = quantiles(self._latencies_ms, n=20)[-1]
        return Latency(round(median(self._latencies_ms), 1), round(p95_ms, 1))

    def _report_train(self) -> None:
        """The train is not on the broker: its health is that of the link."""
        health = Health.READY if self._link.is_up else Health.GONE
        self._bus.report(Status(service="train", health=health, at=time.time()))


def run(settings: Settings, stopping: threading.Event) -> None:
    """Joins the broker and the train."""
    topics = (CONTROL, ORDER, MISSION)
    with Bus(settings.broker, settings.train_id, "controller", topics) as bus:
        serve(Controller(bus, Link(*address(settings.link)), settings.feed), bus, stopping)
