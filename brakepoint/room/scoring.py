"""Scores what an attendee handed in, on a feed that no attendee has seen, in a sandbox."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np
from pydantic import BaseModel, Field

from brakepoint.adapters import SIMULATED_HUB, open_camera, open_hub
from brakepoint.detector import look_at
from brakepoint.detector.decode import DETECTIONS_MAX
from brakepoint.errors import UserError
from brakepoint.evaluation.mean_average_precision import class_metrics, match_picture
from brakepoint.feeds import find_feed
from brakepoint.messages import (
    Detection,
    Detections,
    Frame,
    Light,
    Order,
    SignClass,
    TrainState,
)
from brakepoint.mission.loop import run_mission
from brakepoint.mission.records import Score
from brakepoint.mission.scoring import score_run
from brakepoint.room.config import Room
from brakepoint.room.model_check import MODEL_MAX_MB
from brakepoint.room.outcomes import Failed, Failure, Scores, SubmissionOutcome
from brakepoint.room.rulings import Rulings
from brakepoint.room.sandbox import Sandbox, SandboxLimits, require_sandbox
from brakepoint.room.sharing import AUTOPILOT_KEY, MODEL_KEY
from brakepoint.room.stores.base import Buckets, RoomStore
from brakepoint.truth import GroundTruth, load_truth

MODEL_MAX_BYTES = MODEL_MAX_MB * 1_000_000
AUTOPILOT_MAX_BYTES = 200_000
EVALUATED_FRAMES = 60
"""Frames of the hidden feed, evenly spread, on which mAP50 is measured."""
AUTOPILOT_LIMITS = SandboxLimits(memory_mb=1024, cpu_s=60, processes=1, answer_s=5.0)
DETECTOR_LIMITS = SandboxLimits(memory_mb=6144, cpu_s=600, processes=64, answer_s=20.0)
CONFIDENCE = 0.25
"""mAP does not depend on it; precision and recall, which are not shown, would."""


@dataclass(frozen=True)
class Submission:
    """What an attendee handed in.

    Attributes:
        model: An ONNX file.
        autopilot: A Python file with a function `step`.
    """

    model: bytes
    autopilot: bytes

    @property
    def digest(self) -> str:
        """Tells two submissions apart."""
        return hashlib.sha256(hashlib.sha256(self.model).digest() + self.autopilot).hexdigest()


def score_room(room: Room, store: RoomStore, scores: Scores) -> Iterator[tuple[str, SubmissionOutcome]]:
    """Scores whatever was handed in since it was last scored, one attendee after the other.

    Args:
        room: Whose.
        store: Its object store.
        scores: Of the room; they are kept up to date, in the room's folder too.

    Yields:
        Handle and outcome of each new submission.

    Raises:
        UserError: The room has no hidden feed, or this machine has no sandbox.
    """
    if room.hidden_feed is None:
        raise UserError("room.error.no_hidden_feed")
    feed = find_feed(str(room.hidden_feed))
    require_sandbox(feed, feed.with_suffix(".json"))
    scores.marks, rulings = Scores.load(room.folder).marks, Rulings.load(room.folder)
    source = rulings.source(room.folder, store)
    there = source.buckets()
    for handle in room.everybody:
        submission = fetch(source, room.place_of(handle)) if room.place_of(handle) in there else None
        if submission is None or not rulings.wants_score(handle, submission.digest, scores.marks.get(handle)):
            continue
        outcome = score(submission, feed, room.folder / "submissions" / handle)
        scores.add(handle, outcome, room.folder)
        yield handle, outcome


def fetch(store: Buckets, bucket: str) -> Submission | None:
    """Takes a submission from a bucket, never more of it than may be handed in; None if there is none."""
    try:
        return Submission(
            model=store.read(bucket, MODEL_KEY, MODEL_MAX_BYTES),
            autopilot=store.read(bucket, AUTOPILOT_KEY, AUTOPILOT_MAX_BYTES),
        )
    except FileNotFoundError:
        return None


def score(submission: Submission, feed: Path, folder: Path) -> SubmissionOutcome:
    """Scores one submission; whatever it does, it does to itself.

    Args:
        submission: What was handed in.
        feed: The hidden feed.
        folder: Gets the two files; nothing else is written.
    """
    now = datetime.now(UTC)
    map50: float | None = None
    try:
        model, autopilot = _unpack(submission, folder)
        truth = load_truth(feed.with_suffix(".json"))
        with Sandbox("detector", model, DETECTOR_LIMITS) as eyes:
            detector = SandboxedDetector(eyes)
            map50 = _map50(detector, feed, truth)
            with Sandbox("autopilot", autopilot, AUTOPILOT_LIMITS) as driver:
                result = _drive(detector, SandboxedAutopilot(driver), feed, truth)
    except Failed as failed:
        return SubmissionOutcome(
            digest=submission.digest, at=now, map50=map50, reason=failed.reason, detail=failed.detail
        )
    return SubmissionOutcome(
        digest=submission.digest, at=now, map50=map50, score=result.score, accomplished=result.accomplished
    )


def _unpack(submission: Submission, folder: Path) -> tuple[Path, Path]:
    for content, most, reason in (
        (submission.model, MODEL_MAX_BYTES, Failure.MODEL_SIZE),
        (submission.autopilot, AUTOPILOT_MAX_BYTES, Failure.AUTOPILOT_SIZE),
    ):
        if len(content) > most:
            raise Failed(reason, f"{most / 1_000_000:g} MB")
    folder.mkdir(parents=True, exist_ok=True)
    model, autopilot = folder / "model.onnx", folder / "step6_autopilot.py"
    model.write_bytes(submission.model)
    autopilot.write_bytes(submission.autopilot)
    return model, autopilot


class Answer(BaseModel):
    """What comes out of a detector's sandbox."""

    items: tuple[Detection, ...] = Field(max_length=DETECTIONS_MAX)


class SandboxedDetector:
    """A detector that looks at pictures in a sandbox.

    Args:
        sandbox: Of the role `detector`.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def detect(self, frame: Frame) -> Detections:
        """Finds the signs in a frame."""
        return look_at(frame, partial(self.detect_image, everything=False))

    def detect_image(self, image: np.ndarray, everything: bool) -> tuple[Detection, ...]:
        """Finds the signs in a picture.

        Args:
            image: `(height, width, 3)` uint8.
            everything: Whether unsure detections count, too, as they do for mAP.

        Raises:
            Failed: There is no answer in time, or none that makes sense.
        """
        height, width = image.shape[:2]
        header = f"{height},{width},{int(everything)}".ljust(12).encode()
        try:
            answer = self._sandbox.ask(header + np.ascontiguousarray(image).tobytes())
        except Failed as failed:
            if failed.reason is Failure.TOO_SLOW:
                raise Failed(Failure.MODEL_SLOW, failed.detail) from failed
            raise
        try:
            return Answer.model_validate(answer).items
        except ValueError as error:
            raise Failed(Failure.MODEL_UNFIT, str(error)) from error


class SandboxedAutopilot:
    """An autopilot in a sandbox, as `brakepoint.mission.loop` wants one; its memory never comes out.

    Args:
        sandbox: Of the role `autopilot`.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def step(
        self, memory: object, detections: Detections | None, train_state: TrainState | None, now: float
    ) -> tuple[None, Order]:
        """Asks for an order.

        Raises:
            Failed: There is none.
        """
        asked = {
            "detections": detections.model_dump(mode="json") if detections else None,
            "state": train_state.model_dump(mode="json") if train_state else None,
            "now": now,
        }
        answer = self._sandbox.ask(json.dumps(asked).encode())
        try:
            return None, Order.model_validate(answer.get("order"))
        except ValueError as error:
            raise Failed(Failure.NO_ORDER, str(error)) from error


def _map50(detector: SandboxedDetector, feed: Path, truth: GroundTruth) -> float | None:
    """Mean average precision on frames of the feed, noise and all."""
    step = max(len(truth.frames) // EVALUATED_FRAMES, 1)
    matches = []
    with closing(open_camera(f"video:{feed}", truth.seed)) as camera:
        for number in range(0, len(truth.frames), step):
            frame = camera.read(_at_rest(truth.frames[number].position_cm))
            assert frame is not None, "a recorded camera always has a frame"
            seen = detector.detect_image(frame.image, everything=True)
            matches.append(match_picture(seen, truth.perfect_detections(number)))
    precisions = [class_metrics(matches, sign_class, CONFIDENCE).ap50 for sign_class in SignClass]
    known = [value for value in precisions if value is not None]
    return fmean(known) if known else None


def _at_rest(position_cm: float) -> TrainState:
    return TrainState(at=0.0, position_cm=position_cm, speed_cm_s=0.0, power=0, braking=True, light=Light.ON)


def _drive(
    detector: SandboxedDetector, autopilot: SandboxedAutopilot, feed: Path, truth: GroundTruth
) -> Score:
    with closing(open_camera(f"video:{feed}", truth.seed)) as camera:
        try:
            run = run_mission(camera, open_hub(SIMULATED_HUB, out=None), detector, autopilot.step, truth)
        except UserError as error:
            if isinstance(error.__cause__, Failed):  # The loop's word for an autopilot that breaks down.
                raise error.__cause__ from None
            raise
    return score_run(run, truth)
