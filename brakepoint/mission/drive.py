"""Drives the feeds of a mission, each in its own process, as many at once as there are cores."""

import io
import multiprocessing
import os
import queue
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from brakepoint.adapters import SIMULATED_HUB, open_camera, open_hub
from brakepoint.cores import available_cores
from brakepoint.look import points
from brakepoint.messages import OrderKind
from brakepoint.mission.report import Recording
from brakepoint.rules import FULL_SPEED_CM_S
from brakepoint.texts import language, text
from brakepoint.truth import load_truth
from brakepoint.workers import can_share, uninterrupted, worker_pool

ORACLE = "oracle"
TOLD_EVERY_TICKS = 5
"""Progress is reported three times per second of the train's clock."""


@dataclass(frozen=True)
class Assignment:
    """Everything needed to drive one feed.

    Attributes:
        video: The feed.
        steps: Source of the step modules: `solutions` or `labs`.
        detector: Path to an ONNX model, or `oracle` for perfect detections.
        folder: Folder for film and recording.
    """

    video: Path
    steps: str
    detector: str
    folder: Path

    @property
    def feed(self) -> str:
        """Name of the feed."""
        return self.video.stem


@dataclass(frozen=True)
class Driven:
    """News of a run.

    Attributes:
        feed: Name of the feed.
        share: Share of the line that the train has covered, 0 to 1.
        position_cm: Position of the train.
        speed_cm_s: Speed of the train.
        order: The order in force.
        printed: The line that the hub has just printed; empty if there is none.
        note: What is happening while the train is not moving.
    """

    feed: str
    share: float
    position_cm: float
    speed_cm_s: float
    order: OrderKind | None
    printed: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Finished:
    """A finished and filmed run, with a picture of the first mistake."""

    recording: Recording
    still: bytes | None


TellProgress = Callable[[Driven], None]


def check(assignments: list[Assignment]) -> None:
    """Checks everything that a mission needs, so that a mistake is found before anything is driven.

    Raises:
        UserError: A feed, its ground truth, the step's module or the model is missing or invalid.
    """
    from brakepoint.steps import load_step

    for assignment in assignments:
        truth = load_truth(assignment.video.with_suffix(".json"))
        open_camera(f"video:{assignment.video}").close()
    load_step("step6_autopilot", assignments[0].steps)
    _detector(assignments[0], truth)


def drive(assignment: Assignment, tell: TellProgress) -> Finished:
    """Drives and films one feed, and saves film and recording in the assignment's folder."""
    from brakepoint.mission.loop import run_mission
    from brakepoint.steps import load_step

    truth = load_truth(assignment.video.with_suffix(".json"))
    step = load_step("step6_autopilot", assignment.steps).step
    news = News(assignment.feed, truth.length_cm, tell)
    with closing(open_camera(f"video:{assignment.video}", truth.seed)) as camera:
        hub = open_hub(SIMULATED_HUB, out=news)
        run = run_mission(camera, hub, _detector(assignment, truth), step, truth, news.observe)
    return finish(run, assignment, news)


def finish(
    run: Any, assignment: Assignment, news: "News", full_speed_cm_s: float = FULL_SPEED_CM_S
) -> Finished:
    """Scores and films a run, and saves film and recording in the assignment's folder.

    Args:
        run: The record.
        assignment: The feed and how it was driven.
        news: Receives the progress.
        full_speed_cm_s: Full speed of the train; a real train may be slower.
    """
    from brakepoint.mission.film import make_film, still
    from brakepoint.mission.loop import oracle_run
    from brakepoint.mission.scoring import score_run
    from brakepoint.steps import load_step

    truth = load_truth(assignment.video.with_suffix(".json"))
    step = load_step("step6_autopilot", assignment.steps).step
    score = score_run(run, truth, full_speed_cm_s)
    oracle = score_run(oracle_run(truth, step, open_hub(SIMULATED_HUB, out=None)), truth)
    recording = Recording.of(run, score, oracle, truth)
    news.note(text("mission.filming"))
    make_film(recording, assignment.video, assignment.folder / f"{assignment.feed}.mp4")
    (assignment.folder / f"{assignment.feed}.run.json").write_text(recording.to_json(), encoding="utf-8")
    news.note(text("mission.scored", score=points(score.score)))
    return Finished(recording, still(recording, truth, assignment.video) if score.first_wrong else None)


def _detector(assignment: Assignment, truth: Any) -> Any:
    from brakepoint.detector import Detector
    from brakepoint.mission.loop import OracleDetector

    return (
        OracleDetector(truth) if assignment.detector == ORACLE else Detector(assignment.detector, threads=1)
    )


class News(io.StringIO):
    """Reports what the hub prints and how far the train has driven.

    Args:
        feed: Name of the feed.
        length_cm: Length of the feed's line.
        tell: Receives the news.
    """

    def __init__(self, feed: str, length_cm: float, tell: TellProgress) -> None:
        super().__init__()
        self._feed, self._length_cm, self._tell = feed, length_cm, tell
        self._ticks = 0
        self._last = Driven(feed, 0.0, 0.0, 0.0, None)

    def write(self, words: str) -> int:
        """Passes a printed line on."""
        if words.strip():
            self._tell(replace(self._last, printed=words.rstrip()))
        return len(words)

    def note(self, words: str) -> None:
        """Reports what is happening while the train is not driving."""
        self._tell(replace(self._last, note=words))

    def observe(self, tick: Any, frame: object) -> None:
        """Reports occasionally where the train is."""
        share = min(tick.position_cm / self._length_cm, 1.0)
        self._last = Driven(self._feed, share, tick.position_cm, tick.speed_cm_s, tick.order.kind)
        self._ticks += 1
        if self._ticks % TOLD_EVERY_TICKS == 0:
            self._tell(self._last)


def drive_all(assignments: list[Assignment], tell: TellProgress) -> list[Finished]:
    """Drives every feed, in parallel if possible, and returns the runs in the order of the assignments.

    The parent process stays light: only the workers load video and inference.

    Raises:
        UserError: Something in an assignment is missing or invalid, or a worker was killed; the others are
            then stopped.
    """
    if not can_share():
        check(assignments)
        return [drive(assignment, tell) for assignment in assignments]
    channel: Any = multiprocessing.get_context("spawn").Queue()
    workers = min(len(assignments), available_cores())
    with worker_pool(workers, _start_worker, (channel, language())) as pool:
        with uninterrupted():
            checked = pool.submit(check, assignments)
        checked.result()
        with uninterrupted():
            runs = {
                assignment.video: pool.submit(_drive_in_worker, assignment)
                for assignment in longest_first(assignments)
            }
        for news in _heard(channel, list(runs.values())):
            tell(news)
        return [runs[assignment.video].result() for assignment in assignments]


def longest_first(assignments: list[Assignment]) -> list[Assignment]:
    """Sorts feeds, the longest first by file size, so that all cores are busy until nearly the end."""
    return sorted(assignments, key=lambda assignment: assignment.video.stat().st_size, reverse=True)


def _heard(channel: Any, runs: list[Future[Finished]]) -> Iterator[Driven]:
    """The workers' messages, until all runs are done or one has failed."""
    over = False
    while not over:
        done, pending = wait(runs, timeout=0)
        over = not pending or any(run.exception() for run in done)
        with suppress(queue.Empty):
            while True:
                yield channel.get(timeout=0.1)


_channel: Any = None


def _start_worker(channel: Any, lang: str) -> None:
    """Limits a worker to one OpenCV thread, and gives it the language and a queue for its messages."""
    global _channel
    _channel = channel
    os.environ["BRAKEPOINT_LANG"] = lang
    import cv2

    cv2.setNumThreads(1)


def _drive_in_worker(assignment: Assignment) -> Finished:
    return drive(assignment, _channel.put)
