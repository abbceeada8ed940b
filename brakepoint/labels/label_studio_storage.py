"""Labels as Label Studio writes them to target storage: one annotation a file, boxes in percent."""

import math
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from brakepoint.errors import UserError
from brakepoint.labels.signs import LabelledSign, known_class, picture_name

Percent = Annotated[float, Field(ge=-100, le=200)]
"""Somebody may draw a box beyond the picture's edge."""


class _Data(BaseModel):
    image: str


class _Task(BaseModel):
    data: _Data


class _Rectangle(BaseModel):
    x: Percent
    y: Percent
    width: float = Field(gt=0, le=200)
    height: float = Field(gt=0, le=200)
    rotation: float = Field(default=0, allow_inf_nan=False)
    original_width: int | None = Field(default=None, gt=0)
    original_height: int | None = Field(default=None, gt=0)
    rectanglelabels: tuple[str] = Field(description="Exactly one class.")


class _RectangleResult(BaseModel):
    type: Literal["rectanglelabels"]
    value: _Rectangle
    image_rotation: Literal[0] = 0
    original_width: int | None = Field(default=None, gt=0)
    original_height: int | None = Field(default=None, gt=0)


class _OtherResult(BaseModel):
    type: Literal["choices", "textarea", "rating", "number", "relation", "datetime", "taxonomy", "pairwise"]


class StoredAnnotation(BaseModel):
    """What one person said about one picture.

    Attributes:
        task: Names the picture.
        result: A rectangle for each sign; answers that are no regions are ignored.
        was_cancelled: Whether the person skipped the picture.
    """

    task: _Task
    result: list[Annotated[_RectangleResult | _OtherResult, Field(discriminator="type")]]
    was_cancelled: bool = False

    @property
    def picture_name(self) -> str:
        """The picture's file name."""
        return picture_name(self.task.data.image)


def read_annotation(file: Path) -> StoredAnnotation:
    """Reads one annotation file.

    Raises:
        UserError: It is not one, or it holds something else than rectangles.
    """
    try:
        return StoredAnnotation.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise UserError(
            "error.label_invalid", file=file, why=f"{place}: {first['msg']}".lstrip(": ")
        ) from None


def read_signs(annotation: StoredAnnotation, file: Path) -> tuple[LabelledSign, ...]:
    """Turns an annotation's rectangles into signs.

    Args:
        annotation: From `read_annotation`.
        file: Where it was read, for the errors.

    Returns:
        The signs, cut off at the picture's edges; of a rotated rectangle the upright box around it.

    Raises:
        UserError: A label is no class that the train knows, or a rectangle lies outside the picture.
    """
    return tuple(
        _read_sign(result, file) for result in annotation.result if isinstance(result, _RectangleResult)
    )


def _read_sign(result: _RectangleResult, file: Path) -> LabelledSign:
    value = result.value
    width = value.original_width or result.original_width or 1
    height = value.original_height or result.original_height or 1
    corners = _corners(value, width / height)
    left, top = np.clip(corners.min(axis=0), 0, 1).tolist()
    right, bottom = np.clip(corners.max(axis=0), 0, 1).tolist()
    if left >= right or top >= bottom:
        raise UserError("error.label_outside", file=file)
    return LabelledSign(known_class(value.rectanglelabels[0], file), (left, top, right, bottom))


def _corners(value: _Rectangle, aspect_ratio: float) -> np.ndarray:
    """The rectangle's corners, `(4, 2)` fractions; it is turned clockwise about its top left one."""
    angle = math.radians(value.rotation)
    # Percent of width and of height are different lengths: the rotation needs square units.
    along = np.array([math.cos(angle), math.sin(angle) * aspect_ratio]) * value.width
    down = np.array([-math.sin(angle) / aspect_ratio, math.cos(angle)]) * value.height
    origin = np.array([value.x, value.y])
    return np.array([origin, origin + along, origin + along + down, origin + down]) / 100
