"""Hostile submissions in sandboxes: each fails alone, in time, within its memory, with clean output."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from red_team import AUTOPILOTS, MODELS

from brakepoint.messages import Light, TrainState
from brakepoint.room.outcomes import DETAIL_CHARACTERS, Failed, Failure
from brakepoint.room.sandbox import Sandbox
from brakepoint.room.submission import (
    AUTOPILOT_LIMITS,
    SandboxedAutopilot,
    SandboxedDetector,
    open_eyes,
)

PILOT = replace(AUTOPILOT_LIMITS, answer_s=8.0, total_s=15.0)
STEPS = 40
STATE = TrainState(at=0.0, position_cm=1.0, speed_cm_s=2.0, power=50, braking=False, light=Light.ON)


def test_the_set_is_large_enough() -> None:
    assert len(AUTOPILOTS) + len(MODELS) >= 60


def is_clean(failed: Failed) -> bool:
    return failed.detail.isprintable() and len(failed.detail) <= DETAIL_CHARACTERS


@pytest.mark.parametrize("name", AUTOPILOTS)
def test_a_hostile_autopilot_fails_alone_and_gains_nothing(name, tmp_path: Path) -> None:
    source, expected = AUTOPILOTS[name]
    path = tmp_path / "step6_autopilot.py"
    path.write_bytes(source)
    reason: Failure | None = None
    try:
        with Sandbox("autopilot", path, PILOT) as sandbox:
            pilot = SandboxedAutopilot(sandbox)
            for number in range(STEPS):
                assert pilot.step(None, None, STATE, float(number))[1].at == number
    except Failed as failed:
        reason = failed.reason
        assert is_clean(failed) and "THROUGH" not in failed.detail, failed.detail

    assert reason in expected


@pytest.mark.parametrize("name", MODELS)
def test_a_hostile_model_fails_alone_and_gains_nothing(name, tmp_path: Path) -> None:
    made, expected = MODELS[name]
    path = tmp_path / "model.onnx"
    path.write_bytes(made if isinstance(made, bytes) else made(tmp_path))
    reason: Failure | None = None
    try:
        with open_eyes(path) as sandbox:
            eyes = SandboxedDetector(sandbox)
            for everything in (True, False):
                eyes.detect_image(np.zeros((64, 96, 3), np.uint8), everything)
    except Failed as failed:
        reason = failed.reason
        assert is_clean(failed), failed.detail

    assert reason in expected
