"""Adapts an autopilot to a real train: converts detections to the recorded camera, corrects the position.

Autopilots, including the attendees' own, are written for the recorded camera and for a train that reports its
true position. The wrapper compensates for the measured properties of another train (`brakepoint.train_file`),
so that any autopilot can drive that train unchanged.
"""

import math
from dataclasses import dataclass
from typing import Any

from brakepoint.messages import Detection, Detections, Order, TrainState
from brakepoint.mission.loop import Step, is_answer
from brakepoint.odometry import Odometry, Sighting, observe
from brakepoint.rules import PLATE_HEIGHT_CM
from brakepoint.train_file import RECORDED, Eye

CLEAR_FROM_CM = 50.0
"""At this distance at the latest, autopilots can tell our signs from the next track's, even in bends."""
CONFIDENCE_MIN = 0.7
"""Detections below this confidence do not correct the position."""


@dataclass(frozen=True)
class FittedMemory:
    """The memory of a fitted autopilot.

    Attributes:
        inner: The memory of the autopilot itself.
        odometry: Estimate of the train's position.
        last_frame: Number of the newest picture that was used to correct the position.
    """

    inner: Any = None
    odometry: Odometry | None = None
    last_frame: int = -1


def fitted(step: Step, eye: Eye) -> Step:
    """Fits an autopilot to the camera of a real train.

    Args:
        step: The autopilot.
        eye: The measured camera.

    Returns:
        An autopilot that is pure if the given one is.
    """

    def fitted_step(
        memory: FittedMemory | None, detections: Detections | None, state: TrainState | None, now: float
    ) -> tuple[FittedMemory, Order]:
        memory = memory or FittedMemory()
        odometry, last_frame = memory.odometry or Odometry.at_the_start(), memory.last_frame
        if detections is not None:
            detections = as_recorded_one_sees(detections, eye)
        if state is not None:
            is_new = detections is not None and detections.frame_id != last_frame
            ago_s = state.at - detections.captured_at if detections is not None else 0.0
            seen = _sightings(detections.items) if detections is not None and is_new else []
            odometry = observe(odometry, state, seen, ago_s)
            state = odometry.correct(state)
        last_frame = detections.frame_id if detections is not None else last_frame
        # The autopilot's clock shows the time of its picture, so that the camera's delay isn't a fault.
        answer = step(memory.inner, detections, state, now - eye.latency_s)
        if not is_answer(answer):
            return answer  # The caller reports what is wrong with the answer.
        inner, order = answer
        return FittedMemory(inner, odometry, last_frame), order.model_copy(update={"at": now})

    return fitted_step


def as_recorded_one_sees(detections: Detections, eye: Eye) -> Detections:
    """Converts detections to the recorded camera's picture, and corrects their time of capture."""
    moved = (_moved(item, eye) for item in detections.items if not eye.cuts_off(item.box))
    items = tuple(item for item in moved if not _leaves_early(item, eye))
    captured_at = detections.captured_at - eye.latency_s
    return detections.model_copy(update={"items": items, "captured_at": captured_at})


def _moved(item: Detection, eye: Eye) -> Detection:
    """Moves a box to its place in the recorded camera's picture, using a plate's size for the scale."""
    px_per_cm = item.height_px / PLATE_HEIGHT_CM[item.sign_class]
    right_px = RECORDED.focal_px * math.tan(math.radians(eye.yaw_deg)) + eye.side_cm * px_per_cm
    tilt = math.tan(math.radians(RECORDED.pitch_deg)) - math.tan(math.radians(eye.pitch_deg))
    down_px = RECORDED.focal_px * tilt + (RECORDED.height_cm - eye.height_cm) * px_per_cm
    left, top, right, bottom = item.box
    moved = left + right_px, top + down_px, right + right_px, bottom + down_px
    return item.model_copy(update={"box": moved})


def _leaves_early(item: Detection, eye: Eye) -> bool:
    """Whether a sign would leave a narrow picture before it is clear to which track the sign belongs.

    A sign of our own track, seen across a bend, moves towards the centre and is seen again.
    """
    aside_cm = (
        abs(item.centre_x_px - RECORDED.width_px / 2) * PLATE_HEIGHT_CM[item.sign_class] / item.height_px
    )
    return aside_cm > CLEAR_FROM_CM * eye.half_width


def _sightings(items: tuple[Detection, ...]) -> list[Sighting]:
    return [_sighting(item) for item in items if item.confidence >= CONFIDENCE_MIN]


def _sighting(item: Detection) -> Sighting:
    across = (item.centre_x_px - RECORDED.width_px / 2) / RECORDED.focal_px
    towards = 1 / math.hypot(1, across)
    ahead_cm = RECORDED.focal_px * PLATE_HEIGHT_CM[item.sign_class] / item.height_px
    return Sighting(item.sign_class, ahead_cm / towards, towards, item.height_px)
