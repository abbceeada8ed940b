"""A Label Studio project: a list of tasks, each with its annotations."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated as Typed
from typing import Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from brakepoint.errors import UserError
from brakepoint.labels.label_studio_forms import Json, NotLabelStudioError, as_tasks
from brakepoint.labels.pictures import PictureIndex, files_below, locations, picture_size, pictures_among
from brakepoint.labels.reading import place_of, read_json
from brakepoint.labels.signs import SIDE_MOST_PX, Note, PassedOver, known_class
from brakepoint.messages import SignClass

NEVER = datetime.min.replace(tzinfo=UTC)
"""Counts as the time of change of an annotation that has none: before all others."""
OTHER_ANSWERS = (
    *("choices", "textarea", "rating", "number", "relation", "datetime", "taxonomy", "pairwise", "ranker"),
)
"""Kinds of answers of an annotator other than drawing."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class RectangleValue(_Record):
    """A rectangle in Label Studio's format: **every number is a percentage**.

    `x` and `width` are percentages of the picture's width, `y` and `height` are percentages of its height.

    Attributes:
        x: Left edge, before rotation.
        y: Top edge, before rotation.
        width: Width before rotation.
        height: Height before rotation.
        rotation: Clockwise rotation about its top left corner, in degrees.
        rectanglelabels: The annotator's labels, of which there must be one: a class.
    """

    x: float = Field(ge=-100, le=200)
    y: float = Field(ge=-100, le=200)
    width: float = Field(gt=0, le=200)
    height: float = Field(gt=0, le=200)
    rotation: float = Field(default=0.0, allow_inf_nan=False)
    rectanglelabels: tuple[SignClass] | tuple[str]


class Rectangle(_Record):
    """One answer of an annotator.

    Attributes:
        type: Kind of the answer, always `rectanglelabels`.
        original_width: Width of the picture in pixels.
        original_height: Height of the picture in pixels.
        value: The rectangle itself.
    """

    type: Literal["rectanglelabels"]
    original_width: int = Field(gt=0, le=SIDE_MOST_PX)
    original_height: int = Field(gt=0, le=SIDE_MOST_PX)
    value: RectangleValue

    @property
    def sign_class(self) -> SignClass:
        """The labelled class."""
        return SignClass(self.value.rectanglelabels[0])


def _who(said: Any) -> Any:
    """An annotator's id or address, from the object that newer versions write."""
    return said.get("id", said.get("email")) if isinstance(said, dict) else said


def _when(said: Any) -> Any:
    return NEVER if said in (None, "") else said


def _in_utc(moment: datetime) -> datetime:
    """A time that can be compared with others; without a time zone it is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


class Annotation(_Record):
    """One annotator's answer for one picture.

    Attributes:
        completed_by: Id or address of the annotator, if known.
        was_cancelled: Whether the annotator skipped the picture, which makes the answer meaningless.
        updated_at: When the annotation was last changed.
        result: A rectangle for each sign; empty for a picture without signs.
    """

    completed_by: Typed[int | str | None, BeforeValidator(_who)] = None
    was_cancelled: Typed[bool, BeforeValidator(lambda said: said or False)] = False
    updated_at: Typed[datetime, BeforeValidator(_when), AfterValidator(_in_utc)] = NEVER
    result: tuple[Rectangle, ...]


class Task(_Record):
    """One picture and all its annotations.

    Attributes:
        picture: The picture's file name.
        annotations: One for each annotator; may be empty.
        location: Location of the picture in Label Studio.
    """

    picture: str
    annotations: tuple[Annotation, ...]
    location: str = ""


def read_export(path: Path, notes: list[Note] | None = None) -> list[Task]:
    """Reads a Label Studio export of the kit's project, as JSON or JSON-MIN.

    Args:
        path: The file; if it does not include the pictures' sizes, the pictures must be beside or below it.
        notes: Receives notes about what was skipped.

    Raises:
        UserError: The file isn't an export, or belongs to a project with other questions or classes.
    """
    if not path.exists():
        raise UserError("store.error.no_export", path=path)

    def size_of(location: str) -> tuple[int, int]:
        pictures = PictureIndex(pictures_among(files_below(path.parent)), path.parent)
        return picture_size(pictures.find(location, path))

    try:
        tasks = tasks_of(read_json(path), path, size_of, [] if notes is None else notes)
        if not any(annotation.result for task in tasks for annotation in task.annotations):
            raise NotLabelStudioError("rectanglelabels")
        return tasks
    except NotLabelStudioError as error:
        raise UserError("store.error.other_project", path=path, why=error) from error
    except UserError as error:
        if error.key != "error.label_invalid":
            raise
        raise UserError("store.error.other_project", path=path, why="JSON") from error


def tasks_of(
    content: Any, file: Path, size_of: Callable[[str], tuple[int, int]], notes: list[Note]
) -> list[Task]:
    """Reads the tasks of a file in any of Label Studio's formats.

    Args:
        content: The file's JSON.
        file: The file, for error messages.
        size_of: Looks up width and height of a picture in pixels, if a rectangle lacks them.
        notes: Receives notes about what was skipped.

    Raises:
        NotLabelStudioError: The file has none of these formats.
        UserError: A region isn't a rectangle, or does not have exactly one known class.
    """
    return [_task(raw, index, file, size_of, notes) for index, raw in enumerate(as_tasks(content))]


def _task(
    raw: Json, index: int, file: Path, size_of: Callable[[str], tuple[int, int]], notes: list[Note]
) -> Task:
    location = raw["data"]["image"]
    ways = locations(location)
    if not ways or not isinstance(raw["annotations"], list):
        raise NotLabelStudioError(f"{index}.annotations" if ways else f"{index}.data.image")
    regions = _Regions(location, ways[-1][-1], file, size_of, notes)
    try:
        annotations = tuple(Annotation.model_validate(regions.kept(said)) for said in raw["annotations"])
    except ValidationError as error:
        raise NotLabelStudioError(f"{index}.annotations.{place_of(error)}") from error
    return Task(picture=ways[-1][-1], annotations=annotations, location=location)


class _Regions:
    """Extracts the rectangles from the answers about one picture, and notes or rejects the other answers."""

    def __init__(
        self,
        location: str,
        picture: str,
        file: Path,
        size_of: Callable[[str], tuple[int, int]],
        notes: list[Note],
    ) -> None:
        self._location, self._picture, self._file = location, picture, file
        self._size_of, self._notes = size_of, notes

    def kept(self, said: Any) -> Any:
        """An annotation with only rectangles of one class each."""
        if not isinstance(said, dict):
            return said
        results = said.get("result") or []
        if said.get("was_cancelled") or not isinstance(results, list):
            return said | {"result": [] if said.get("was_cancelled") else results}
        labelled = {str(item.get("id")) for item in results if isinstance(item, dict) and _classes(item)}
        return said | {"result": [each for item in results for each in self._rectangle(item, labelled)]}

    def _rectangle(self, item: Any, labelled: set[str]) -> list[Any]:
        if not isinstance(item, dict):
            return [item]
        kind, value = item.get("type"), item.get("value")
        if kind in OTHER_ANSWERS:
            return self._note(PassedOver.OTHER_ANSWER)
        if kind == "rectangle" and item.get("id") is not None and str(item["id"]) in labelled:
            return []  # The class is in the result with the same id, together with the same box.
        if not isinstance(kind, str) or kind not in ("rectanglelabels", "rectangle", "labels"):
            raise self._refusal("error.label_region", kind=str(kind))
        if not isinstance(value, dict):
            return [item]
        if item.get("image_rotation") or value.get("image_rotation"):
            raise self._refusal("error.label_turned")
        classes = _classes(item)
        if not classes:
            return self._note(PassedOver.NO_CLASS)
        if len(classes) > 1:
            raise self._refusal("error.label_two_classes", found=", ".join(map(str, classes)))
        sign_class = known_class(str(classes[0]), self._file)
        return [self._sizes(item, value) | {"value": value | {"rectanglelabels": [sign_class]}}]

    def _sizes(self, item: Json, value: Json) -> Json:
        names = "original_width", "original_height"
        sizes = [item.get(name) if item.get(name) is not None else value.get(name) for name in names]
        if None in sizes:
            sizes = list(self._size_of(self._location))
        return {"type": "rectanglelabels", **dict(zip(names, sizes, strict=True))}

    def _note(self, why: PassedOver) -> list[Any]:
        self._notes.append(Note(why, self._picture))
        return []

    def _refusal(self, key: str, **values: str) -> UserError:
        return UserError(key, file=self._file, picture=self._picture, **values)


def _classes(item: Json) -> list[Any]:
    """The classes in a result; older versions write one name instead of a list."""
    value = item.get("value")
    if not isinstance(value, dict):
        return []
    said = value.get("rectanglelabels") or value.get("labels") or []
    return said if isinstance(said, list) else [said]
