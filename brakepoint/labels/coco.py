"""COCO labels: one JSON file for many pictures, boxes in pixels."""

import math
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from brakepoint.errors import UserError
from brakepoint.labels.pictures import PictureIndex, picture_size
from brakepoint.labels.reading import place_of
from brakepoint.labels.signs import (
    SIDE_MOST_PX,
    LabelledPicture,
    LabelledSign,
    Note,
    PassedOver,
    each_once,
    inside,
    known_class,
)


def _id(said: Any) -> str:
    """An id as text; programs that handle tables write `1` as `1.0`."""
    return str(int(said) if isinstance(said, float) and said.is_integer() else said)


Id = Annotated[str, BeforeValidator(_id)]
Size = Annotated[
    Annotated[int, Field(gt=0, le=SIDE_MOST_PX)] | None, BeforeValidator(lambda said: said or None)
]
"""A size in pixels; several programs write 0 for an unknown one."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Image(_Record):
    id: Id
    file_name: str = Field(min_length=1)
    width: Size = None
    height: Size = None


class _Category(_Record):
    id: Id
    name: str


class _Annotation(_Record):
    image_id: Id
    category_id: Id
    bbox: tuple[float, float, float, float]
    iscrowd: bool = False


class _Coco(_Record):
    images: tuple[_Image, ...]
    categories: tuple[_Category, ...]
    annotations: tuple[_Annotation, ...]


def is_coco(content: Any) -> bool:
    """Whether JSON looks like COCO's, complete or not."""
    return isinstance(content, dict) and {"images", "annotations"} <= content.keys()


def read_coco(content: Any, file: Path, pictures: PictureIndex, notes: list[Note]) -> list[LabelledPicture]:
    """Reads the pictures of a COCO file; a picture without annotations contains no sign.

    Args:
        content: The file's JSON.
        file: The file, for error messages.
        pictures: The pictures to which it may refer.
        notes: Receives a note for each crowd, which isn't a single sign, and for each duplicate box.

    Raises:
        UserError: The file is incomplete, or a box is empty, outside its picture, of an unknown class or of
            an unknown picture.
    """
    try:
        coco = _Coco.model_validate(content)
    except ValidationError as error:
        raise UserError("error.label_invalid", file=file, why=f"COCO: {place_of(error)}") from None
    names = {category.id: category.name for category in coco.categories}
    images = {image.id: image for image in coco.images}
    for entries, known in ((coco.categories, names), (coco.images, images)):
        if len(known) < len(entries):
            ids = [entry.id for entry in entries]
            doubled = next(each for each in ids if ids.count(each) > 1)
            raise UserError(
                "error.label_invalid", file=file, why=f"COCO: id {doubled}: × {ids.count(doubled)}"
            )
    of_image: dict[str, list[_Annotation]] = {image.id: [] for image in coco.images}
    for annotation in coco.annotations:
        if annotation.image_id not in images:
            name = f"image_id {annotation.image_id}"
            raise UserError("error.label_without_picture", file=file, picture=name)
        if annotation.iscrowd:
            notes.append(Note(PassedOver.CROWD, images[annotation.image_id].file_name))
        else:
            of_image[annotation.image_id].append(annotation)
    return [_picture(image, of_image[image.id], names, file, pictures, notes) for image in coco.images]


def _picture(
    image: _Image,
    annotations: list[_Annotation],
    names: dict[str, str],
    file: Path,
    pictures: PictureIndex,
    notes: list[Note],
) -> LabelledPicture:
    path = pictures.find(image.file_name, file)
    size = (image.width, image.height) if image.width and image.height else None
    width, height = size or (picture_size(path) if annotations else (1, 1))
    signs = []
    for annotation in annotations:
        where = f"{file} ({image.file_name})"
        left, top, across, down = annotation.bbox
        if not all(map(math.isfinite, annotation.bbox)) or min(across, down) <= 0:
            raise UserError("error.label_outside", file=where)
        if max(annotation.bbox) <= 1:
            raise UserError("error.label_fractions", file=where)
        if annotation.category_id not in names:
            expected = ", ".join(f"{number} {name}" for number, name in names.items())
            raise UserError("error.label_class", file=where, found=annotation.category_id, expected=expected)
        box = left / width, top / height, (left + across) / width, (top + down) / height
        signs.append(LabelledSign(known_class(names[annotation.category_id], file), inside(box, where)))
    return LabelledPicture(path, each_once(signs, path.name, notes), size)
