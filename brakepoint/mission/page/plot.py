"""The geometry of the plot of speed against position, in the units of its drawing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from brakepoint.messages import Order
from brakepoint.mission.records import Tick
from brakepoint.mission.report import Recording
from brakepoint.rules import (
    FULL_SPEED_CM_S,
    LOW_SPEED_CM_S,
    LOW_SPEED_STRETCH_CM,
    SPEED_TOLERANCE,
    STOP_SIGNS,
    STOP_ZONE_CM,
)
from brakepoint.track import Curve
from brakepoint.truth import TruthSign

WIDTH, HEIGHT = 1000, 340
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 44, 64
SPEED_TOP_CM_S = 64.0
GRID_CM = 50


class Span(NamedTuple):
    """A range of ticks with the same order: from `first` up to, but not including, `end`."""

    first: int
    end: int
    order: Order


def order_spans(ticks: Sequence[Tick]) -> list[Span]:
    """The range of each order; consecutive orders with the same meaning are merged."""
    spans, first = [], 0
    for _, group in groupby(ticks, key=lambda tick: tick.order.meaning):
        members = list(group)
        spans.append(Span(first, first + len(members), members[0].order))
        first += len(members)
    return spans


def allowed_cm_s(recording: Recording, position_cm: float) -> float:
    """The speed that the rules of the line allow at a position."""
    behind = (position_cm - sign.at_cm for sign in recording.signs if sign.counts)
    low = any(0 <= distance < LOW_SPEED_STRETCH_CM for distance in behind)
    curve = recording.line.segment_at(position_cm).speed_max_cm_s
    return min((LOW_SPEED_CM_S if low else FULL_SPEED_CM_S) * SPEED_TOLERANCE, curve)


@dataclass(frozen=True)
class Plot:
    """Everything that the drawing of one recording needs.

    Attributes:
        recording: The run.
    """

    recording: Recording
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    base: int = HEIGHT - BOTTOM
    speeds: tuple[float, ...] = (0.0, LOW_SPEED_CM_S, FULL_SPEED_CM_S)

    def x(self, position_cm: float) -> float:
        """The x coordinate of a position."""
        share = min(max(position_cm / self.recording.length_cm, 0.0), 1.0)
        return round(self.left + share * (self.right - self.left), 1)

    def y(self, speed_cm_s: float) -> float:
        """The y coordinate of a speed."""
        share = min(speed_cm_s / SPEED_TOP_CM_S, 1.0)
        return round(self.base - share * (self.base - self.top), 1)

    @property
    def grid_cm(self) -> range:
        """The positions labelled below the plot."""
        return range(0, math.floor(self.recording.length_cm) + 1, GRID_CM)

    @property
    def limit(self) -> str:
        """The stepped line of the allowed speed, as the points of a polyline."""
        positions = range(math.floor(self.recording.length_cm) + 1)
        steps = [(at, allowed_cm_s(self.recording, at)) for at in positions]
        corners: list[tuple[float, float]] = [steps[0]]
        for at, speed in steps[1:]:
            if speed != corners[-1][1]:
                corners += [(at, corners[-1][1]), (at, speed)]
        corners.append(steps[-1])
        return self._points(corners)

    @property
    def forbidden(self) -> str:
        """The area above the limit, as the points of a polygon."""
        return f"{self.left},{self.top} {self.limit} {self.right},{self.top}"

    @property
    def speed_lines(self) -> list[tuple[str, str]]:
        """The train's speed: for each order its kind and the points of its polyline."""
        ticks = self.recording.run.ticks
        places = [(tick.position_cm, tick.speed_cm_s) for tick in ticks]
        return [
            (span.order.kind, self._points(places[span.first : span.end + 1])) for span in order_spans(ticks)
        ]

    @property
    def order_bars(self) -> list[tuple[str, float, float, int]]:
        """The strip of orders: kind, left edge, width and first tick; even a stop has a visible width."""
        ticks = self.recording.run.ticks
        bars = []
        for span in order_spans(ticks):
            begin = self.x(ticks[span.first].position_cm)
            end = self.x(ticks[min(span.end, len(ticks) - 1)].position_cm)
            bars.append((str(span.order.kind), begin, round(max(end - begin, 2.0), 1), span.first))
        return bars

    @property
    def stop_zones(self) -> list[tuple[float, float]]:
        """Left edge and width of each stop zone."""
        return [
            (self.x(sign.at_cm - STOP_ZONE_CM), self.x(sign.at_cm) - self.x(sign.at_cm - STOP_ZONE_CM))
            for sign in self.recording.signs
            if sign.counts and sign.sign_class in STOP_SIGNS
        ]

    @property
    def curves(self) -> list[tuple[float, float, Curve]]:
        """Left edge and width of each curve."""
        spans = ((begin, end, piece) for begin, end, piece in self.recording.line.spans())
        return [
            (self.x(begin), round(self.x(end) - self.x(begin), 1), piece)
            for begin, end, piece in spans
            if isinstance(piece, Curve)
        ]

    @property
    def signs(self) -> list[TruthSign]:
        """Every sign along the line, distractors first, so that signs that count are drawn over them."""
        return sorted(self.recording.signs, key=lambda sign: sign.counts)

    def _points(self, places: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{self.x(at)},{self.y(speed)}" for at, speed in places)
