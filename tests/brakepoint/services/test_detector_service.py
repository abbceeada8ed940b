"""What the detector publishes, and when it publishes nothing."""

import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("paho")

from fake_bus import fake_bus

from brakepoint.messages import Detections, Frame
from brakepoint.services.detector import Detecting
from brakepoint.services.topics import DETECTIONS, FRAME


def sees_nothing(frame: Frame) -> Detections:
    return Detections(frame_id=frame.frame_id, captured_at=frame.captured_at, picture_hash="", items=())


def after_a_turn(image: np.ndarray) -> Any:
    bus = fake_bus()
    bus.bring(FRAME, Frame(7, 1.5, 30.0, image))
    model: Any = SimpleNamespace(detect=sees_nothing)
    Detecting(bus, model, "track-empty", threading.Lock()).turn()
    return bus


def picture(mean: float, spread: float) -> np.ndarray:
    noise = np.random.default_rng(1).normal(mean, spread, (480, 640, 3))
    return noise.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("mean", "spread"),
    [(0, 0), (0, 4), (255, 0), (90, 4)],
    ids=["black", "black and noisy", "blinded", "covered"],
)
def test_a_picture_that_shows_nothing_is_refused_and_never_passed_off_as_a_track_without_signs(mean, spread):
    bus = after_a_turn(picture(mean, spread))

    assert bus.said == []
    assert bus.refused == [FRAME.name]
    assert bus.worked == 0


def test_a_picture_that_shows_something_is_answered_even_if_there_are_no_signs():
    bus = after_a_turn(picture(120, 30))

    assert [detections.frame_id for detections in bus.said_of(DETECTIONS)] == [7]
    assert (bus.refused, bus.worked) == ([], 1)
