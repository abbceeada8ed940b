"""The file `data.yaml` of a YOLO dataset: its classes, and where the pictures of each split are."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from brakepoint.errors import UserError
from brakepoint.files import load_yaml
from brakepoint.labels.pictures import alike_at_start
from brakepoint.labels.reading import read_text
from brakepoint.labels.splits import split_of_name

DATA_FILE = "data.yaml"
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class YoloData:
    """The contents of `data.yaml`.

    Attributes:
        file: Path of the file.
        classes: The names of the classes by class id; empty for an id without a name.
        places: For each existing split, its folders and lists of pictures.
    """

    file: Path
    classes: tuple[str, ...]
    places: dict[str, tuple["_Folder | _List", ...]]

    def split_of(self, picture: Path) -> str | None:
        """The split of a picture; None if the picture is in no split's folder or list.

        A folder may be within another one, and a name may be in several lists: the closest match counts.
        """
        near = {split: max(place.nearness(picture) for place in each) for split, each in self.places.items()}
        closest = max(near, key=lambda split: near[split], default=None)
        return closest if closest and near[closest] else None


class _Folder:
    """The folder with the pictures of a split."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def nearness(self, picture: Path) -> int:
        """How deep this folder is, if it contains the picture; otherwise 0."""
        return len(self._folder.parts) if picture.resolve().is_relative_to(self._folder) else 0


class _List:
    """A file that lists a split's pictures, one path per line; the paths are often from another machine."""

    def __init__(self, file: Path) -> None:
        self._by_name: dict[str, list[list[str]]] = defaultdict(list)
        for line in read_text(file).splitlines():
            if parts := re.split(r"[/\\]+", line.strip()):
                self._by_name[parts[-1]].append(parts)

    def nearness(self, picture: Path) -> int:
        """How many parts at the end of the picture's path, at least its name, match the list; else 0."""
        listed = self._by_name.get(picture.name, [])
        return max((alike_at_start(parts[::-1], picture.parts[::-1]) for parts in listed), default=0)


def find_data(folder: Path, files: Sequence[Path]) -> tuple[YoloData, ...]:
    """Reads the YAML files that describe datasets.

    Args:
        folder: The folder with the pictures; without such a file, its parent may contain `data.yaml`, or a
            file of any name if the folder is called like a split.
        files: The YAML files below that folder.

    Raises:
        UserError: Two such files are in the same folder, or one is invalid.
    """
    whole = folder.resolve()
    above = whole.parent.glob("*.y*ml" if split_of_name(whole.name) else DATA_FILE)
    found = _described(files) or _described(sorted(file for file in above if file.is_file()))
    for file in found:
        if beside := [each.name for each in found if each.parent == file.parent and each != file]:
            raise UserError("error.yolo_data", file=file, why=", ".join([file.name, *beside]))
    return tuple(_data(file, content) for file, content in found.items())


def _described(files: Sequence[Path]) -> dict[Path, dict[Any, Any]]:
    """The files that describe a dataset, with their contents."""
    return {file: content for file in files if (content := _description(file)) is not None}


def _description(file: Path) -> dict[Any, Any] | None:
    """A YAML file's description of a dataset; None if the file is about something else."""
    try:
        content = load_yaml(read_text(file))
    except yaml.YAMLError as error:
        if file.stem.lower() != "data":
            return None
        raise UserError("error.yolo_data", file=file, why=" ".join(str(error).split())[:200]) from None
    return content if isinstance(content, dict) and "names" in content else None


def _data(file: Path, content: dict[Any, Any]) -> YoloData:
    classes = _classes(content["names"], file)
    if str(content.get("nc", len(classes))) != str(len(classes)):
        raise UserError("error.yolo_data", file=file, why=f"nc = {content['nc']}, names: {len(classes)}")
    if content.get("kpt_shape") is not None:
        raise UserError("error.yolo_keypoints", file=file)
    root = content.get("path")
    above = file.parent if not isinstance(root, str) else _existing(root, file, file.parent) or file.parent
    places = {}
    for split in SPLITS:
        said = content.get(split) if split != "val" else content.get("val", content.get("valid"))
        written = said if isinstance(said, list) else [said] if said else []
        if not all(isinstance(each, str) for each in written):
            raise UserError("error.yolo_data", file=file, why=f"{split} = {said}")
        found = tuple(_existing(each, file, above) for each in written)
        for each, place in zip(written, found, strict=True):
            if place is None and split != "test":  # Many files name a test split that does not exist.
                raise UserError("error.yolo_split", file=file, split=split, place=each)
        places[split] = tuple(
            _Folder(place) if place.is_dir() else _List(place) for place in found if place is not None
        )
    return YoloData(file, classes, {split: each for split, each in places.items() if each})


def _classes(names: Any, file: Path) -> tuple[str, ...]:
    by_id = dict(enumerate(names)) if isinstance(names, list) else names
    if isinstance(by_id, dict) and all(isinstance(number, str) and number.isdecimal() for number in by_id):
        by_id = {int(number): name for number, name in by_id.items()}
    whole = isinstance(by_id, dict) and by_id and all(type(number) is int and number >= 0 for number in by_id)
    if not whole or set(by_id) != set(range(len(by_id))) or not all(map(_is_name, by_id.values())):
        raise UserError("error.yolo_data", file=file, why=f"names: {str(names)[:60]}")
    return tuple(str(by_id[number]) for number in range(len(by_id)))


def _is_name(written: Any) -> bool:
    return isinstance(written, str | int | float)  # A name like `no` or `1` need not be in quotes.


def _existing(written: str, file: Path, above: Path) -> Path | None:
    """Resolves a path in a file, which was often written on another machine."""
    parts = [part for part in re.split(r"[/\\]+", written) if part not in ("", ".")]
    tries = [above / written, file.parent / written]
    tries += [
        file.parent.joinpath(*parts[first:]) for first in range(len(parts)) if ".." not in parts[first:]
    ]
    return next((place for place in tries if _exists(place)), None)


def _exists(place: Path) -> bool:
    try:
        return place.exists()
    except OSError:  # The name is too long for a file name.
        return False
