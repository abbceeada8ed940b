"""Drives every feed in every weather on the virtual clock, on all cores, and keeps the outcomes.

Outcomes are appended to a JSON Lines file as they become known. An interrupted run resumes from that file, as
long as model, autopilot, kit and feed are the same.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict

from brakepoint.adapters import SIMULATED_HUB, open_camera, open_hub
from brakepoint.cores import available_cores
from brakepoint.detector import Detector
from brakepoint.errors import UserError, system_says
from brakepoint.feeds import COURSE_FEEDS, find_feed, harder_feeds
from brakepoint.files import write_whole
from brakepoint.messages import Frame
from brakepoint.mission.film import draw_detections, telling_tick
from brakepoint.mission.loop import run_mission
from brakepoint.mission.records import Score, Tick
from brakepoint.mission.scoring import score_run
from brakepoint.places import PACKAGES
from brakepoint.proving.weather import WEATHERS, WeatheredCamera
from brakepoint.steps import load_step
from brakepoint.truth import load_truth
from brakepoint.workers import spread

ENOUGH = 90.0
"""The score that a mission needs in order to pass.

The train must also reach the end, obey every sign, and stop for nothing else.
"""
OUTCOMES_NAME = "outcomes.jsonl"
PICTURES_NAME = "pictures"
JPEG_QUALITY = 85
AUTOPILOT = "step6_autopilot"


@dataclass(frozen=True)
class Trial:
    """One feed in one weather condition."""

    video: Path
    weather: str

    @property
    def feed(self) -> str:
        """Name of the feed."""
        return self.video.stem


@dataclass(frozen=True)
class Candidate:
    """The model and the autopilot that are tested.

    Attributes:
        model: Path to an ONNX model, or URL of an endpoint.
        steps: Source of the autopilot: `solutions` or `labs`.
    """

    model: str
    steps: str


class Outcome(BaseModel):
    """The outcome of a trial; one line of the file of outcomes.

    Attributes:
        feed: Name of the feed.
        feed_hash: The `feed_hash` of the feed.
        weather: Name of the weather.
        score: Score of the mission.
        picture: File name of a picture of the first mistake, if there was one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    feed: str
    feed_hash: str
    weather: str
    score: Score
    picture: str | None

    @property
    def holds(self) -> bool:
        """Whether the trial passed."""
        return self.score.accomplished and self.score.score >= ENOUGH and not self.score.false_stops


@dataclass(frozen=True)
class Proof:
    """All outcomes of one candidate.

    Attributes:
        candidate: What was tested.
        feeds: Names of the feeds, in order.
        weathers: Names of the weather conditions, in order.
        outcomes: Outcomes by feed and weather.
    """

    candidate: Candidate
    feeds: tuple[str, ...]
    weathers: tuple[str, ...]
    outcomes: dict[tuple[str, str], Outcome]

    @classmethod
    def of(cls, candidate: Candidate, trials: Iterable[Trial], outcomes: Iterable[Outcome]) -> Self:
        """Sorts outcomes into the order of the trials."""
        trials = list(trials)
        return cls(
            candidate,
            tuple(dict.fromkeys(trial.feed for trial in trials)),
            tuple(dict.fromkeys(trial.weather for trial in trials)),
            {_key(outcome): outcome for outcome in outcomes},
        )

    def outcome(self, feed: str, weather: str) -> Outcome:
        """The outcome of a feed in one weather condition."""
        return self.outcomes[feed, weather]

    def failures(self) -> list[Outcome]:
        """The trials that did not pass, worst first."""
        failed = (outcome for outcome in self.outcomes.values() if not outcome.holds)
        return sorted(failed, key=lambda outcome: (outcome.score.score, _key(outcome)))

    def counts(self) -> dict[str, int]:
        """The number of missions, and the number of each result."""
        scores = [outcome.score for outcome in self.outcomes.values()]
        return {
            "missions": len(scores),
            "holding": sum(outcome.holds for outcome in self.outcomes.values()),
            "accomplished": sum(score.accomplished for score in scores),
            "false_stops": sum(score.false_stops > 0 for score in scores),
            "derailed": sum(score.derailed for score in scores),
        }


def feeds_to_prove() -> list[Path]:
    """The videos of the course's feeds and of the harder ones."""
    return [*map(find_feed, COURSE_FEEDS), *harder_feeds()]


def trials_of(videos: Iterable[Path], weathers: Iterable[str]) -> list[Trial]:
    """Every feed in every weather.

    Raises:
        UserError: There is no such weather condition, or two feeds have the same name.
    """
    wanted = list(dict.fromkeys(weathers)) or list(WEATHERS)
    for name in wanted:
        if name not in WEATHERS:
            raise UserError("prove.error.weather", weather=name, weathers=", ".join(WEATHERS))
    by_feed: dict[str, Path] = {}
    for video in dict.fromkeys(videos):
        if (other := by_feed.setdefault(video.stem, video)) != video:
            raise UserError("prove.error.same_name", feed=video.stem, paths=f"{other}, {video}")
    return [Trial(video, name) for video in by_feed.values() for name in wanted]


def prove(candidate: Candidate, trials: Sequence[Trial], folder: Path) -> Iterator[Outcome]:
    """Drives the trials without a known outcome, and yields every outcome, beginning with the known ones.

    Args:
        candidate: Detector and autopilot.
        trials: The trials to drive.
        folder: Folder for outcomes and pictures.

    Raises:
        UserError: Model, autopilot, a feed or its ground truth is missing or unsuitable, the autopilot
            failed, or the folder cannot be written to.
    """
    load_step(AUTOPILOT, candidate.steps)
    _detector(candidate.model)  # Before the ledger is opened: a mistyped name must not erase its outcomes.
    ledger = Ledger(folder, fingerprint(candidate))
    hashes = {video: feed_hash(video) for video in {trial.video for trial in trials}}
    left, pictures = [], folder / PICTURES_NAME
    for trial in trials:
        known = ledger.outcomes.get(_key(trial))
        is_there = known is not None and (known.picture is None or (pictures / known.picture).is_file())
        if known is not None and is_there and known.feed_hash == hashes[trial.video]:
            yield known
        else:
            left.append(trial)
    work = partial(drive_trial, candidate, pictures)
    with spread(work, left, available_cores()) as outcomes:
        for outcome in outcomes:
            ledger.keep(outcome)
            yield outcome


def _key(one: Trial | Outcome) -> tuple[str, str]:
    return one.feed, one.weather


def feed_hash(video: Path) -> str:
    """A hash of a feed's files: it differs for another feed of the same name, and after the feed changes."""
    files = (video, video.with_suffix(".json"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files if file.is_file())).hexdigest()


def fingerprint(candidate: Candidate) -> str:
    """A hash that changes whenever an outcome might change: with the model, the autopilot or the kit.

    The autopilot may import other modules of its folder, so all of them count. The model behind an endpoint
    may change unnoticed, so the hash for an endpoint is different each time.
    """
    model = Path(candidate.model)
    known = hashlib.sha256(model.read_bytes() if model.is_file() else secrets.token_bytes())
    autopilot = load_step(AUTOPILOT, candidate.steps).__file__ or ""
    for folder in (PACKAGES / "brakepoint", PACKAGES / "stubs", Path(autopilot).parent):
        for source in sorted(folder.rglob("*.py")):
            known.update(source.read_bytes())
    return known.hexdigest()


@dataclass
class Ledger:
    """The file of outcomes, which is restarted when the fingerprint differs.

    Attributes:
        folder: Where the file is.
        fingerprint: Fingerprint of what is tested.
        outcomes: Known outcomes, by feed and weather.
    """

    folder: Path
    fingerprint: str
    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Loads the known outcomes, or starts an empty file."""
        self._path = self.folder / OUTCOMES_NAME
        self._head = json.dumps({"fingerprint": self.fingerprint})
        with self._writing():
            (self.folder / PICTURES_NAME).mkdir(parents=True, exist_ok=True)
            self.outcomes = {_key(outcome): outcome for outcome in self._read()}
            lines = (outcome.model_dump_json() for outcome in self.outcomes.values())
            write_whole(self._path, "".join(f"{line}\n" for line in (self._head, *lines)).encode())

    def _read(self) -> Iterator[Outcome]:
        """The known outcomes, up to a truncated line if there is one."""
        if not self._path.exists():
            return
        with suppress(ValueError):
            if self._is_ours():
                _, *lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
                yield from map(Outcome.model_validate_json, lines)

    def _is_ours(self) -> bool:
        """Whether the file begins with this ledger's fingerprint."""
        with self._path.open(encoding="utf-8", errors="replace") as lines:
            return lines.readline() == f"{self._head}\n"

    def keep(self, outcome: Outcome) -> None:
        """Appends an outcome to the file.

        Raises:
            UserError: Another run has restarted the file for another model, autopilot or kit, or the file
                cannot be written any more.
        """
        with self._writing():
            if not self._is_ours():
                raise UserError("prove.error.taken", folder=self.folder)
            self.outcomes[_key(outcome)] = outcome
            with self._path.open("a", encoding="utf-8") as lines:
                lines.write(outcome.model_dump_json() + "\n")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError("prove.error.unwritable", folder=self.folder, why=system_says(error)) from error


def drive_trial(candidate: Candidate, pictures: Path, trial: Trial) -> Outcome:
    """Drives one feed in one weather condition, and saves a picture of the first mistake."""
    truth = load_truth(trial.video.with_suffix(".json"))
    step = load_step(AUTOPILOT, candidate.steps).step
    seen: list[bytes] = []

    def observe(tick: Tick, frame: Frame | None) -> None:
        seen.append(_jpeg(frame.image) if frame is not None else b"")

    camera = open_camera(f"video:{trial.video}", truth.seed)
    with closing(WeatheredCamera(camera, trial.weather, truth.seed)) as weathered:
        hub = open_hub(SIMULATED_HUB, out=None)
        run = run_mission(weathered, hub, _detector(candidate.model), step, truth, observe)
    score = score_run(run, truth)
    picture = None
    if score.first_wrong is not None:
        tick = telling_tick(run, score.first_wrong, truth)
        picture = f"{trial.feed}.{trial.weather}.jpg"  # With a hyphen, two trials could share a name.
        (pictures / picture).write_bytes(_annotated(seen[run.ticks.index(tick)], tick))
    return Outcome(
        feed=trial.feed, feed_hash=feed_hash(trial.video), weather=trial.weather, score=score, picture=picture
    )


@cache
def _detector(model: str) -> Detector:
    return Detector(model, threads=1)


def _annotated(picture: bytes, tick: Tick) -> bytes:
    image = np.asarray(cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR))
    draw_detections(image, tick.detections or ())
    return _jpeg(image)


def _jpeg(image: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
