"""Checks whether the autopilot of step 6 uses its named constants: step 6's question changes one of them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from brakepoint.messages import Reason
from brakepoint.rules import PLATE_HEIGHT_CM
from brakepoint.truth import CameraModel
from brakepoint.workshop.checks.answers import replaced
from brakepoint.workshop.checks.situations import (
    DANGER,
    LIMIT,
    Lab,
    frame_of,
    seen,
    signs_after,
    state_at,
)
from brakepoint.workshop.verdicts import Wrong


def must_use_constants(lab: Lab, exercise: str) -> None:
    """Checks that the answer to an exercise changes with the constants that it should use.

    Raises:
        Wrong: The answer contains the value of one of these constants as a literal number.
    """
    for name, (value, holds) in CASES[exercise].items():
        with replaced(lab, **{name: value}):
            if not holds(lab):
                raise Wrong("step6.constant", name=SHOWN.get(name, name))


def _is_as_far(lab: Lab) -> bool:
    """Twice the focal length, or plates twice as high, mean twice the distance."""
    return all(abs(lab.locate(seen(sign, 40.0)).ahead_cm - 80.0) < 1.0 for sign in (DANGER, LIMIT))


def _believes(lab: Lab) -> bool:
    return len(signs_after(lab, (seen(DANGER, 30.0, confidence=0.45),))) == 1


def _after(lab: Lab, *frames: int) -> Any:
    """A sign that was seen in these frames."""
    sign = lab.Sign(LIMIT, 50.0, 1.0, 7.0, True)
    for frame in frames:
        sign = lab.confirm(sign, frame)
    return sign


def _faultless(lab: Lab, frame_at: float, state_age_s: float, frozen_s: float) -> bool:
    """Whether the lab finds no fault in a train that is at rest at 10 s."""
    memory = replace(lab.Memory(), frame_count=9, last_frame=frame_of(9, frame_at), frozen_s=frozen_s)
    return lab.find_fault(memory, state_at(0.0, 50.0), 10.0 + state_age_s) is None


def _recovers(lab: Lab) -> bool:
    memory = replace(lab.Memory(), last_frame=frame_of(1, 10.0), fault=Reason.NO_FRAMES, good_frames=2)
    return lab.watch(memory, None, state_at(0.0, 50.0), 10.1).fault is None


CASES: dict[str, dict[str, tuple[Any, Callable[[Lab], bool]]]] = {
    "distance": {
        "CAMERA": (CameraModel(focal_px=2 * CameraModel().focal_px), _is_as_far),
        "PLATE_HEIGHT_CM": ({name: 2 * height for name, height in PLATE_HEIGHT_CM.items()}, _is_as_far),
    },
    "every": {"CONFIDENCE_MIN": (0.42, _believes)},
    "debounce": {
        "SEEN_TIMES": (2, lambda lab: _after(lab, 1, 2).confirmed),
        "SEEN_FRAMES": (3, lambda lab: sorted(_after(lab, 1, 4, 5).frames) == [4, 5]),
    },
    "failsafe": {
        "STATE_AGE_MAX_S": (5.0, lambda lab: _faultless(lab, 11.0, 1.0, 0.0)),
        "FRAME_AGE_MAX_S": (5.0, lambda lab: _faultless(lab, 9.0, 0.1, 0.0)),
        "FROZEN_S": (5.0, lambda lab: _faultless(lab, 10.0, 0.1, 1.0)),
    },
    "exam": {"GOOD_FRAMES": (2, _recovers)},
}
"""For each constant of an exercise: another value, and what is true with that value."""
SHOWN = {"CAMERA": "CAMERA.focal_px"}
"""The part of a constant that the answer needs, if it does not need the whole constant."""
