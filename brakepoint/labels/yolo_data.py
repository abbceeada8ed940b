"""The file `data.yaml` of a YOLO dataset: its classes, and where the pictures of each split are."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from brakepoint.errors import UserError
from brakepoint.files import load_yaml
from brakepoint.labels.reading import read_text

DATA_FILE = "data.yaml"
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class YoloData:
    """The contents of `data.yaml`.

    Attributes:
        file: Path of the file.
        classes: The names of the classes by class id; empty for an id without a name.
        places: For each existing split, its folders or lists of pictures.
    """

    file: Path
    classes: tuple[str, ...]
    places: dict[str, tuple[Path, ...]]

    def split_of(self, picture: Path) -> str | None:
        """The split of a picture; None if the picture is in no split's folder or list."""
        for split, places in self.places.items():
            for place in places:
                if place.is_dir() and picture.resolve().is_relative_to(place.resolve()):
                    return split
                if place.is_file() and picture.name in _listed(place):
                    return split
        return None


def find_data(folder: Path) -> YoloData | None:
    """Reads the YAML file that describes a dataset, if there is one.

    Args:
        folder: Contains the file, under any name; if the folder is one split, its parent may contain
            `data.yaml`.

    Raises:
        UserError: There are two such files, or the file is invalid.
    """
    found = [(file, content) for file in _yaml_files(folder) if (content := _described(file)) is not None]
    if len(found) > 1:
        files = ", ".join(file.name for file, _ in found)
        raise UserError("error.yolo_data", file=found[0][0], why=files)
    above = folder.resolve().parent / DATA_FILE
    if not found and above.is_file() and (content := _described(above)) is not None:
        found = [(above, content)]
    return _data(*found[0]) if found else None


def _yaml_files(folder: Path) -> list[Path]:
    files = (file for file in folder.glob("*") if file.suffix.lower() in (".yaml", ".yml"))
    return sorted(file for file in files if file.is_file() and not file.name.startswith("."))


def _described(file: Path) -> dict[Any, Any] | None:
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
        places[split] = tuple(place for place in found if place is not None)
    return YoloData(file, classes, {split: each for split, each in places.items() if each})


def _classes(names: Any, file: Path) -> tuple[str, ...]:
    by_id = dict(enumerate(names)) if isinstance(names, list) else names
    whole = isinstance(by_id, dict) and by_id and all(type(number) is int and number >= 0 for number in by_id)
    if not whole or set(by_id) != set(range(len(by_id))):
        raise UserError("error.yolo_data", file=file, why=f"names: {str(names)[:60]}")
    return tuple(str(by_id[number]) for number in range(len(by_id)))


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


def _listed(file: Path) -> set[str]:
    """The names of the pictures in a list with one path per line."""
    lines = read_text(file).splitlines()
    return {PurePosixPath(line.strip().replace("\\", "/")).name for line in lines if line.strip()}
