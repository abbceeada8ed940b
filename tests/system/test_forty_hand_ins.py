"""Forty attendees submit at the same moment, five of them hostile: each honest one is scored."""

import os
from pathlib import Path

import pytest
from handing_in import hand_in
from onnx_models import raw_output, save_constant_model
from red_team import AUTOPILOTS, FIVE, NAMES

from benchmarks.hand_ins import looking_at_memory, play
from brakepoint.room import scoring, submission
from brakepoint.room.config import EmbeddedSettings, Room
from brakepoint.room.memory_groups import held_mb
from brakepoint.room.outcomes import Scores
from brakepoint.room.scoring import score_room
from brakepoint.room.stores import open_store
from brakepoint.room.submission import AUTOPILOT_LIMITS, DETECTOR_LIMITS
from brakepoint.sockets import free_port
from solutions import step6_autopilot

ATTENDEES = 40


def test_forty_hand_in_at_once_and_five_hostile_ones_stop_nobody(
    short_feed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(submission, "EVALUATED_FRAMES", 4)
    monkeypatch.setattr(scoring, "available_cores", lambda: 2)
    room = Room(name="spring", attendees=ATTENDEES, hidden_feed=short_feed, map50_min=0.0)
    model = save_constant_model(tmp_path / "blind.onnx", raw_output(), names=NAMES).read_bytes()
    honest = Path(step6_autopilot.__file__).read_bytes()
    hostile = dict(zip(room.everybody, FIVE, strict=False))  # They come first, where they hurt most.
    for handle in room.everybody:
        hand_in(room, handle, model, AUTOPILOTS[hostile[handle]][0] if handle in hostile else honest)

    own = held_mb(os.getpid())
    with looking_at_memory() as most:
        outcomes = dict(score_room(room, open_store(room), Scores()))
    kept = Scores.load(room.folder).marks

    assert set(outcomes) == set(kept) == set(room.everybody), "nobody is lost"
    for handle, outcome in outcomes.items():
        expected = AUTOPILOTS[hostile[handle]][1] if handle in hostile else {None}
        assert outcome.reason in expected, (handle, outcome.detail)
    places = 2 + scoring.SPARE_PLACES
    assert most[0] - own < places * (DETECTOR_LIMITS.held_mb + AUTOPILOT_LIMITS.held_mb)


def test_four_hand_in_by_their_keys_what_comes_with_the_kit_and_a_hostile_one_beside_them(
    short_feed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = EmbeddedSettings(port=free_port())
    room = Room(name="spring", attendees=4, hidden_feed=short_feed, map50_min=0.0, store=store)

    found = play(room, {"seat-01": "half a character"})

    assert (found.honest, found.scored, found.astray) == (3, 3, [])
    assert 0 < found.honest_s <= found.all_s
    assert found.peak_mb > 0
