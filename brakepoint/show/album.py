"""Pictures that a person has labelled, stored like a Label Studio export: step 1 reads the folder."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from brakepoint.errors import UserError
from brakepoint.files import write_whole
from brakepoint.labels import pictures
from brakepoint.labels.reading import read_json
from brakepoint.messages import SignClass

EXPORT_NAME = "label-studio.json"
PICTURES = "pictures"
NAME = re.compile(r"shown_(\d{4,})\.jpg")
LEAST_SIDE = 0.002
"""Minimum side of a box, as a fraction of the picture: a smaller box was drawn by accident."""
SIGNS_MAX = 50
Json = dict[str, Any]


def _spans(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    if right - left < LEAST_SIDE or bottom - top < LEAST_SIDE:
        raise ValueError("a box has a width and a height")
    return box


Share = Annotated[float, Field(ge=0, le=1)]
SignBox = Annotated[tuple[Share, Share, Share, Share], AfterValidator(_spans)]
"""`(left, top, right, bottom)` as fractions of the picture."""


class ShownSign(BaseModel):
    """A sign around which a person has drawn a box."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sign_class: SignClass
    box: SignBox


class Album:
    """A growing folder of labelled pictures, which two pages may change; every change is written immediately.

    Args:
        folder: Contains `pictures/` and `label-studio.json`; both are created with the first picture.

    Raises:
        UserError: The folder contains an export that this class has not written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / EXPORT_NAME
        self._read()

    @property
    def names(self) -> list[str]:
        """Names of the pictures, oldest first."""
        return [_name(task) for task in self._read()]

    def picture(self, name: str) -> bytes:
        """The JPEG with that name.

        Raises:
            KeyError: There is no such picture.
        """
        if name not in self.names:
            raise KeyError(name)
        return (self.folder / PICTURES / name).read_bytes()

    def add(self, jpeg: bytes, signs: list[ShownSign]) -> str:
        """Stores a picture and its labels.

        Args:
            jpeg: The picture.
            signs: The picture's signs; may be empty, since pictures without signs are useful, too.

        Returns:
            The name given to the picture.

        Raises:
            UserError: The bytes aren't a JPEG.
        """
        height, width = decoded(jpeg).shape[:2]
        tasks = self._read()
        number = 1 + max((int(task["id"]) for task in tasks), default=0)
        name = f"shown_{number:04}.jpg"
        (self.folder / PICTURES).mkdir(parents=True, exist_ok=True)
        write_whole(self.folder / PICTURES / name, jpeg)
        self._write([*tasks, _task(number, name, signs, width, height)])
        return name

    def remove(self, name: str) -> None:
        """Deletes a picture.

        Raises:
            KeyError: There is no picture with that name.
        """
        tasks = self._read()
        if name not in map(_name, tasks):
            raise KeyError(name)
        self._write([task for task in tasks if _name(task) != name])
        (self.folder / PICTURES / name).unlink(missing_ok=True)

    def _write(self, tasks: list[Json]) -> None:
        write_whole(self._file, (json.dumps(tasks, indent=1) + "\n").encode())

    def _read(self) -> list[Json]:
        if not self._file.exists():
            return []
        tasks = read_json(self._file)
        if not isinstance(tasks, list) or not all(map(_is_ours, tasks)):
            raise UserError("show.error.other_export", path=self._file)
        return tasks


def decoded(jpeg: bytes) -> np.ndarray:
    """The pixels of a JPEG.

    Returns:
        `(height, width, 3)` uint8, blue-green-red.

    Raises:
        UserError: The bytes aren't a complete JPEG.
    """
    image = pictures.decoded(jpeg) if jpeg.startswith(pictures.JPEG_START) else None
    if image is None:
        raise UserError("show.error.no_jpeg")
    return image


def _name(task: Json) -> str:
    return Path(str(task["data"]["image"])).name


def _is_ours(task: Any) -> bool:
    try:
        return bool(NAME.fullmatch(_name(task))) and isinstance(task["id"], int)
    except (KeyError, TypeError):
        return False


def _task(number: int, name: str, signs: list[ShownSign], width: int, height: int) -> Json:
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    result = [_rectangle(sign, width, height) for sign in signs]
    said = {"completed_by": 1, "was_cancelled": False, "updated_at": now, "result": result}
    return {"id": number, "data": {"image": f"{PICTURES}/{name}"}, "annotations": [said]}


def _rectangle(sign: ShownSign, width: int, height: int) -> Json:
    left, top, right, bottom = sign.box
    percent = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    value = {key: round(100 * share, 6) for key, share in percent.items()}
    return {
        "type": "rectanglelabels",
        "from_name": "label",
        "to_name": "image",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {**value, "rotation": 0.0, "rectanglelabels": [sign.sign_class]},
    }
