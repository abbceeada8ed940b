"""Drives one feed with the services as processes, and records the run like one on the virtual clock."""

import time
from collections.abc import Callable

from brakepoint.errors import UserError
from brakepoint.messages import Action, Control, MissionState
from brakepoint.mission.drive import Assignment, News, TellProgress
from brakepoint.mission.loop import time_limit_s
from brakepoint.mission.records import Run
from brakepoint.services import ServiceSettings
from brakepoint.services.bus import Bus
from brakepoint.services.clock import CLOCK
from brakepoint.services.referee import Referee
from brakepoint.services.service_loop import CONTROL_AGE_MAX_S
from brakepoint.services.supervisor import Supervisor
from brakepoint.services.topics import CONTROL, DETECTIONS, MISSION, ORDERS, STATE
from brakepoint.truth import GroundTruth, load_truth

DRIVING = ("train", "controller", "capture", "detector", "autopilot")
"""The services needed to drive, without the monitor."""
TURN_S = 0.05
START_WITHIN_S = 20.0
AGAIN_S = 1.0
"""How long to wait before an unanswered request is repeated."""


def drive_live(assignment: Assignment, settings: ServiceSettings, tell: TellProgress) -> Run:
    """Starts the services, drives the feed once, and stops them.

    Args:
        assignment: The feed and how to drive it.
        settings: Settings of the services.
        tell: Called with the train's progress and the services' output.

    Raises:
        UserError: A service cannot start, or the run does not end.
    """
    truth = load_truth(assignment.video.with_suffix(".json"))
    news = News(assignment.feed, truth.length_cm, tell)

    def tell_line(service: str, line: str) -> None:
        news.write(f"{service}: {line}")

    with Supervisor(settings, DRIVING, tell_line) as services:
        topics = (DETECTIONS, ORDERS, STATE, MISSION)
        with Bus(services.settings, "", topics) as bus:
            referee = watch(bus, truth, start(bus, settings.feed), news)
            stop(bus)
    return referee.run


def start(bus: Bus, feed: str) -> MissionState:
    """Requests a run, and waits until it has begun."""
    before = bus.take(MISSION, START_WITHIN_S)
    if before is None:
        raise UserError("live.error.not_ready", services="controller")
    return _insist(bus, Action.START, feed, lambda mission: mission.running and mission.run > before.run)


def stop(bus: Bus) -> None:
    """Stops the train."""
    _insist(bus, Action.STOP, "", lambda mission: not mission.running)


def _insist(bus: Bus, action: Action, feed: str, is_done: Callable[[MissionState], bool]) -> MissionState:
    """Repeats a request until it is carried out, since the broker may be unavailable.

    A controller that receives the same request twice carries it out once, and ignores an old request.
    """
    until, due = time.monotonic() + START_WITHIN_S, 0.0
    request = Control(action=action, feed=feed, at=CLOCK.now())
    while time.monotonic() < until:
        if time.monotonic() >= due:
            if CLOCK.now() - request.at > CONTROL_AGE_MAX_S:
                request = request.model_copy(update={"at": CLOCK.now()})
            bus.say(CONTROL, request)
            due = time.monotonic() + AGAIN_S
        mission = bus.take(MISSION, TURN_S)
        if mission is not None and is_done(mission):
            return mission
    raise UserError("live.error.time_limit")


def watch(bus: Bus, truth: GroundTruth, mission: MissionState, news: News | None = None) -> Referee:
    """Records a run, from its beginning until it is over."""
    referee = Referee(truth, mission)
    until = time.monotonic() + time_limit_s(truth) + START_WITHIN_S
    while referee.ending is None:
        if time.monotonic() > until:
            raise UserError("live.error.time_limit")
        if (said := bus.take(MISSION)) is not None and said.train_lost:
            referee.lose_train()
        if (detections := bus.take(DETECTIONS)) is not None:
            referee.hear_detections(detections)
        while (order := bus.take(ORDERS)) is not None:
            referee.hear_order(order)
        told = len(referee.ticks)
        if (state := bus.take(STATE, TURN_S)) is not None:
            referee.hear_state(state)
        for tick in referee.ticks[told:]:
            if news is not None:
                news.observe(tick, None)
    return referee
