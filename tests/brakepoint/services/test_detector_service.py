"""What the detector publishes, and when it publishes nothing."""

import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("paho")

from fake_bus import fake_bus

from brakepoint.detector import SHIPPED_MODEL
from brakepoint.messages import Detections, Frame
from brakepoint.mission.drive import ORACLE
from brakepoint.services import detector as service
from brakepoint.services.detector import Detecting, load_models
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


@pytest.mark.parametrize(
    ("trains", "threads", "loaded"),
    [(1, 4, [4]), (2, 4, [2, 2]), (3, 4, [1, 1, 1]), (20, 4, [1, 1, 1, 1]), (20, 1, [1])],
)
def test_one_train_gets_every_thread_and_many_are_examined_side_by_side(trains, threads, loaded, monkeypatch):
    monkeypatch.setenv("BRAKEPOINT_THREADS", str(threads))
    monkeypatch.setattr(service, "Detector", lambda model, threads, half: (model, threads, half))
    models: list[Any] = load_models("", trains)

    assert [model for model, _ in models] == [(SHIPPED_MODEL, each, True) for each in loaded]
    assert len({id(in_use) for _, in_use in models}) == len(models)


def test_the_oracle_needs_no_model():
    assert [model for model, _ in load_models(ORACLE, 20)] == [None]
