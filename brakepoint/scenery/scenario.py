"""A scenario: everything needed to render a feed, in one small YAML file.

The fields of the file are explained in the catalogue, `scenario.field.NAME`, and listed on the reference
page.
"""

import math
import re
from itertools import combinations
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from brakepoint.errors import UserError, system_says
from brakepoint.files import load_yaml, read_utf8
from brakepoint.messages import SignClass
from brakepoint.scenery.artwork import PLATES
from brakepoint.texts import text
from brakepoint.track import Segment, Track
from brakepoint.validation import first_fault

SCENARIOS_DIR = Path(__file__).parent / "scenarios"
HARDER_DIR = SCENARIOS_DIR / "harder"
"""Scenarios of feeds that are used for testing the autopilot, not for training."""
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
TRACK_MIN_CM, TRACK_MAX_CM = 50.0, 3000.0
POSTS_APART_MIN_CM = 2.0

Lighting = Literal["day", "overcast", "evening", "lamp", "mixed", "haze", "low-sun"]
LIGHTS: tuple[Lighting, ...] = ("day", "overcast", "evening", "lamp", "mixed")
"""Lights of the stills on which the detector is trained; the other lights are for testing it."""

Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ScenarioSign(_Record):
    """A sign on its post beside the track.

    Attributes:
        kind: Kind of the plate, a key of `brakepoint.scenery.artwork.PLATES`.
        at_cm: Position along the track.
        side: Side of the track, seen in the direction of travel.
        offset_cm: Distance from the track's centre line to the post.
        facing: Whether the plate's front faces the train; False shows the back.
        tilt_deg: Tilt, clockwise as seen from the train; by default a small angle drawn from the seed.
        turn_deg: Rotation of the plate about the post, to the train's right; by default small, too.
    """

    kind: str
    at_cm: float = Field(ge=0, allow_inf_nan=False)
    side: Literal["left", "right"] = "right"
    offset_cm: float = Field(default=7.0, ge=4.0, le=200, allow_inf_nan=False)
    facing: bool = True
    tilt_deg: float | None = Field(default=None, ge=-30, le=30, allow_inf_nan=False)
    turn_deg: float | None = Field(default=None, ge=-60, le=60, allow_inf_nan=False)

    @field_validator("kind")
    @classmethod
    def _kind_is_known(cls, kind: str) -> str:
        if kind not in PLATES:
            raise ValueError(text("scenario.unknown_kind", kind=kind, kinds=", ".join(sorted(PLATES))))
        return kind

    @property
    def sign_class(self) -> SignClass | None:
        """The class of the plate's front; None for a distractor."""
        return PLATES[self.kind].sign_class

    @property
    def right_cm(self) -> float:
        """The offset, positive to the right of the track and negative to the left."""
        return self.offset_cm if self.side == "right" else -self.offset_cm


class Scenario(_Record):
    """Everything needed to render a feed.

    Attributes:
        name: Name of the feed: lower-case letters, digits and dashes; by default the file's name.
        seed: Seed for everything random.
        track: Pieces of track, laid end to end.
        signs: Signs along the track.
        light: Light of the scene.
        clutter: Amount of clutter, 0 to 1.
        changing_light: Whether the light changes along the track.
        spacing_cm: Distance between frames.
    """

    name: str
    seed: int = Field(default=1, ge=0, lt=2**32)
    track: tuple[Segment, ...] = Field(min_length=1, max_length=50)
    signs: tuple[ScenarioSign, ...] = Field(default=(), max_length=60)
    light: Lighting = "day"
    clutter: float = Field(default=0.5, ge=0, le=1)
    changing_light: bool = False
    spacing_cm: float = Field(default=2.0, ge=0.5, le=10)

    @field_validator("name")
    @classmethod
    def _name_is_one(cls, name: str) -> str:
        if not NAME.fullmatch(name):
            raise ValueError(text("scenario.name", name=name))
        return name

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        length_cm = self.line.length_cm
        if not TRACK_MIN_CM <= length_cm <= TRACK_MAX_CM:
            raise ValueError(
                text("scenario.track_length", length=round(length_cm), least=TRACK_MIN_CM, most=TRACK_MAX_CM)
            )
        for sign in self.signs:
            if sign.at_cm > length_cm:
                raise ValueError(
                    text("scenario.sign_beyond", kind=sign.kind, at=sign.at_cm, length=round(length_cm, 1))
                )
        return self

    def on_one_spot(self) -> tuple[ScenarioSign, ScenarioSign] | None:
        """The first two signs whose posts are too close together, if there are any."""
        places = [self.line.pose(sign.at_cm).beside(sign.right_cm)[:2] for sign in self.signs]
        pairs = combinations(zip(self.signs, places, strict=True), 2)
        near = ((a[0], b[0]) for a, b in pairs if math.dist(a[1], b[1]) < POSTS_APART_MIN_CM)
        return next(near, None)

    @property
    def line(self) -> Track:
        """The track as geometry."""
        return Track(list(self.track))

    @property
    def frame_count(self) -> int:
        """How many frames the feed has; frame `i` is the view from `i * spacing_cm`."""
        return math.floor(self.line.length_cm / self.spacing_cm + 1e-9) + 1


def load_scenario(path: Path) -> Scenario:
    """Reads a scenario.

    Args:
        path: A YAML file; the feed is named after the file, unless the file contains a name.

    Raises:
        UserError: The file cannot be read, is not YAML, or does not describe a scenario that can be built.
    """
    try:
        content = load_yaml(read_utf8(path))
    except OSError as error:
        raise UserError("scenario.unreadable", path=path, why=system_says(error)) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        why = getattr(error, "problem", None) or str(error)
        raise UserError("scenario.not_yaml", path=path, line=line, why=why) from error
    if isinstance(content, dict):
        content = {"name": path.stem, **content}
    try:
        scenario = Scenario.model_validate(content)
    except ValidationError as error:
        raise UserError("scenario.invalid", path=path, why=first_fault(error)) from error
    if doubled := scenario.on_one_spot():
        kinds, at_cm = {"one": doubled[0].kind, "other": doubled[1].kind}, round(doubled[1].at_cm)
        raise UserError("scenario.invalid", path=path, why=text("scenario.same_spot", at=at_cm, **kinds))
    return scenario
