"""The ground truth beside each recorded feed: which signs are really visible, and where.

`videos/NAME.mp4` has `videos/NAME.json` beside it. A feed is recorded at a constant spacing along the track:
frame `i` is the view from `i * spacing_cm`.
"""

import json
import math
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from brakepoint.errors import UserError, system_says
from brakepoint.messages import Detection, SignClass
from brakepoint.rules import BESIDE_TRACK_CM, PLATE_CENTRE_CM, PLATE_HEIGHT_CM
from brakepoint.texts import text
from brakepoint.track import Segment, Track
from brakepoint.validation import first_fault

FeedName = Annotated[str, Field(pattern=r"^[^/\\\p{Cc}\u202a-\u202e\u2066-\u2069]+$")]
"""The name of a feed, with which the names of files begin: no path, and nothing that controls a terminal."""

VISIBLE_MIN = 0.4
"""Perfect detections include signs of which at least this fraction is visible."""
VISIBLE_HEIGHT_MIN_PX = 12.0
"""Perfect detections include signs at least this high, which is about what a good detector finds."""
ABOVE_HORIZON_PX = 32
"""Margin of the examined area above the horizon: trains rock, and detection needs a sign's surroundings."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class CameraModel(_Record):
    """A pinhole camera on the train.

    Attributes:
        width_px: Width of a frame.
        height_px: Height of a frame.
        focal_px: Focal length in pixels, the same in both directions; the optical axis is in the middle.
        height_cm: Height of the camera above the table.
        pitch_deg: Upward angle.
    """

    width_px: int = Field(default=640, gt=0)
    height_px: int = Field(default=480, gt=0)
    focal_px: float = Field(default=460.0, gt=0)
    height_cm: float = Field(default=7.5, gt=0)
    pitch_deg: float = Field(default=2.0, gt=-90, lt=90)

    @property
    def signs_from_px(self) -> int:
        """First row in which signs may be visible: objects lower than the camera are below the horizon.

        At most half of the picture is skipped, and nothing if signs are as high as the camera.
        """
        if self.height_cm <= PLATE_CENTRE_CM + max(PLATE_HEIGHT_CM.values()) / 2:
            return 0
        horizon_px = self.height_px / 2 + self.focal_px * math.tan(math.radians(self.pitch_deg))
        return int(min(max(horizon_px - ABOVE_HORIZON_PX, 0), self.height_px / 2))


class TruthSign(_Record):
    """A sign somewhere along the track.

    Attributes:
        id: Number of the sign in this feed.
        kind: Kind of the plate, for instance `danger-train` or `stop`.
        sign_class: The sign's class for a detector; None for a distractor.
        at_cm: Position along the track.
        offset_cm: Distance from the centre line; positive is right.
        facing: Whether the sign's front faces the train.
        height_cm: Height of the plate.
    """

    id: int
    kind: str
    sign_class: SignClass | None
    at_cm: float
    offset_cm: float
    facing: bool = True
    height_cm: float = Field(gt=0)

    @property
    def counts(self) -> bool:
        """Whether the rules of the line require the train to obey the sign."""
        return self.sign_class is not None and self.facing and abs(self.offset_cm) <= BESIDE_TRACK_CM


class VisibleSign(_Record):
    """A sign in one frame.

    Attributes:
        id: Id of the `TruthSign`.
        sign_class: Class of the `TruthSign`; None if only the back is visible.
        kind: Kind of the `TruthSign`.
        box: `(left, top, right, bottom)` in pixels, tight around the visible part.
        distance_cm: Straight-line distance from the camera to the plate.
        visible: Fraction of the plate that is in the frame and not hidden, 0 to 1.
    """

    id: int
    sign_class: SignClass | None
    kind: str
    box: tuple[float, float, float, float]
    distance_cm: float = Field(gt=0)
    visible: float = Field(ge=0, le=1)

    @field_validator("box")
    @classmethod
    def _box_has_an_area(cls, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        if not (box[0] < box[2] and box[1] < box[3]):
            raise ValueError(text("truth.no_area"))
        return box

    @property
    def is_clear(self) -> bool:
        """Whether a good detector finds the sign: enough of it is visible, and the sign is large enough."""
        return self.visible >= VISIBLE_MIN and self.box[3] - self.box[1] >= VISIBLE_HEIGHT_MIN_PX


class TruthFrame(_Record):
    """One frame: where it was captured and what it shows."""

    position_cm: float
    signs: tuple[VisibleSign, ...]


class GroundTruth(_Record):
    """Everything that is known about a feed.

    Attributes:
        format: Name and version of this schema.
        feed: Name of the feed and of the video beside it.
        command: The command that rendered the feed and the ground truth, to be run in the project's root.
        seed: The scenario's seed.
        camera: The camera.
        spacing_cm: Distance between frames.
        track: The pieces of the track.
        signs: Every sign along the track.
        frames: One entry for each frame of the video.
        video_sha256: Hash of the video that belongs to the ground truth.
    """

    format: Literal["brakepoint-truth/1"] = "brakepoint-truth/1"
    feed: FeedName
    command: str
    seed: int = Field(ge=0)
    camera: CameraModel
    spacing_cm: float = Field(gt=0)
    track: tuple[Segment, ...] = Field(min_length=1)
    signs: tuple[TruthSign, ...]
    frames: tuple[TruthFrame, ...] = Field(min_length=2)
    video_sha256: str

    @model_validator(mode="after")
    def _frames_are_where_their_numbers_say(self) -> Self:
        for number, frame in enumerate(self.frames):
            if not abs(frame.position_cm - number * self.spacing_cm) < self.spacing_cm / 2:
                at, spacing = frame.position_cm, self.spacing_cm
                raise ValueError(text("truth.frame_elsewhere", number=number + 1, at=at, spacing=spacing))
        return self

    @property
    def line(self) -> Track:
        """The track as geometry."""
        return Track(list(self.track))

    @property
    def length_cm(self) -> float:
        """Position of the last frame: the end of what can be driven."""
        return self.frames[-1].position_cm

    def frame_at(self, position_cm: float) -> int:
        """Number of the frame for the train's position, clamped at both ends."""
        return min(max(round(position_cm / self.spacing_cm), 0), len(self.frames) - 1)

    def perfect_detections(self, frame_number: int) -> tuple[Detection, ...]:
        """What a perfect detector reports for a frame."""
        return tuple(
            Detection(sign_class=sign.sign_class, confidence=1.0, box=sign.box)
            for sign in self.frames[frame_number].signs
            if sign.sign_class is not None and sign.is_clear
        )


def load_truth(path: Path) -> GroundTruth:
    """Reads and validates a ground truth file.

    Raises:
        UserError: The file is missing, or not a ground truth of this version.
    """
    try:
        return GroundTruth.model_validate(json.loads(path.read_text(encoding="utf-8-sig")))
    except FileNotFoundError:
        raise UserError("error.truth_missing", path=path) from None
    except OSError as error:
        raise UserError("error.file_unreadable", path=path, why=system_says(error)) from error
    except ValidationError as error:
        raise UserError("error.truth_invalid", path=path, why=first_fault(error)) from error
    except (ValueError, RecursionError) as error:
        first = str(error).splitlines()[0]
        raise UserError("error.truth_invalid", path=path, why=first) from error
