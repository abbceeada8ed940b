"""Submits files for an attendee of a room, as its embedded store would contain them."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from brakepoint.room import scoring
from brakepoint.room.config import Room
from brakepoint.room.outcomes import SubmissionOutcome
from brakepoint.room.parcel import SUBMISSION_KEY, packed
from brakepoint.room.submission import RUN_NAME, Submission

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def hand_in(room: Room, handle: str, model: bytes = b"model", autopilot: bytes = b"autopilot") -> None:
    """Puts a submission where the store keeps it."""
    path = room.folder / "store" / room.place_of(handle) / SUBMISSION_KEY
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed(model, autopilot))


def judge_by(monkeypatch: pytest.MonkeyPatch, judge: Callable[[Submission], SubmissionOutcome]) -> None:
    """Makes a function score submissions, without a sandbox; it leaves a run as the real one does."""

    def score(submission: Submission, feed: Path, folder: Path, *limits: object) -> SubmissionOutcome:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RUN_NAME).write_text("{}", encoding="utf-8")
        return judge(submission)

    monkeypatch.setattr(scoring, "score", score)
