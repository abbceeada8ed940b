"""The results of attendees' submissions, on the instructor's side."""

import unicodedata
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator

from brakepoint.room.kept import Kept
from brakepoint.texts import text

DETAIL_CHARACTERS = 160
"""Text from a sandbox is untrusted: at most this many characters are shown."""


def clean(words: str) -> str:
    """Untrusted text as one short line that is safe to show in a terminal and on a page.

    Removes invisible and harmful characters: control characters that drive a terminal, changes of the writing
    direction, lone surrogates that cannot be written to a file, and stacked combining marks.
    """
    composed = unicodedata.normalize("NFC", words[: 10 * DETAIL_CHARACTERS])
    seen = (
        character if character.isprintable() and not unicodedata.category(character).startswith("M") else " "
        for character in composed
    )
    return " ".join("".join(seen).split())[:DETAIL_CHARACTERS]


class Failure(StrEnum):
    """Why a submission could not be scored.

    Texts: `room.reason.{value}` for the instructor, `room.kind.{value}` for everyone.
    """

    NOTHING = "nothing"
    MODEL_SIZE = "model_size"
    MODEL_OPERATORS = "model_operators"
    MODEL_CLASSES = "model_classes"
    MODEL_UNFIT = "model_unfit"
    MODEL_SLOW = "model_slow"
    MODEL_BLIND = "model_blind"
    AUTOPILOT_SIZE = "autopilot_size"
    NETWORK = "network"
    PROCESS = "process"
    FILE = "file"
    MEMORY = "memory"
    RAISED = "raised"
    NO_ORDER = "no_order"
    TOO_SLOW = "too_slow"
    TOO_LONG = "too_long"
    DIED = "died"
    TRIES = "tries"
    INTERNAL = "internal"


class Failed(Exception):  # noqa: N818  It is the submission that failed, not the program.
    """A submission cannot be scored.

    Args:
        reason: The reason.
        detail: Details, which may contain text from the attendee.
    """

    def __init__(self, reason: Failure, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = clean(detail)


class SubmissionOutcome(BaseModel):
    """The outcome of one submission.

    Attributes:
        digest: Hash of the submission.
        at: When the submission was scored.
        map50: mAP50 of the model on the hidden feed, 0 to 1; None if the model is unusable.
        score: Score of the mission, 0 to 100; 0 if the submission failed.
        accomplished: Whether the mission was accomplished.
        reason: Why the submission failed; None if it was scored.
        detail: Details of the failure.
    """

    model_config = ConfigDict(frozen=True)

    digest: str
    at: datetime
    map50: float | None = Field(default=None, ge=0, le=1)
    score: float = Field(default=0.0, ge=0, le=100)
    accomplished: bool = False
    reason: Failure | None = None
    detail: str = ""

    @field_validator("detail")
    @classmethod
    def _is_clean(cls, detail: str) -> str:
        return clean(detail)

    @property
    def is_settled(self) -> bool:
        """Whether the outcome is due to the submission.

        After a failure on the instructor's side, the submission is scored again.
        """
        return self.reason is not Failure.INTERNAL

    def words(self, lang: str | None = None) -> str:
        """Why the submission failed, in a language, for the instructor only; empty if it did not fail."""
        return text(f"room.reason.{self.reason}", lang, detail=self.detail) if self.reason else ""

    def kind(self, lang: str | None = None) -> str:
        """The kind of failure, for everyone: this reveals nothing that the code learnt about the line."""
        return text(f"room.kind.{self.reason}", lang) if self.reason else ""


class Marks(BaseModel):
    """The results of one attendee: the best of all submissions, and the last one.

    Attributes:
        best_map50: Best mAP50 of all submissions.
        best_score: Best score of all submissions.
        last: Outcome of the last submission.
        tries: Number of submissions that were run; one that failed on the instructor's side does not count.
        final: Outcome of the best submission on the feed of the final; None before the final.
    """

    model_config = ConfigDict(frozen=True)

    best_map50: float | None = None
    best_score: float | None = None
    last: SubmissionOutcome
    tries: int = Field(default=0, ge=0)
    final: SubmissionOutcome | None = None

    @property
    def score(self) -> float | None:
        """The score that counts: the score of the final if there was one, otherwise the best one."""
        return self.best_score if self.final is None else self.final.score

    def knows(self, digest: str) -> bool:
        """Whether this submission was the last one scored."""
        return self.last.digest == digest and self.last.is_settled

    def with_outcome(self, outcome: SubmissionOutcome) -> "Marks":
        """The results after one more submission."""
        return Marks(
            best_map50=_best(self.best_map50, outcome.map50),
            best_score=_best(self.best_score, None if outcome.reason else outcome.score),
            last=outcome,
            tries=self.tries + (outcome.reason not in (Failure.TRIES, Failure.INTERNAL)),
            final=self.final,
        )


def _best(one: float | None, other: float | None) -> float | None:
    return max((value for value in (one, other) if value is not None), default=None)


class Scores(Kept):
    """The results of all attendees, by handle.

    Only the instructor's side writes the results. A damaged file is rejected: continuing without it would
    lose everyone's results.
    """

    FILE_NAME, DAMAGED = "scores.json", "room.error.scores"

    marks: dict[str, Marks] = Field(default_factory=dict)
    _unwritten: list[tuple[str, SubmissionOutcome, bool]] = PrivateAttr(default_factory=list)

    def would_be_best(self, handle: str, outcome: SubmissionOutcome) -> bool:
        """Whether an outcome's score is better than all the attendee's earlier scores."""
        marks = self.marks.get(handle)
        best = marks.best_score if marks else None
        return outcome.reason is None and (best is None or outcome.score > best)

    def add(self, handle: str, outcome: SubmissionOutcome, folder: Path, final: bool = False) -> None:
        """Adds an outcome and writes the file, keeping changes that other commands have made to the file.

        Args:
            handle: The attendee.
            outcome: Outcome of a try, or of the best submission in the final.
            folder: The room's folder.
            final: Whether this is the outcome of the final.

        Raises:
            OSError: The file cannot be written; the next call to `add` or `catch_up` writes this outcome,
                too.
        """
        self._unwritten.append((handle, outcome, final))
        self.catch_up(folder)

    def catch_up(self, folder: Path) -> None:
        """Reads the file, and writes the outcomes that could not be written before.

        Raises:
            OSError: The file still cannot be written.
        """
        with Scores.changing(folder) as scores:
            for handle, outcome, final in self._unwritten:
                marks = scores.marks.get(handle, Marks(last=outcome))
                if not final:
                    scores.marks[handle] = marks.with_outcome(outcome)
                elif handle in scores.marks:
                    scores.marks[handle] = marks.model_copy(update={"final": outcome})
        self.marks = scores.marks
        self._unwritten.clear()
