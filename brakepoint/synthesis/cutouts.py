"""Sign cut-outs: signs rendered without a background, ready to be placed on pictures.

A folder of cut-outs contains a picture of each, with straight alpha, and `cutouts.json`, which describes what
each picture shows and where the plate is. `brakepoint footage cutouts` writes such a folder.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brakepoint.errors import UserError
from brakepoint.messages import SignClass
from brakepoint.places import KIT
from brakepoint.validation import first_fault

INDEX = "cutouts.json"
SHIPPED_CUTOUTS = KIT / "dataset" / "cutouts"
"""The cut-outs that come with the kit."""

Degrees = Annotated[float, Field(ge=-180, le=180)]
Pixel = Annotated[float, Field(ge=0, le=4096)]


class CutoutRecord(BaseModel):
    """The description of one cut-out in `cutouts.json`.

    Attributes:
        file: Name of the picture, which is in the same folder.
        kind: For instance `danger-train`, `back-disc` or `ball-red`.
        sign_class: The sign's class for a detector, `class` in the file; None for distractors and backs.
        yaw_deg: Rotation about the post: 0 faces the camera, a positive angle the viewer's right; beyond 90,
            the back is visible.
        pitch_deg: Angle by which the camera looks down on the sign.
        roll_deg: Tilt to the viewer's left.
        distance_cm: From the camera to the plate.
        light: Name of the light that falls on the sign.
        plate: Convex outline of the plate alone, without its post, in pixels from the picture's top left
            corner; for an object without a plate, the outline of the whole object.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)

    file: str = Field(pattern=r"^[a-z0-9-]+\.(png|webp)$")
    kind: str
    sign_class: SignClass | None = Field(alias="class")
    yaw_deg: Degrees
    pitch_deg: Degrees
    roll_deg: Degrees
    distance_cm: float = Field(gt=0)
    light: str
    plate: tuple[tuple[Pixel, Pixel], ...] = Field(min_length=3)


class CutoutIndex(BaseModel):
    """The contents of `cutouts.json`.

    Attributes:
        format: Name and version of the format.
        seed: Random seed.
        views: Intended number of cut-outs for each kind of sign.
        cutouts: The existing cut-outs, by file name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["brakepoint-cutouts/1"] = "brakepoint-cutouts/1"
    seed: int
    views: int
    cutouts: tuple[CutoutRecord, ...]


@dataclass(frozen=True)
class Cutout:
    """A loaded cut-out.

    Attributes:
        kind: For instance `danger-train`, `back-disc` or `ball-red`.
        sign_class: The sign's class for a detector; None for distractors and backs.
        image: `(h, w, 4)` uint8, blue-green-red-alpha, not premultiplied; transparent pixels have the colour
            of their neighbours.
        plate: `(n, 2)` float32: convex outline of the plate alone, x and y in pixels.
        yaw_deg: Rotation about the post; see `CutoutRecord`.
        pitch_deg: Angle by which the camera looks down on the sign.
        roll_deg: Tilt to the viewer's left.
        light: Name of the light that falls on the sign.
    """

    kind: str
    sign_class: SignClass | None
    image: np.ndarray
    plate: np.ndarray
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    light: str


def read_index(folder: Path) -> CutoutIndex:
    """Reads `cutouts.json`.

    Raises:
        UserError: The file is missing or invalid.
    """
    path = folder / INDEX
    try:
        return CutoutIndex.model_validate_json(path.read_bytes())
    except OSError:
        raise UserError("cutouts.missing", folder=folder) from None
    except ValidationError as error:
        raise UserError("cutouts.invalid", path=path, why=first_fault(error)) from None


def load_cutouts(folder: Path) -> tuple[Cutout, ...]:
    """Loads a folder of cut-outs.

    Args:
        folder: Contains `cutouts.json` and the pictures that it names.

    Returns:
        The cut-outs, by file name.

    Raises:
        UserError: `cutouts.json` or a picture is missing or broken, or a plate is outside its picture.

    Example:
        >>> {cutout.kind for cutout in load_cutouts(Path("dataset/cutouts"))}
    """
    return tuple(_load(folder, record) for record in read_index(folder).cutouts)


def _load(folder: Path, record: CutoutRecord) -> Cutout:
    path = folder / record.file
    content = path.read_bytes() if path.is_file() else b""
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) if content else None
    if image is None or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 4:
        raise UserError("cutouts.picture", path=path)
    plate = np.array(record.plate, np.float32)
    if (plate > image.shape[1::-1]).any():
        raise UserError("cutouts.outside", path=path)
    return Cutout(
        kind=record.kind,
        sign_class=record.sign_class,
        image=image,
        plate=plate,
        yaw_deg=record.yaw_deg,
        pitch_deg=record.pitch_deg,
        roll_deg=record.roll_deg,
        light=record.light,
    )
