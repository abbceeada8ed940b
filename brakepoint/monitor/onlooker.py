"""The monitor's state: the monitor listens to all messages, records the run, and reports news."""

import threading
import time
from collections import deque
from typing import Any

from pydantic import TypeAdapter, ValidationError

from brakepoint.errors import UserError
from brakepoint.feeds import feed_names, find_named_feed
from brakepoint.messages import (
    Action,
    Control,
    Detections,
    FeedName,
    GivenOrder,
    Health,
    MissionState,
    Picture,
    Status,
    TrainState,
    Wish,
)
from brakepoint.mission.records import Score
from brakepoint.mission.scoring import score_run
from brakepoint.services import SERVICES, tell
from brakepoint.services.bus import HEARTBEAT_S, Bus
from brakepoint.services.clock import CLOCK
from brakepoint.services.events import EventType
from brakepoint.services.referee import Referee
from brakepoint.services.topics import CONTROL, DETECTIONS, MISSION, ORDERS, PICTURE, STATE, STATUS, Topic
from brakepoint.truth import GroundTruth, load_truth

TURN_S = 0.02
SILENT_AFTER_S = 3 * HEARTBEAT_S
SIGNS_AGE_MAX_S = 1.0
"""Boxes of older frames are not drawn: they would suggest that a failed detector still works."""
UNHEARD_AFTER_S = 3.0
"""If a service reports work, but its messages are missing for this long, the broker is blocking them."""
SOURCES: dict[str, Topic[Any]] = {"capture": PICTURE, "detector": DETECTIONS, "autopilot": ORDERS}
"""The topics on which each service is heard, if the broker passes them on."""
UNANSWERED_AFTER_S = 2.0
STOP_AGAIN_S = 1.0
"""A stop that the controller has not carried out is repeated this often: the broker may have been down."""
MAP_STEP_CM = 4.0
ORDERS_SHOWN = 60

FEED_NAME = TypeAdapter(FeedName)

Json = dict[str, Any]


class Onlooker:
    """Listens as a `Part` of a service loop; the page's server reads the state in other threads.

    Args:
        bus: The broker.
        own: The feed with which the train was started; may be a path.

    Attributes:
        picture: The newest frame.
        version: Incremented whenever `story` changes.
    """

    def __init__(self, bus: Bus, own: str = "") -> None:
        self._bus, self._own = bus, own
        self._lock = threading.Lock()
        self._mission: MissionState | None = None
        self._truth: GroundTruth | None = None
        self._referee: Referee | None = None
        self._score: Score | None = None
        self._state: TrainState | None = None
        self._detections: Detections | None = None
        self._orders: deque[Json] = deque(maxlen=ORDERS_SHOWN)  # A run on a real line may last all day.
        self._statuses: dict[str, Status] = {}
        self._heard_at = dict.fromkeys(SOURCES, time.monotonic())
        self._asked_at: float | None = None
        self._to_stop: int | None = None
        self._stopped_at = 0.0
        self.picture: Picture | None = None
        self.version = 0

    def control(self, control: Control) -> None:
        """Notes that the broker has passed on a request; the controller answers it."""
        self._asked_at = None

    def turn(self) -> None:
        """Processes the messages since the last turn."""
        state = self._bus.take(STATE, TURN_S)
        with self._lock:
            if (mission := self._bus.take(MISSION)) is not None:
                self._follow(mission)
            if (picture := self._bus.take(PICTURE)) is not None:
                self.picture, self._heard_at["capture"] = picture, time.monotonic()
            if (detections := self._bus.take(DETECTIONS)) is not None:
                self._detections, self._heard_at["detector"] = detections, time.monotonic()
                if self._referee:
                    self._referee.hear_detections(detections)
            while (order := self._bus.take(ORDERS)) is not None:
                self._heard_at["autopilot"] = time.monotonic()
                self._hear_order(order)
            while (status := self._bus.take(STATUS)) is not None:
                if status.service in SERVICES:
                    self._statuses[status.service] = status
            if state is not None:
                self._hear_state(state)
            self._insist_on_stop()

    def close(self) -> None:
        """Does nothing: there is nothing to release."""

    def ask(self, wish: Wish) -> None:
        """Passes on a person's request; a stop is repeated until it is carried out.

        Raises:
            UserError: There is no such feed, or the broker is unavailable.
        """
        if wish.feed and not (self._mission and wish.feed == self._mission.feed):
            find_named_feed(wish.feed, self._own)
        if wish.action is not Action.STOP and not self._bus.is_connected:
            raise UserError("live.error.broker_away")
        with self._lock:
            self._to_stop = None
            self._asked_at = self._asked_at or time.monotonic()
            if wish.action is Action.STOP:
                self._stop()
            else:
                self._bus.say(CONTROL, Control(**wish.model_dump(), at=CLOCK.now()))

    def now(self) -> Json:
        """The news that changes all the time: the train, the signs in sight, the services."""
        with self._lock:
            return {
                "train": self._state.model_dump(mode="json") if self._state else None,
                "picture_age_s": CLOCK.now() - self.picture.captured_at if self.picture else None,
                "signs": self._signs_in_sight(),
                "held_back": self._held_back(),
                "services": [
                    self._health(self._statuses[name]) for name in SERVICES if name in self._statuses
                ],
            }

    def story(self) -> Json:
        """What changes only occasionally: the line, the mission, the orders, the score."""
        with self._lock:
            mission = self._mission
            return {
                "mission": mission.model_dump(mode="json", exclude={"at"}) if mission else None,
                "feeds": [name for name in feed_names() if _can_be_asked_for(name)],
                "line": line_of(self._truth) if self._truth else None,
                "orders": list(self._orders),
                "score": self._score.model_dump(mode="json") if self._score else None,
                "ending": self._referee.ending if self._referee else None,
            }

    def _follow(self, mission: MissionState) -> None:
        last, self._mission = self._mission, mission
        if last is None or last.feed != mission.feed:
            self._truth = _truth_of(mission.feed, self._own)
        if last is None or last.run != mission.run:
            self._orders.clear()
            self._score, self._state = None, None
            self._referee = Referee(self._truth, mission) if self._truth else None
        if last is None or (last.run, last.running) != (mission.run, mission.running):
            self.version += 1
        if mission.train_lost and self._referee and self._referee.ending is None:
            self._referee.lose_train()
            self._judge()

    def _hear_order(self, order: GivenOrder) -> None:
        if self._mission is None or not self._mission.running or order.run != self._mission.run:
            return
        if self._referee:
            self._referee.hear_order(order)
        told = order.model_dump(mode="json", include={"kind", "reason", "sign", "light"})
        last = self._orders[-1] if self._orders else {}
        if all(last.get(name) == value for name, value in told.items()):
            return
        place = {"position_cm": self._state.position_cm if self._state else 0.0}
        self._orders.append({**told, **place, "time_s": max(order.at - self._mission.since, 0.0)})
        self.version += 1

    def _hear_state(self, state: TrainState) -> None:
        mission, referee = self._mission, self._referee
        if mission is None or state.at < mission.since:
            return
        self._state = state
        if not mission.running or referee is None or referee.ending is not None:
            return
        referee.hear_state(state)
        if referee.ending is not None:
            self._judge()
            self._stop()

    def _stop(self) -> None:
        self._to_stop = self._mission.run if self._mission else None
        self._stopped_at = time.monotonic()
        self._bus.say(CONTROL, Control(action=Action.STOP, at=CLOCK.now()))

    def _insist_on_stop(self) -> None:
        mission = self._mission
        if mission is None or not mission.running or mission.run != self._to_stop:
            self._to_stop = None
        elif time.monotonic() - self._stopped_at > STOP_AGAIN_S:
            self._stop()

    def _judge(self) -> None:
        """Scores a finished run."""
        if self._referee is None or self._referee.ending is None or self._truth is None:
            return
        self._score = score_run(self._referee.run, self._truth)
        self.version += 1
        self._bus.tell_event(
            EventType.MISSION_SCORED,
            feed=self._truth.feed,
            ending=self._referee.ending,
            score=self._score.score,
            accomplished=self._score.accomplished,
        )

    def _held_back(self) -> list[str]:
        """The topics that the broker does not pass on, although a service publishes to them."""
        now, held = time.monotonic(), []
        for service, topic in SOURCES.items():
            status = self._statuses.get(service)
            is_at_work = status and status.per_s > 0 and self._health(status)["health"] == Health.READY
            if is_at_work and now - self._heard_at[service] > UNHEARD_AFTER_S:
                held.append(topic.name)
        if self._asked_at is not None and now - self._asked_at > UNANSWERED_AFTER_S:
            held.append(CONTROL.name)
        return held

    def _signs_in_sight(self) -> list[Json]:
        seen = self._detections
        if seen is None or CLOCK.now() - seen.captured_at > SIGNS_AGE_MAX_S:
            return []
        return list(seen.model_dump(mode="json")["items"])

    def _health(self, status: Status) -> Json:
        is_silent = status.at and CLOCK.now() - status.at > SILENT_AFTER_S and status.health != "gone"
        return {**status.model_dump(mode="json"), **({"health": "silent"} if is_silent else {})}


def _truth_of(feed: str, own: str) -> GroundTruth | None:
    try:
        return load_truth(find_named_feed(feed, own).with_suffix(".json"))
    except UserError as error:
        tell("trouble", why=error)
        return None


def _can_be_asked_for(name: str) -> bool:
    """Whether a message can carry a feed's name; a file's name need not even be valid text."""
    try:
        FEED_NAME.validate_python(name)
    except ValidationError:
        return False
    return True


def line_of(truth: GroundTruth) -> Json:
    """The map: points along the track, every `MAP_STEP_CM`, and the signs beside the track."""
    line = truth.line
    steps = int(truth.length_cm / MAP_STEP_CM) + 1
    poses = [line.pose(step * MAP_STEP_CM) for step in range(steps + 1)]
    signs = []
    for sign in sorted(truth.signs, key=lambda sign: sign.at_cm):
        place = line.pose(sign.at_cm).beside(sign.offset_cm)
        signs.append(
            {
                "x": place.x_cm,
                "y": place.y_cm,
                "kind": sign.kind,
                "class": sign.sign_class,
                "counts": sign.counts,
                "at_cm": sign.at_cm,
            }
        )
    return {
        "feed": truth.feed,
        "length_cm": truth.length_cm,
        "step_cm": MAP_STEP_CM,
        "points": [(round(pose.x_cm, 1), round(pose.y_cm, 1)) for pose in poses],
        "signs": signs,
        "size_px": (truth.camera.width_px, truth.camera.height_px),
    }
