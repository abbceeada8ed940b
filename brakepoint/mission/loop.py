"""The closed loop on a virtual clock: camera, detector, autopilot, train, and round again.

Nothing waits and nothing reads a real clock, so a run takes only as long as its computation, and two runs
are bit-identical.
"""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from brakepoint.errors import UserError
from brakepoint.messages import Detections, Frame, Order, TrainState, picture_hash
from brakepoint.mission.records import Ending, Run, Tick
from brakepoint.ports import Camera, Hub
from brakepoint.rules import AT_REST_CM_S, CONTROL_RATE_HZ, LOW_SPEED_CM_S, STALLED_AFTER_S
from brakepoint.truth import GroundTruth

Step = Callable[[Any, Detections | None, TrainState | None, float], tuple[Any, Order]]
"""An autopilot:

`step(memory, detections, train_state, now) -> (memory, order)`, pure; memory starts as None.
"""

Observer = Callable[[Tick, Frame | None], None]
"""Called with each tick and the frame on which it is based, for instance to film it."""


class FrameDetector(Protocol):
    """Finds signs in frames."""

    def detect(self, frame: Frame) -> Detections:
        """Returns the detections in a frame."""


class OracleDetector:
    """A detector that knows the ground truth, and so makes no mistakes.

    Args:
        truth: Ground truth of the frames' feed; a frame is identified by its position.
    """

    def __init__(self, truth: GroundTruth) -> None:
        self._truth = truth

    def detect(self, frame: Frame) -> Detections:
        """Returns what a perfect detector would find where the frame was captured."""
        return Detections(
            frame_id=frame.frame_id,
            captured_at=frame.captured_at,
            picture_hash=picture_hash(frame.image),
            items=self._truth.perfect_detections(self._truth.frame_at(frame.position_cm)),
        )


class PlainCamera:
    """A camera whose pictures contain only noise: enough for the oracle, and fast.

    Args:
        seed: Seed of the noise.
    """

    def __init__(self, seed: int = 0) -> None:
        self._noise = np.random.default_rng(seed)
        self._frame_id = 0

    def read(self, train_state: TrainState) -> Frame:
        """Captures noise at the train's position."""
        self._frame_id += 1
        image = self._noise.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        return Frame(self._frame_id, train_state.at, train_state.position_cm, image)

    def close(self) -> None:
        """Does nothing: there is nothing to release."""


def run_mission(
    camera: Camera,
    hub: Hub,
    detector: FrameDetector,
    step: Step,
    truth: GroundTruth,
    observe: Observer | None = None,
) -> Run:
    """Drives one feed from its start until the run ends, with `CONTROL_RATE_HZ` steps per second.

    Args:
        camera: Looks ahead; it is not closed.
        hub: Drives the train, which is at the start; it is not closed.
        detector: Finds the signs.
        step: The autopilot.
        truth: Ground truth of the feed, which determines where the track ends and where a train derails.
        observe: Called with each tick.

    Returns:
        The record of the run.

    Raises:
        UserError: The autopilot raised, or returned something that is not a memory and an order.
    """
    memory: Any = None
    ticks: list[Tick] = []
    ending: Ending | None = None
    while ending is None:
        now = len(ticks) / CONTROL_RATE_HZ
        state = hub.state(now)
        frame = camera.read(state)
        detections = detector.detect(frame) if frame is not None else None
        memory, order = decide(step, memory, detections, state, now)
        hub.apply(order)
        ticks.append(make_tick(state, now, detections, order, truth))
        if observe is not None:
            observe(ticks[-1], frame)
        ending = find_ending(ticks, truth)
    return Run(feed=truth.feed, ending=ending, ticks=tuple(ticks))


def oracle_run(truth: GroundTruth, step: Step, hub: Hub) -> Run:
    """Drives an autopilot with perfect detections, to separate its faults from those of perception."""
    return run_mission(PlainCamera(truth.seed), hub, OracleDetector(truth), step, truth)


def decide(
    step: Step, memory: Any, detections: Detections | None, state: TrainState | None, now: float
) -> tuple[Any, Order]:
    """Requests a memory and an order from an autopilot, and accepts no other kind of answer.

    Raises:
        UserError: The autopilot failed, or returned something that is not a memory and an order.
    """
    try:
        answer = step(memory, detections, state, now)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if "site-packages" not in frame.filename]
        last = (own or frames)[-1]  # An installed kit is itself in site-packages.
        where, what = f"{Path(last.filename).name}:{last.lineno}", f"{type(error).__name__}: {error}"
        raise UserError("loop.autopilot_raised", time=now, where=where, what=what) from error
    if is_answer(answer):
        return answer
    raise UserError("loop.not_an_order", answer=type(answer).__name__, time=now)


def is_answer(answer: object) -> bool:
    """Whether an autopilot has returned a memory and an order."""
    return isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[1], Order)


def make_tick(
    state: TrainState, now: float, detections: Detections | None, order: Order, truth: GroundTruth
) -> Tick:
    """The record of one step, `now` seconds after the start."""
    return Tick(
        time_s=round(now, 4),
        position_cm=round(state.position_cm, 3),
        speed_cm_s=round(state.speed_cm_s, 3),
        braking=state.braking,
        light=state.light,
        frame_number=truth.frame_at(state.position_cm),
        detections=detections.items if detections is not None else None,
        order=order,
    )


def time_limit_s(truth: GroundTruth) -> float:
    """How long a run may take: twice the time for the whole line at low speed, and a minute for waiting."""
    return 2 * truth.length_cm / LOW_SPEED_CM_S + 60


def find_ending(ticks: list[Tick], truth: GroundTruth) -> Ending | None:
    """Whether the run is over, and why."""
    last = ticks[-1]
    if last.speed_cm_s > truth.line.segment_at(last.position_cm).speed_max_cm_s:
        return Ending.DERAILED
    if last.position_cm >= truth.length_cm:
        return Ending.END_OF_TRACK
    patience = round(STALLED_AFTER_S * CONTROL_RATE_HZ)
    if len(ticks) > patience and all(tick.speed_cm_s < AT_REST_CM_S for tick in ticks[-patience:]):
        return Ending.STALLED
    if last.time_s >= time_limit_s(truth):
        return Ending.TIME_LIMIT
    return None
