"""Submits files for an attendee of a room, as its embedded store would contain them."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from brakepoint.room import scoring
from brakepoint.room.config import Room
from brakepoint.room.outcomes import SubmissionOutcome
from brakepoint.room.submission import RUN_NAME, Submission

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def hand_in(room: Room, handle: str, model: bytes = b"model", autopilot: bytes = b"autopilot") -> None:
    """Puts both files where the store keeps them."""
    folder = room.folder / "store" / room.place_of(handle) / "room"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model)
    (folder / "step6_autopilot.py").write_bytes(autopilot)


def judge_by(monkeypatch: pytest.MonkeyPatch, judge: Callable[[Submission], SubmissionOutcome]) -> None:
    """Makes a function score submissions, without a sandbox; it leaves a run as the real one does."""

    def score(submission: Submission, feed: Path, folder: Path, *limits: object) -> SubmissionOutcome:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RUN_NAME).write_text("{}", encoding="utf-8")
        return judge(submission)

    monkeypatch.setattr(scoring, "score", score)
