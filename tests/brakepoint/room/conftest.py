import random
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from handing_in import judge_by
from room_day import KIT, describe, hand_in, remember, room_now

from brakepoint.cli import run
from brakepoint.room import accounts, backup, scoring
from brakepoint.room.config import EmbeddedSettings, Room
from brakepoint.room.outcomes import Scores, SubmissionOutcome
from brakepoint.room.stores import content as kit_content
from brakepoint.room.stores import open_store


def free_ports(count: int) -> int:
    """The first of so many free ports in a row, drawn at random because other tests draw at the same time."""
    for first in random.sample(range(21000, 30000, count), 100):
        probes = [socket.socket() for _ in range(count)]
        try:
            for number, probe in enumerate(probes):
                probe.bind(("127.0.0.1", first + number))
            return first
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
    raise AssertionError("no free ports")


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.setattr(accounts, "HASH_ROUNDS", 4)
    return tmp_path


@pytest.fixture
def small_room(in_folder: Path) -> Room:
    settings = EmbeddedSettings(port=free_ports(1))
    return Room(name="spring", attendees=2, handles=("anna", "bela"), store=settings)


@pytest.fixture
def small_kit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit_content, "content", lambda: KIT)
    monkeypatch.setattr(backup, "content", lambda: KIT)


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch, short_feed: Path) -> Callable[[Room], list[str]]:
    """Scores a room without a sandbox, each submission by its autopilot's text; returns who was scored."""

    def judged(submission: scoring.Submission) -> SubmissionOutcome:
        return SubmissionOutcome(
            digest=submission.digest, at=datetime.now(UTC), score=float(submission.autopilot)
        )

    judge_by(monkeypatch, judged)
    monkeypatch.setattr(scoring, "require_sandbox", lambda *hidden: None)

    def score_all(room: Room) -> list[str]:
        room = room.model_copy(update={"hidden_feed": short_feed})
        scores = Scores.load(room.folder)
        return sorted(scored[0] for scored in scoring.score_room(room, open_store(room), scores))

    return score_all


@pytest.fixture
def small(small_room: Room, small_kit: None) -> Room:
    assert isinstance(small_room.store, EmbeddedSettings)
    describe(("anna", "bela"), small_room.store.port)
    assert run(["room", "apply"]) == 0
    for handle, reached in (("anna", 80), ("bela", 60)):
        hand_in(handle, reached)
        remember(handle)
    return room_now()
