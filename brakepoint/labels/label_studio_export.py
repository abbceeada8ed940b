"""What Label Studio exports of a project: a list of tasks, each with what its annotators said."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brakepoint.errors import UserError
from brakepoint.labels.signs import known_class, picture_name
from brakepoint.messages import SignClass


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class RectangleValue(_Record):
    """A rectangle as Label Studio has it: **every number is a percentage**.

    `x` and `width` are percentages of the picture's width, `y` and `height` of its height.

    Attributes:
        x: Of its top left corner.
        y: Of the same.
        width: Of the rectangle before it is turned.
        height: The same.
        rotation: Degrees by which it is turned clockwise about its top left corner.
        rectanglelabels: What the annotator called it: one class.
    """

    x: float = Field(ge=-100, le=200)
    y: float = Field(ge=-100, le=200)
    width: float = Field(gt=0, le=200)
    height: float = Field(gt=0, le=200)
    rotation: float = 0.0
    rectanglelabels: tuple[SignClass] | tuple[str]


class Rectangle(_Record):
    """One answer of an annotator.

    Attributes:
        type: Always `rectanglelabels`.
        original_width: Of the picture, in pixels.
        original_height: The same.
        value: The rectangle itself.
    """

    type: Literal["rectanglelabels"]
    original_width: int = Field(gt=0)
    original_height: int = Field(gt=0)
    value: RectangleValue

    @property
    def sign_class(self) -> SignClass:
        """What was labelled."""
        return SignClass(self.value.rectanglelabels[0])


class Annotation(_Record):
    """What one annotator said about one picture.

    Attributes:
        completed_by: Number of the annotator.
        was_cancelled: Whether the annotator skipped the picture: then the answer means nothing.
        updated_at: When it was last changed.
        result: A rectangle for each sign; empty for a picture without signs.
    """

    completed_by: int
    was_cancelled: bool = False
    updated_at: datetime
    result: tuple[Rectangle, ...]


class Task(_Record):
    """One picture and everything that was said about it.

    Attributes:
        picture: The picture's file name.
        annotations: One for each annotator who looked at it; may be empty.
    """

    picture: str
    annotations: tuple[Annotation, ...]


class _Data(_Record):
    image: str


class _ExportedTask(_Record):
    data: _Data
    annotations: tuple[Annotation, ...]


class _Export(BaseModel):
    tasks: list[_ExportedTask] = Field(min_length=1)


def read_export(path: Path) -> list[Task]:
    """Reads an export.

    Raises:
        UserError: It is none, or it is that of a project with other questions or other classes.
    """
    try:
        export = _Export.model_validate_json(b'{"tasks": ' + path.read_bytes() + b"}")
    except FileNotFoundError as error:
        raise UserError("store.error.no_export", path=path) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or "JSON"
        raise UserError("store.error.other_project", path=path, why=f"{where}: {first['msg']}") from error
    tasks = [
        Task(picture=picture_name(task.data.image), annotations=task.annotations) for task in export.tasks
    ]
    for task in tasks:
        for annotation in task.annotations:
            for rectangle in annotation.result:
                known_class(str(rectangle.value.rectanglelabels[0]), path)
    return tasks
