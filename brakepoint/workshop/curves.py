"""A model's curves for a page: its learning, and its confidence in signs as the train came nearer."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brakepoint.detector.boxes import intersection_over_union
from brakepoint.messages import Detection
from brakepoint.mission.records import Tick
from brakepoint.mission.report import Recording
from brakepoint.truth import GroundTruth, TruthSign, VisibleSign

MAP50_COLUMN = "metrics/mAP50(B)"
"""Column of ultralytics' `results.csv`."""
FROM_CM, EVERY_CM = 100, 20
"""Distance from a sign at which its curve begins, and interval of the labels below the curve."""
IOU_MIN = 0.5
EPOCHS_WRITTEN = 8
LEARNING, APPROACH = CHARTS = ("learning", "approach")
"""Names of the charts in the catalogue."""
WIDTH, HEIGHT = 380, 210
LEFT, RIGHT, TOP, BOTTOM = 34, 12, 10, 40


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        places: The line's points: the value on the axis, and a share, 0 to 1.
        sign: The sign to which the line belongs, if any.
    """

    places: tuple[tuple[float, float], ...]
    sign: TruthSign | None = None


@dataclass(frozen=True)
class Chart:
    """A chart of shares from 0 to 1; its coordinates are in the units of its drawing.

    Attributes:
        name: Name in its texts, `souvenir.chart.{name}.*`.
        first: Value at the left end.
        last: Value at the right end.
        marks: Labels of the axis.
        lines: At least one.
    """

    name: str
    first: float
    last: float
    marks: tuple[int, ...]
    lines: tuple[Line, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    base: int = HEIGHT - BOTTOM

    def x(self, value: float) -> float:
        """The x coordinate of a value; a single value is in the middle."""
        share = (value - self.first) / (self.last - self.first) if self.last != self.first else 0.5
        return round(self.left + share * (self.right - self.left), 1)

    def y(self, share: float) -> float:
        """The y coordinate of a share."""
        return round(self.base - share * (self.base - TOP), 1)

    def points(self, line: Line) -> str:
        """A line as the points of a polyline."""
        return " ".join(f"{self.x(value)},{self.y(share)}" for value, share in line.places)


def learning(results: Path) -> Chart | None:
    """How mAP50 grew from epoch to epoch; None if there are no results of training.

    Args:
        results: `results.csv` as ultralytics writes it.
    """
    try:
        with results.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, skipinitialspace=True))
        places = tuple((float(row["epoch"]), float(row[MAP50_COLUMN])) for row in rows)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not places:
        return None
    first, last = int(places[0][0]), int(places[-1][0])
    marks = tuple(range(first, last + 1, 1 + (last - first) // EPOCHS_WRITTEN))
    return Chart(LEARNING, first, last, marks, (Line(places),))


def approach(recording: Recording, truth: GroundTruth) -> Chart | None:
    """How sure the detector was of each sign that counts, by the distance to the sign.

    A sign that was visible but not found has a confidence of 0. Returns None if no sign was passed, or
    if the ground truth belongs to a different feed.

    Args:
        recording: The run.
        truth: Ground truth of the run's feed.
    """
    last = max(tick.frame_number for tick in recording.run.ticks)
    if recording.feed != truth.feed or last >= len(truth.frames):
        return None
    lines = tuple(
        Line(places, sign)
        for sign in recording.signs
        if sign.counts and len(places := _approach(recording.run.ticks, sign, truth)) > 1
    )
    return Chart(APPROACH, FROM_CM, 0, tuple(range(FROM_CM, -1, -EVERY_CM)), lines) if lines else None


def _approach(ticks: Sequence[Tick], sign: TruthSign, truth: GroundTruth) -> tuple[tuple[float, float], ...]:
    places = []
    for tick in ticks:
        distance_cm = sign.at_cm - tick.position_cm
        shown = [one for one in truth.frames[tick.frame_number].signs if one.id == sign.id and one.is_clear]
        if tick.detections is not None and shown and 0 <= distance_cm <= FROM_CM:
            places.append((distance_cm, _sureness(tick.detections, shown[0])))
    return tuple(places)


def _sureness(detections: Sequence[Detection], sign: VisibleSign) -> float:
    """The highest confidence of a detection with the sign's class at the sign's place."""
    same = [item for item in detections if item.sign_class is sign.sign_class]
    if not same:
        return 0.0
    overlaps = intersection_over_union(np.array([item.box for item in same]), np.array([sign.box]))[:, 0]
    there = (item.confidence for item, iou in zip(same, overlaps, strict=True) if iou >= IOU_MIN)
    return max(there, default=0.0)
