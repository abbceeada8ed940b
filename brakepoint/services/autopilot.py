"""The autopilot as a service: calls the step's code for every frame, or after `WAIT_S` without one."""

import threading
import uuid
from typing import Any

from brakepoint.messages import Control, Detections, GivenOrder, MissionState, TrainState
from brakepoint.mission.fitted import fitted
from brakepoint.mission.loop import Step, decide
from brakepoint.rules import CONTROL_RATE_HZ
from brakepoint.services import ServiceSettings
from brakepoint.services.bus import Bus
from brakepoint.services.clock import CLOCK
from brakepoint.services.service_loop import is_late, serve, since
from brakepoint.services.topics import CONTROL, DETECTIONS, MISSION, ORDER, STATE
from brakepoint.steps import load_step
from brakepoint.train_file import chosen_train

WAIT_S = 1.5 / CONTROL_RATE_HZ
"""How long to wait for the detections in a frame."""

FIRST_WORD_S = 1.0
"""How long a new run's first order waits for the first frame and state; the train is at rest meanwhile."""


class Autopilot:
    """Turns detections and the train's state into orders.

    Args:
        bus: The broker.
        step: The attendee's autopilot, or the kit's.
    """

    def __init__(self, bus: Bus, step: Step) -> None:
        self._bus, self._step = bus, step
        self._giver, self._number = uuid.uuid4().hex, 0
        self._mission: MissionState | None = None
        self._begin()

    def _begin(self) -> None:
        self._memory: Any = None
        self._detections: Detections | None = None
        self._state: TrainState | None = None

    def control(self, control: Control) -> None:
        """Does nothing: an autopilot's only fault is to hang, which the loop handles."""

    def turn(self) -> None:
        """Issues one order."""
        detections = self._bus.take(DETECTIONS, WAIT_S)
        self._follow_mission()
        state = self._bus.take(STATE)
        if state is not None and state.at >= since(self._mission):
            self._state = state
        if detections is not None and is_late(detections, self._detections):
            detections = None
        if detections is not None and detections.captured_at >= since(self._mission):
            self._detections = detections
        now = CLOCK.now()
        is_blank = self._state is None or self._detections is None
        if is_blank and now < since(self._mission) + FIRST_WORD_S:
            return
        self._memory, order = decide(self._step, self._memory, self._detections, self._state, now)
        self._number += 1
        self._bus.work()
        self._bus.say(
            ORDER,
            GivenOrder(
                **order.model_dump(exclude={"at"}),
                at=now,
                giver=self._giver,
                number=self._number,
                run=self._mission.run if self._mission is not None else -1,
                seen_at=detections.captured_at if detections is not None else None,
            ),
        )

    def close(self) -> None:
        """Does nothing: silence brakes the train."""

    def _follow_mission(self) -> None:
        """Clears the memory at the start of every run."""
        mission = self._bus.take(MISSION)
        if mission is None:
            return
        if self._mission is None or mission.run != self._mission.run:
            self._begin()
        self._mission = mission


def run(settings: ServiceSettings, stopping: threading.Event) -> None:
    """Loads the step, adapts it to a calibrated real camera, and connects to the broker."""
    step: Step = load_step("step6_autopilot", settings.steps or None).step
    eye = chosen_train(settings.camera).camera if not settings.is_recorded else None
    if eye is not None:
        step = fitted(step, eye)
    with Bus(settings, "autopilot", (CONTROL, DETECTIONS, MISSION, STATE)) as bus:
        serve(Autopilot(bus, step), bus, stopping)
