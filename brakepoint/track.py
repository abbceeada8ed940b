"""The geometry of a track: straights and curves laid end to end, and the pose at each position along it.

The table is the plane x, y in centimetres; a track starts at the origin and heads along +x.
"""

import math
from itertools import accumulate
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from brakepoint.rules import curve_speed_max_cm_s


class Straight(BaseModel):
    """A straight piece: `straight_cm: 128`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    straight_cm: float = Field(gt=0, le=1000, allow_inf_nan=False)

    @property
    def length_cm(self) -> float:
        """Length along the centre line."""
        return self.straight_cm

    @property
    def speed_max_cm_s(self) -> float:
        """The speed above which the train derails: infinite on a straight."""
        return math.inf


class Curve(BaseModel):
    """An arc: `curve: left`, `radius_cm: 32`, `angle_deg: 90`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    curve: Literal["left", "right"]
    radius_cm: float = Field(ge=20, le=1000, allow_inf_nan=False)
    angle_deg: float = Field(gt=0, le=360, allow_inf_nan=False)

    @property
    def length_cm(self) -> float:
        """Length along the centre line."""
        return self.radius_cm * math.radians(self.angle_deg)

    @property
    def speed_max_cm_s(self) -> float:
        """The speed above which the train derails."""
        return curve_speed_max_cm_s(self.radius_cm)


def _kind_of(segment: object) -> str:
    """The intended kind of piece, judging by the fields, so that errors refer to that kind."""
    given = segment if isinstance(segment, dict) else vars(segment) if isinstance(segment, BaseModel) else {}
    return "curve" if given.keys() & Curve.model_fields.keys() else "straight"


Segment = Annotated[
    Annotated[Straight, Tag("straight")] | Annotated[Curve, Tag("curve")], Discriminator(_kind_of)
]


class Pose(NamedTuple):
    """A point on the table and the direction of travel there, in radians, counter-clockwise from +x."""

    x_cm: float
    y_cm: float
    heading: float

    def beside(self, offset_cm: float) -> "Pose":
        """The pose `offset_cm` to the right of this one, in the direction of travel (negative: left)."""
        return Pose(
            self.x_cm + offset_cm * math.sin(self.heading),
            self.y_cm - offset_cm * math.cos(self.heading),
            self.heading,
        )


def _advance(start: Pose, segment: Segment, distance_cm: float) -> Pose:
    """The pose `distance_cm` into a segment that begins at `start`."""
    if isinstance(segment, Straight):
        return Pose(
            start.x_cm + distance_cm * math.cos(start.heading),
            start.y_cm + distance_cm * math.sin(start.heading),
            start.heading,
        )
    turn = 1 if segment.curve == "left" else -1
    radius = turn * segment.radius_cm
    heading = start.heading + distance_cm / radius
    return Pose(
        start.x_cm + radius * (math.sin(heading) - math.sin(start.heading)),
        start.y_cm - radius * (math.cos(heading) - math.cos(start.heading)),
        heading,
    )


class Track:
    """Segments laid end to end.

    Args:
        segments: At least one.

    Example:
        >>> track = Track([Straight(straight_cm=128), Curve(curve="left", radius_cm=32, angle_deg=90)])
        >>> track.pose(128).heading
        0.0
    """

    def __init__(self, segments: list[Segment]) -> None:
        self.segments = segments
        self._starts_cm = [0.0, *accumulate(segment.length_cm for segment in segments)]
        self._poses = [Pose(0.0, 0.0, 0.0)]
        for segment in segments:
            self._poses.append(_advance(self._poses[-1], segment, segment.length_cm))

    @property
    def length_cm(self) -> float:
        """Length of the whole track."""
        return self._starts_cm[-1]

    def _index(self, position_cm: float) -> int:
        inside = (i for i, start in enumerate(self._starts_cm[1:-1], start=1) if position_cm < start)
        return next(inside, len(self.segments)) - 1

    def pose(self, position_cm: float) -> Pose:
        """The pose at a distance along the track; beyond either end, the outermost piece continues."""
        index = self._index(position_cm)
        return _advance(self._poses[index], self.segments[index], position_cm - self._starts_cm[index])

    def segment_at(self, position_cm: float) -> Segment:
        """The piece at a distance along the track."""
        return self.segments[self._index(position_cm)]

    def spans(self) -> list[tuple[float, float, Segment]]:
        """Each piece with its beginning and end, in centimetres along the track."""
        return list(zip(self._starts_cm, self._starts_cm[1:], self.segments, strict=False))
