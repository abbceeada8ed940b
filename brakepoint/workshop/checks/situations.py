"""What the autopilot of step 6 may see and remember, for its check."""

import math
from dataclasses import replace
from typing import Any

from brakepoint.messages import Detection, Detections, Light, SignClass, TrainState
from brakepoint.rules import PLATE_CENTRE_CM, PLATE_HEIGHT_CM
from brakepoint.truth import CameraModel
from brakepoint.workshop.checks.answers import kind, replaced
from brakepoint.workshop.verdicts import Wrong

Lab = Any
"""The attendee's module."""

CAMERA = CameraModel()
DANGER, LIMIT = SignClass.DANGER_AHEAD, SignClass.SPEED_LIMIT


def seen(
    sign_class: SignClass,
    distance_cm: float,
    lateral_cm: float = 7.0,
    confidence: float = 0.9,
    higher_cm: float = 0.0,
) -> Detection:
    """The detection of a sign at a place; the box is taller than wide, as for a sign seen from the side."""
    height = CAMERA.focal_px * PLATE_HEIGHT_CM[sign_class] / distance_cm
    x = CAMERA.width_px / 2 + CAMERA.focal_px * lateral_cm / distance_cm
    below_cm = CAMERA.height_cm - PLATE_CENTRE_CM - higher_cm
    pitch = math.radians(CAMERA.pitch_deg)
    y = CAMERA.height_px / 2 + CAMERA.focal_px * (below_cm / distance_cm + math.tan(pitch))
    box = (x - 0.4 * height, y - height / 2, x + 0.4 * height, y + height / 2)
    return Detection(sign_class=sign_class, confidence=confidence, box=box)


def frame_of(number: int, at: float, items: tuple[Detection, ...] = ()) -> Detections:
    """The detections of a frame."""
    return Detections(frame_id=number, captured_at=at, picture_hash=str(number), items=items)


def state_at(position_cm: float, speed_cm_s: float) -> TrainState:
    """The state of a train at a place."""
    return TrainState(
        at=10.0, position_cm=position_cm, speed_cm_s=speed_cm_s, power=50, braking=False, light=Light.ON
    )


def signs_after(lab: Lab, items: tuple[Detection, ...]) -> tuple[Any, ...]:
    """The remembered signs after three frames with the same detections."""
    memory, sighted = lab.Memory(), lab.sighted

    def noted(signs: Any, item: Any, *rest: Any) -> Any:
        if not isinstance(item, Detection):
            raise Wrong("step6.every.items", found=kind(item))
        return sighted(signs, item, *rest)

    with replaced(lab, sighted=noted):
        for number in (1, 2, 3):
            frame = frame_of(number, 10.0, items)
            memory = lab.look(replace(memory, frame_count=number), frame, state_at(0.0, 0.0))
            if not isinstance(memory, lab.Memory):
                raise Wrong("step6.every.no_memory", found=kind(memory))
    return tuple(memory.signs)


def sign_of(lab: Lab, sign_class: SignClass, position_cm: float) -> Any:
    """A confirmed sign that the train heeds."""
    return lab.Sign(sign_class, position_cm, 1.0, 7.0, True, confirmed=True, heeded=True, frames=(1, 2, 3))


def memory_of(lab: Lab, *signs: Any) -> Any:
    """A memory of these signs, without a fault."""
    return replace(lab.Memory(), fault=None, signs=signs)
