"""Forty attendees hand in at the same moment, five of them hostile: each honest one is scored."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from handing_in import hand_in
from onnx_models import raw_output, save_constant_model
from red_team import AUTOPILOTS, NAMES

from brakepoint.room import scoring
from brakepoint.room.config import Room
from brakepoint.room.memory_groups import held_mb
from brakepoint.room.outcomes import Scores
from brakepoint.room.scoring import AUTOPILOT_LIMITS, DETECTOR_LIMITS, score_room
from brakepoint.room.stores import open_store
from solutions import step6_autopilot

HOSTILE = ("a sleeper", "an endless loop", "memory in small pieces", "half a character", "a file in memory")
ATTENDEES = 40
LOOK_EVERY_S = 0.05


@contextmanager
def looking_at_memory() -> Iterator[list[float]]:
    """Keeps the most that was held by all that this process has started."""
    most, ended, own = [0.0], threading.Event(), held_mb(os.getpid())

    def look() -> None:
        while not ended.wait(LOOK_EVERY_S):
            most[0] = max(most[0], held_mb(os.getpid()) - own)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield most
    finally:
        ended.set()
        thread.join()


def test_forty_hand_in_at_once_and_five_hostile_ones_stop_nobody(
    short_feed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(scoring, "EVALUATED_FRAMES", 4)
    monkeypatch.setattr(scoring, "available_cores", lambda: 2)
    room = Room(name="spring", attendees=ATTENDEES, hidden_feed=short_feed, map50_min=0.0)
    model = save_constant_model(tmp_path / "blind.onnx", raw_output(), names=NAMES).read_bytes()
    honest = Path(step6_autopilot.__file__).read_bytes()
    hostile = dict(zip(room.everybody, HOSTILE, strict=False))  # They come first, where they hurt most.
    for handle in room.everybody:
        hand_in(room, handle, model, AUTOPILOTS[hostile[handle]][0] if handle in hostile else honest)

    with looking_at_memory() as most:
        outcomes = dict(score_room(room, open_store(room), Scores()))
    kept = Scores.load(room.folder).marks

    assert set(outcomes) == set(kept) == set(room.everybody), "nobody is lost"
    for handle, outcome in outcomes.items():
        expected = AUTOPILOTS[hostile[handle]][1] if handle in hostile else {None}
        assert outcome.reason in expected, (handle, outcome.detail)
    places = 2 + scoring.SPARE_PLACES
    assert most[0] < places * (DETECTOR_LIMITS.held_mb + AUTOPILOT_LIMITS.held_mb)
