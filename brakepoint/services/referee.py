"""Keeps the record of a live run, tick by tick as on the virtual clock, and determines when the run ends."""

from collections import deque

from brakepoint.messages import Detections, GivenOrder, MissionState, Order, TrainState
from brakepoint.mission.loop import find_ending, make_tick
from brakepoint.mission.records import Ending, Run, Tick
from brakepoint.rules import CONTROL_RATE_HZ
from brakepoint.services.service_loop import is_late
from brakepoint.truth import GroundTruth

CHANGES_MAX = 100


class Referee:
    """Watches one run. The referee must receive all messages of the services from the start of the run.

    Args:
        truth: Ground truth of the feed.
        mission: The run: messages from before it, and orders for another, are ignored.

    Attributes:
        ticks: The record so far.
        ending: Why the run is over; None while the run is in progress.
    """

    def __init__(self, truth: GroundTruth, mission: MissionState) -> None:
        self._truth, self._run, self._since = truth, mission.run, mission.since
        self._detections: Detections | None = None
        self._order: Order | None = None
        self._waiting: deque[Order] = deque(maxlen=CHANGES_MAX)
        self.ticks: list[Tick] = []
        self.ending: Ending | None = None

    @property
    def run(self) -> Run:
        """The record of a finished run."""
        assert self.ending is not None, "the run is not over"
        return Run(feed=self._truth.feed, ending=self.ending, ticks=tuple(self.ticks))

    def hear_detections(self, detections: Detections) -> None:
        """Records detections."""
        if detections.captured_at >= self._since and not is_late(detections, self._detections):
            self._detections = detections

    def hear_order(self, given: GivenOrder) -> None:
        """Records an order; each change gets its own tick, however short the order was."""
        if given.at < self._since or given.run != self._run:
            return
        order = Order(**given.model_dump(include=set(Order.model_fields)))
        last = self._waiting[-1] if self._waiting else self._order
        if last is None or (last.meaning, last.light) != (order.meaning, order.light):
            self._waiting.append(order)

    def hear_state(self, state: TrainState) -> None:
        """Adds the ticks that are due: one for each step of the control loop since the last tick."""
        if not self._order and not self._waiting:
            return
        if not self.ticks:
            self._since = state.at
        while self.ending is None and len(self.ticks) / CONTROL_RATE_HZ <= state.at - self._since:
            self._order = self._waiting.popleft() if self._waiting else self._order
            assert self._order is not None
            now = len(self.ticks) / CONTROL_RATE_HZ
            order = self._order.model_copy(update={"at": now})
            self.ticks.append(make_tick(state, now, self._detections, order, self._truth))
            self.ending = find_ending(self.ticks, self._truth)

    def lose_train(self) -> None:
        """Ends the run at the train's last known position."""
        if self.ticks and self.ending is None:
            self.ending = Ending.TRAIN_LOST
