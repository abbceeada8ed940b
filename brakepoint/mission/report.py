"""The files that `brakepoint mission` writes to its folder, and how they are published atomically.

report.json        the scores of all feeds, byte-identical for the same mission
index.html         the page
FEED.mp4           the annotated film of a feed
FEED.jpg           the film's poster: the most informative moment
FEED.run.json      the run's recording: every tick, and the line
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brakepoint.errors import UserError, system_says
from brakepoint.files import put_in_place
from brakepoint.messages import Light, OrderKind, Reason, SignClass
from brakepoint.mission.records import Ending, Penalty, Run, Score
from brakepoint.mission.scoring import split_lost
from brakepoint.track import Segment, Track
from brakepoint.truth import GroundTruth, TruthSign
from brakepoint.validation import first_fault

SUFFIXES = ".mp4", ".jpg", ".run.json"
"""Of the files that a run writes about each feed: film, poster and recording."""
LEFT_BEHIND = {".DS_Store", "Thumbs.db", "desktop.ini"}
"""Files that file managers create in the folders that they show."""
REPORT_NAME = "report.json"
PAGE_NAME = "index.html"
FORMAT = "brakepoint-report/"
"""The beginning of a report's format, followed by the version."""
DECIMALS = 3
"""Floats are rounded to this many decimals, so that a report does not depend on the last bit."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class OrderChange(_Record):
    """An order that differs from the previous one.

    Attributes:
        time_s: Seconds since the start.
        position_cm: Position of the train.
        speed_cm_s: Speed of the train.
        kind: Kind of the order.
        reason: Why the order was given.
        sign: Class of the sign to which the order responds, if any.
        light: State of the headlight.
    """

    time_s: float
    position_cm: float
    speed_cm_s: float
    kind: OrderKind
    reason: Reason
    sign: SignClass | None
    light: Light


class Mission(Score):
    """The score of one feed, with the orders that led to it.

    Attributes:
        ending: Why the run ended.
        duration_s: Duration by the train's clock.
        control_penalties: The penalties of the same autopilot with perfect detections; the difference from
            `penalties` is due to perception.
        orders: Every change of orders, including the first order.
    """

    ending: Ending
    duration_s: float
    control_penalties: dict[Penalty, float]
    orders: tuple[OrderChange, ...]

    @classmethod
    def of(cls, run: Run, score: Score, oracle: Score) -> Self:
        """Combines a run, its score, and the score of its rerun with perfect detections."""
        orders = tuple(
            OrderChange(
                time_s=tick.time_s,
                position_cm=tick.position_cm,
                speed_cm_s=tick.speed_cm_s,
                **tick.order.model_dump(exclude={"at"}),
            )
            for tick in run.order_changes
        )
        return cls(
            **dict(split_lost(score, oracle)),
            ending=run.ending,
            duration_s=run.ticks[-1].time_s,
            control_penalties={
                rule: min(points, oracle.penalties.get(rule, 0.0)) for rule, points in score.penalties.items()
            },
            orders=orders,
        )


class Report(_Record):
    """The contents of `report.json`.

    Attributes:
        format: Name and version of this schema.
        steps: Source of the step modules: `solutions` or `labs`.
        detector: File name of the detector's model, or `oracle`.
        accomplished: Whether every mission was accomplished.
        missions: One entry per feed.
    """

    format: Literal["brakepoint-report/1"] = "brakepoint-report/1"
    steps: str
    detector: str
    accomplished: bool
    missions: tuple[Mission, ...] = Field(min_length=1)

    def to_json(self) -> str:
        """The text of `report.json`."""
        return json.dumps(rounded(self.model_dump(mode="json")), indent=2, ensure_ascii=False) + "\n"


class Recording(_Record):
    """The contents of `FEED.run.json`: everything needed to show a finished run again.

    Attributes:
        run: Every tick.
        mission: Score of the run.
        length_cm: Length of the line that can be driven.
        track: The pieces of the track.
        signs: Every sign along the line, including distractors.
    """

    run: Run
    mission: Mission
    length_cm: float = Field(gt=0)
    track: tuple[Segment, ...]
    signs: tuple[TruthSign, ...]

    @classmethod
    def of(cls, run: Run, score: Score, oracle: Score, truth: GroundTruth) -> Self:
        """Selects from the ground truth what a reader of the run needs."""
        return cls(
            run=run,
            mission=Mission.of(run, score, oracle),
            length_cm=truth.length_cm,
            track=truth.track,
            signs=truth.signs,
        )

    @property
    def feed(self) -> str:
        """Name of the feed."""
        return self.run.feed

    @property
    def line(self) -> Track:
        """The track as geometry."""
        return Track(list(self.track))

    def to_json(self) -> str:
        """The text of `FEED.run.json`."""
        return (
            json.dumps(rounded(self.model_dump(mode="json")), ensure_ascii=False, separators=(",", ":"))
            + "\n"
        )


def rounded(value: Any) -> Any:
    """Rounds every float in a JSON-able value."""
    match value:
        case float():
            return round(value, DECIMALS)
        case dict():
            return {name: rounded(item) for name, item in value.items()}
        case list():
            return [rounded(item) for item in value]
    return value


def load_run(folder: Path) -> tuple[Report, list[Recording]]:
    """Loads a finished run.

    Raises:
        UserError: There is no run in the folder, or this version cannot read it.
    """
    try:
        report = Report.model_validate_json((folder / REPORT_NAME).read_text(encoding="utf-8"))
        files = [folder / f"{mission.feed}.run.json" for mission in report.missions]
        return report, [Recording.model_validate_json(file.read_text(encoding="utf-8")) for file in files]
    except OSError as error:
        raise UserError("mission.error.no_run", folder=folder, why=system_says(error)) from error
    except ValueError as error:
        why = first_fault(error) if isinstance(error, ValidationError) else str(error)
        raise UserError("mission.error.no_run", folder=folder, why=why) from error


@contextmanager
def publishing(folder: Path) -> Iterator[Path]:
    """Provides a scratch folder, which replaces `folder` on success and is removed otherwise.

    Raises:
        UserError: The folder cannot be written to, contains something other than an earlier run, is the
            current folder or one above it, or is a mounted volume.
    """
    folder = folder.resolve()  # The folder to which a link points is replaced, not the link.
    if Path.cwd().is_relative_to(folder):
        raise UserError("mission.error.out_current", folder=folder)
    if folder.is_mount():  # The system would not rename it, which would be noticed only after the run.
        raise UserError("mission.error.out_mount", folder=folder, below=folder / "mission")
    if folder.exists() and not _is_replaceable(folder):
        raise UserError("mission.error.out_taken", folder=folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise UserError("mission.error.out_unwritable", folder=folder, why=system_says(error)) from error
    try:
        scratch.chmod(0o755)
        yield scratch
        _replace(folder, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _is_replaceable(folder: Path) -> bool:
    """Whether a folder may be replaced: it is empty, or contains an earlier run and nothing else.

    Other programs write a `report.json`, too, so its format decides.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        return folder.is_dir()
    try:
        report = json.loads((folder / REPORT_NAME).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    if not (isinstance(report, dict) and str(report.get("format")).startswith(FORMAT)):
        return False
    missions = report.get("missions")
    about = missions if isinstance(missions, list) else []
    feeds = [mission.get("feed") for mission in about if isinstance(mission, dict)]
    written = {REPORT_NAME, PAGE_NAME, *(f"{feed}{end}" for feed in feeds for end in SUFFIXES)}
    return all(
        path.is_file() and (path.name in written | LEFT_BEHIND or path.name.startswith("._"))
        for path in folder.iterdir()
    )


def _replace(folder: Path, scratch: Path) -> None:
    """Moves the older run aside, so that at any moment there is a complete run or none."""
    aside = scratch.with_name(scratch.name + "-old")
    put_in_place(scratch, folder, aside)
    shutil.rmtree(aside, ignore_errors=True)
