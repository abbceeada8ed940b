"""One submission: its two files, and how they score on a hidden feed, each file in its own sandbox."""

import hashlib
import json
import threading
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from brakepoint.adapters import SIMULATED_HUB, open_camera, open_hub
from brakepoint.detector import look_at
from brakepoint.detector.decode import DETECTIONS_MAX
from brakepoint.errors import UserError
from brakepoint.evaluation.mean_average_precision import class_metrics, match_picture
from brakepoint.files import BYTES_IN_MB
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
from brakepoint.mission.report import Recording
from brakepoint.mission.scoring import score_run
from brakepoint.room.model_check import MODEL_MAX_BYTES
from brakepoint.room.outcomes import Failed, Failure, SubmissionOutcome
from brakepoint.room.parcel import (
    AUTOPILOT_KEY,
    AUTOPILOT_MAX_BYTES,
    LIMITS,
    MODEL_KEY,
    SUBMISSION_KEY,
    unpacked,
)
from brakepoint.room.sandbox import Aborted, Sandbox, SandboxLimits
from brakepoint.room.stores.base import Buckets
from brakepoint.truth import GroundTruth, load_truth

EVALUATED_FRAMES = 60
"""Number of frames of the hidden feed, evenly spread, on which mAP50 is measured."""
AUTOPILOT_LIMITS = SandboxLimits(
    memory_mb=1024, cpu_s=60, processes=1, answer_s=5.0, held_mb=512, total_s=30.0
)
DETECTOR_LIMITS = SandboxLimits(
    memory_mb=6144, cpu_s=600, processes=64, answer_s=20.0, held_mb=1024, total_s=150.0
)
"""In both limits, `total_s` is about five times what the kit's own file needs on a busy machine."""
NAMES = ("model.onnx", "step6_autopilot.py")
RUN_NAME = "run.json"
"""Recording of the submission's run, beside its two files."""
BOX_MAX = 10
"""Boxes may extend slightly beyond a picture, but not by this multiple of the picture's size."""
CONFIDENCE = 0.25
"""mAP does not depend on this threshold; precision and recall, which are not shown, do."""


@dataclass(frozen=True)
class Submission:
    """An attendee's submission.

    Attributes:
        model: An ONNX file.
        autopilot: A Python file with a function `step`.
    """

    model: bytes
    autopilot: bytes

    @property
    def digest(self) -> str:
        """A hash that identifies a submission."""
        return hashlib.sha256(hashlib.sha256(self.model).digest() + self.autopilot).hexdigest()

    def unpack(self, folder: Path) -> tuple[Path, Path]:
        """Creates a folder, and writes both files into it.

        Raises:
            Failed: One of the files is too large.
        """
        for content, most, reason in (
            (self.model, MODEL_MAX_BYTES, Failure.MODEL_SIZE),
            (self.autopilot, AUTOPILOT_MAX_BYTES, Failure.AUTOPILOT_SIZE),
        ):
            if len(content) > most:
                raise Failed(reason, f"{most / BYTES_IN_MB:g} MB")
        folder.mkdir(parents=True, exist_ok=True)
        model, autopilot = (folder / name for name in NAMES)
        model.write_bytes(self.model)
        autopilot.write_bytes(self.autopilot)
        return model, autopilot


def fetch(store: Buckets, bucket: str) -> Submission | None:
    """Reads a submission from a bucket, never more than the maximum size; None if there is none.

    Raises:
        UserError: The submission is incomplete.
    """

    def read(key: str) -> bytes:
        return store.read(bucket, key, LIMITS[key])

    with suppress(FileNotFoundError):
        return Submission(*unpacked(read(SUBMISSION_KEY)))
    with suppress(FileNotFoundError):
        return Submission(read(MODEL_KEY), read(AUTOPILOT_KEY))
    return None


def score(
    submission: Submission,
    feed: Path,
    folder: Path,
    map50_min: float = 0.0,
    stopping: threading.Event | None = None,
) -> SubmissionOutcome:
    """Scores one submission, which cannot affect anything else.

    Args:
        submission: The submission.
        feed: The hidden feed.
        folder: Receives the two files and, if the submission drove, `run.json`; nothing else is written.
        map50_min: A model below this mAP50 does not drive: the run would reveal the line although the model
            sees too little.
        stopping: Set when scoring must stop.

    Raises:
        Aborted: `stopping` was set.
    """
    now = datetime.now(UTC)
    map50: float | None = None
    try:
        model, autopilot = submission.unpack(folder)
        truth = load_truth(feed.with_suffix(".json"))
        with open_eyes(model, stopping) as eyes:
            detector = SandboxedDetector(eyes)
            map50 = _map50(detector, feed, truth)
            if (map50 or 0.0) < map50_min:
                raise Failed(Failure.MODEL_BLIND, f"{map50_min:g}")
            with Sandbox("autopilot", autopilot, AUTOPILOT_LIMITS, stopping) as driver:
                result = _drive(detector, SandboxedAutopilot(driver), feed, truth)
        (folder / RUN_NAME).write_text(result.to_json(), encoding="utf-8")
    except Failed as failed:
        return SubmissionOutcome(
            digest=submission.digest, at=now, map50=map50, reason=failed.reason, detail=failed.detail
        )
    return SubmissionOutcome(
        digest=submission.digest,
        at=now,
        map50=map50,
        score=result.mission.score,
        accomplished=result.mission.accomplished,
    )


class Answer(BaseModel):
    """The output of a detector's sandbox."""

    model_config = ConfigDict(frozen=True)

    items: tuple[Detection, ...] = Field(max_length=DETECTIONS_MAX)


OF_A_MODEL = {
    Failure.TOO_SLOW: Failure.MODEL_SLOW,
    Failure.RAISED: Failure.MODEL_UNFIT,
    Failure.NO_ORDER: Failure.MODEL_UNFIT,
}
"""A model's reasons for failing, by the corresponding reason of the autopilot's sandbox."""


def _of_a_model(failed: Failed) -> Failed:
    return Failed(OF_A_MODEL.get(failed.reason, failed.reason), failed.detail)


def open_eyes(model: Path, stopping: threading.Event | None = None) -> Sandbox:
    """Opens a sandbox for a model.

    Raises:
        Failed: The sandbox did not become ready.
        Aborted: Scoring must stop.
    """
    try:
        return Sandbox("detector", model, DETECTOR_LIMITS, stopping)
    except Failed as failed:
        raise _of_a_model(failed) from failed


class SandboxedDetector:
    """A detector that runs in a sandbox.

    Args:
        sandbox: A sandbox with the role `detector`.
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
            everything: Whether to include low-confidence detections, as mAP requires.

        Raises:
            Failed: There is no answer in time, or the answer is invalid.
        """
        height, width = image.shape[:2]
        header = f"{height},{width},{int(everything)}".ljust(12).encode()
        try:
            answer = self._sandbox.ask(header + np.ascontiguousarray(image).tobytes())
        except Failed as failed:
            raise _of_a_model(failed) from failed
        try:
            items = Answer.model_validate(answer).items
        except ValueError as error:
            raise Failed(Failure.MODEL_UNFIT, str(error)) from error
        if any(abs(side) > BOX_MAX * max(height, width) for item in items for side in item.box):
            raise Failed(Failure.MODEL_UNFIT, "box")
        return items


class SandboxedAutopilot:
    """An autopilot in a sandbox, for `brakepoint.mission.loop`; the autopilot's memory stays in the sandbox.

    Args:
        sandbox: A sandbox with the role `autopilot`.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def step(
        self, memory: object, detections: Detections | None, train_state: TrainState | None, now: float
    ) -> tuple[None, Order]:
        """Requests an order.

        Raises:
            Failed: There is no valid answer.
        """
        asked = {
            "detections": detections.model_dump(mode="json") if detections else None,
            "state": train_state.model_dump(mode="json") if train_state else None,
            "now": now,
        }
        answer = self._sandbox.ask(json.dumps(asked).encode())
        try:
            order = Order.model_validate(answer.get("order"))
        except ValueError as error:
            raise Failed(Failure.NO_ORDER, str(error)) from error
        return None, order.model_copy(update={"at": now})


def _map50(detector: SandboxedDetector, feed: Path, truth: GroundTruth) -> float | None:
    """Mean average precision on frames of the feed, with the camera's sensor noise."""
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
) -> Recording:
    """Drives the feed once.

    There is no second run with perfect detections, so lost points are not attributed to detector or
    autopilot.
    """
    with closing(open_camera(f"video:{feed}", truth.seed)) as camera:
        try:
            run = run_mission(camera, open_hub(SIMULATED_HUB, out=None), detector, autopilot.step, truth)
        except UserError as error:
            if isinstance(error.__cause__, Failed | Aborted):  # The loop raises this when an autopilot fails.
                raise error.__cause__ from None
            raise
    result = score_run(run, truth)
    return Recording.of(run, result, result, truth)
