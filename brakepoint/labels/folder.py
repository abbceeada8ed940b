"""Labelled pictures, in any of the common formats.

- YOLO text: `labels/NAME.txt` for `images/NAME.jpg`, or both in one folder; `data.yaml` if there is one;
- Label Studio: exports as JSON or JSON-MIN, and the files in target storage;
- COCO: one JSON file for many pictures;
- Pascal VOC: an XML file per picture.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from brakepoint.errors import UserError
from brakepoint.labels import yolo
from brakepoint.labels.coco import is_coco, read_coco
from brakepoint.labels.label_studio_export import Task, tasks_of
from brakepoint.labels.label_studio_forms import NotLabelStudioError, is_label_studio
from brakepoint.labels.label_studio_signs import answer_that_counts, read_signs
from brakepoint.labels.pascal_voc import read_voc
from brakepoint.labels.pictures import (
    PICTURE_SUFFIXES,
    PictureIndex,
    files_below,
    picture_size,
    pictures_among,
    readable,
)
from brakepoint.labels.reading import read_json, read_text
from brakepoint.labels.signs import LabelledPicture, Note, PassedOver, each_once
from brakepoint.labels.splits import listed_splits, split_of_name
from brakepoint.labels.yolo_data import find_data

__all__ = [
    "PICTURE_SUFFIXES",
    "LabelledPicture",
    "Labels",
    "held_out",
    "load_labels",
    "part_of",
    "read_labels",
]

LABEL_FOLDERS = {"labels", "annotations"}
"""Folders in which every file should be a label."""
PLACES = {"images", "jpegimages", "obj_train_data", *LABEL_FOLDERS}
"""Names of folders that are ignored when labels are matched with their pictures."""
MASKS = {"masks", "segmentationclass", "segmentationobject"}
"""Names of folders whose pictures repeat others, with a colour for each object."""
ARCHIVES = {".7z", ".gz", ".rar", ".tar", ".tgz", ".zip"}


@dataclass(frozen=True)
class Labels:
    """The contents of a folder.

    Attributes:
        pictures: The labelled pictures, by name.
        notes: What was skipped: pictures and notes together account for everything in the folder.
    """

    pictures: tuple[LabelledPicture, ...]
    notes: tuple[Note, ...]


@dataclass
class _Found:
    """The files of a folder, by kind."""

    texts: list[Path] = field(default_factory=list)
    documents: list[Path] = field(default_factory=list)
    label_studio: dict[Path, Any] = field(default_factory=dict)
    coco: dict[Path, Any] = field(default_factory=dict)
    descriptions: list[Path] = field(default_factory=list)
    class_lists: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)

    @property
    def kinds(self) -> list[str]:
        kinds = {
            "YOLO": self.texts,
            "Label Studio": self.label_studio,
            "COCO": self.coco,
            "Pascal VOC": self.documents,
        }
        return [kind for kind, files in kinds.items() if files]


def load_labels(folder: Path) -> list[LabelledPicture]:
    """Reads the labelled pictures of a folder; see `read_labels`.

    Raises:
        UserError: As for `read_labels`, or no picture has a sign.
    """
    return list(_with_signs(read_labels(folder), folder).pictures)


def _with_signs(labels: Labels, folder: Path) -> Labels:
    if not any(picture.signs for picture in labels.pictures):
        raise UserError("error.labels_no_sign", folder=folder)
    return labels


def read_labels(folder: Path) -> Labels:
    """Reads the labels of a folder.

    With YOLO labels, a picture without a label file contains no sign; with other formats, such a picture has
    not been labelled and is skipped, as is a picture whose task was cancelled.

    Args:
        folder: Contains pictures and labels, in any layout that labelling programs export.

    Raises:
        UserError: Pictures or labels are missing, formats are mixed, or a label is invalid, has an unknown
            class, refers to a missing picture, or is the second one for a picture.
    """
    files = files_below(folder)
    pictures = _pictures(folder, files)
    found = _sorted_out(folder, [file for file in files if file.suffix.lower() not in PICTURE_SUFFIXES])
    if len(found.kinds) != 1:
        raise _none_or_mixed(folder, files, found.kinds)
    notes = [Note(PassedOver.OTHER_FILE, file.name) for file in found.others]
    left = set(pictures)
    outside = [file for file in pictures_among(files) if file not in left]
    notes += [Note(PassedOver.OTHER_FILE, readable(file.name)) for file in outside]
    if found.texts:
        labelled = _yolo_pictures(folder, found, pictures, notes)
    else:
        labelled = _indexed_pictures(folder, found, pictures, notes)
    split = _splitter(folder, found.others)
    labelled = [replace(one, split=one.split or split(one.path)) for one in labelled]
    return Labels(tuple(sorted(labelled, key=lambda one: (one.path.name, one.path))), tuple(notes))


def held_out(folder: Path) -> Labels:
    """Reads the pictures for evaluation: the validation split, else the test split, if there is one.

    Raises:
        UserError: As for `read_labels`, or no picture of the split has a sign.
    """
    return _with_signs(part_of(folder, "val", "test"), folder)


def part_of(folder: Path, *splits: str) -> Labels:
    """Reads the pictures of the first of these splits that exists; all pictures if none of them does.

    Raises:
        UserError: As for `read_labels`.
    """
    labels = read_labels(folder)
    there = {picture.split for picture in labels.pictures}
    chosen = next((split for split in splits if split in there), None)
    if chosen is None:
        return labels
    kept = tuple(picture for picture in labels.pictures if picture.split == chosen)
    others = [picture for picture in labels.pictures if picture.split != chosen]
    notes = tuple(Note(PassedOver.OTHER_SPLIT, readable(one.path.name)) for one in others)
    return Labels(kept, labels.notes + notes)


def _pictures(folder: Path, files: Sequence[Path]) -> list[Path]:
    """The relevant pictures: those in `images/`, if that folder exists, and no masks."""
    own = folder / "images"
    pictures = [file for file in pictures_among(files) if not own.is_dir() or own in file.parents]
    pictures = [file for file in pictures if MASKS.isdisjoint(_above(file, folder))] or pictures
    if not pictures:
        if archives := [file for file in files if file.suffix.lower() in ARCHIVES]:
            raise UserError("error.labels_archive", path=archives[0])
        if not own.is_dir():
            raise UserError("error.folder_missing", folder=own)
        raise UserError("error.pictures_none", folder=own)
    return pictures


def _none_or_mixed(folder: Path, files: Sequence[Path], kinds: list[str]) -> UserError:
    if kinds:
        return UserError("error.labels_mixed", folder=folder, kinds=", ".join(kinds))
    archives = [file for file in files if file.suffix.lower() in ARCHIVES]
    if archives:
        return UserError("error.labels_archive", path=archives[0])
    return UserError("error.labels_none", folder=folder)


def _sorted_out(folder: Path, files: Sequence[Path]) -> _Found:
    found = _Found()
    for file in files:
        is_label = any(part.lower() in LABEL_FOLDERS for part in file.relative_to(folder).parts[:-1])
        suffix = file.suffix.lower()
        if suffix == ".xml":
            found.documents.append(file)
        elif yolo.is_class_list(file):
            found.class_lists.append(file)
        elif suffix in (".yaml", ".yml"):
            found.descriptions.append(file)
        elif suffix == ".txt":
            (found.texts if is_label or _looks_like_yolo(file) else found.others).append(file)
        elif suffix == ".json" or (not suffix and _looks_like_json(file)) or (not suffix and is_label):
            content = read_json(file)
            if is_coco(content):
                found.coco[file] = content
            elif is_label_studio(content) or (is_label and not _only_names(content)):
                found.label_studio[file] = content
            elif not _only_names(content):
                found.others.append(file)
        elif suffix not in (".data", ".cache"):
            found.others.append(file)
    return found


def _looks_like_yolo(file: Path) -> bool:
    """Whether a text file is beside its picture, or has numbers in its first line."""
    beside = (file.with_suffix(case(end)) for end in PICTURE_SUFFIXES for case in (str.lower, str.upper))
    if any(picture.exists() for picture in beside):
        return True
    lines = [line.split() for line in read_text(file).splitlines() if line.strip()]
    return bool(lines) and len(lines[0]) >= 5 and lines[0][0].lstrip("-").replace(".", "", 1).isdecimal()


def _looks_like_json(file: Path) -> bool:
    return read_text(file).lstrip()[:1] in ("{", "[")


def _only_names(content: Any) -> bool:
    """Whether a file is `notes.json`, which Label Studio writes beside YOLO labels."""
    return isinstance(content, dict) and "categories" in content and "annotations" not in content


def _yolo_pictures(
    folder: Path, found: _Found, pictures: Sequence[Path], notes: list[Note]
) -> list[LabelledPicture]:
    data = find_data(folder, found.descriptions)
    listed = {file: yolo.listed_classes(file) for file in _class_lists(folder, found)}
    classes = yolo.agreed_classes({each.file: each.classes for each in data} | listed)
    of_picture = _label_files(folder, found.texts, pictures)
    labelled = []
    for path in pictures:
        file = of_picture.get(path)
        if file is None:
            notes.append(Note(PassedOver.NO_LABEL_FILE, readable(path.name)))
        signs = yolo.read_signs(file, classes, notes) if file else ()
        split = next(filter(None, (each.split_of(path) for each in data)), None)
        labelled.append(LabelledPicture(path, signs, split=split))
    return labelled


def _class_lists(folder: Path, found: _Found) -> list[Path]:
    """The lists of classes below a folder; if it is a single split without a list, those beside it."""
    whole = folder.resolve()
    if found.class_lists or not split_of_name(whole.name):
        return found.class_lists
    return sorted(file for file in whole.parent.glob("*") if yolo.is_class_list(file) and file.is_file())


def _label_files(folder: Path, files: Sequence[Path], pictures: Sequence[Path]) -> dict[Path, Path]:
    """Maps pictures to their label files.

    Raises:
        UserError: A file belongs to no picture or to two, or two files belong to one picture.
    """
    at: dict[tuple[str, ...], list[Path]] = defaultdict(list)
    for path in pictures:
        at[_place(path, folder)].append(path)
    index = PictureIndex(pictures, folder)
    of_picture: dict[Path, Path] = {}
    for file in files:
        place = _place(file, folder)
        there = at.get(place, [])
        if len(there) > 1:
            first, second = there[:2]
            raise UserError(
                "error.label_ambiguous", file=file, picture=f"{file.stem}.*", first=first, second=second
            )
        if not there and len(place) > 1:
            raise UserError("error.label_without_picture", file=file, picture=f"{readable(file.stem)}.*")
        path = there[0] if there else index.find(place[0], file, by_stem=True)
        if path in of_picture:
            raise UserError("error.label_twice", file=file, picture=readable(path.name))
        of_picture[path] = file
    return of_picture


def _place(file: Path, folder: Path) -> tuple[str, ...]:
    return (*(part for part in _above(file, folder) if part not in PLACES), readable(file.stem).casefold())


def _above(file: Path, folder: Path) -> list[str]:
    """The folders between a folder and a file below it."""
    return [readable(part).casefold() for part in file.relative_to(folder).parts[:-1]]


def _indexed_pictures(
    folder: Path, found: _Found, pictures: Sequence[Path], notes: list[Note]
) -> list[LabelledPicture]:
    """The pictures of label files that name their pictures themselves."""
    index = PictureIndex(pictures, folder)
    labelled: dict[Path, LabelledPicture] = {}
    known: set[Path] = set()
    for file, content in found.label_studio.items():
        _keep(_label_studio_pictures(content, file, index, notes, known), file, labelled)
    for file, content in found.coco.items():
        split = split_of_name(file.stem) if len(found.coco) > 1 else None
        read = read_coco(content, file, index, notes)
        _keep([replace(one, split=split) for one in read], file, labelled)
    for file in found.documents:
        _keep([read_voc(file, index, notes)], file, labelled)
    left = [path for path in pictures if path not in labelled and path not in known]
    notes += [Note(PassedOver.UNLABELLED, readable(path.name)) for path in left]
    return list(labelled.values())


def _keep(read: Sequence[LabelledPicture], file: Path, labelled: dict[Path, LabelledPicture]) -> None:
    for picture in read:
        if picture.path in labelled:
            raise UserError("error.label_twice", file=file, picture=readable(picture.path.name))
        labelled[picture.path] = picture


def _label_studio_pictures(
    content: Any, file: Path, index: PictureIndex, notes: list[Note], known: set[Path]
) -> list[LabelledPicture]:
    """The pictures of a file's valid tasks; `known` receives those of the other tasks, which are noted."""
    try:
        tasks = tasks_of(content, file, lambda place: picture_size(index.find(place, file)), notes)
    except NotLabelStudioError as error:
        raise UserError("error.label_invalid", file=file, why=f"Label Studio: {error}") from None
    read = []
    for task in tasks:
        annotation = answer_that_counts(task, notes)
        if annotation is None:
            known.update(index.named(task.location, file))
        else:
            path = index.find(task.location, file)
            signs = each_once(read_signs(annotation, file), task.picture, notes)
            read.append(LabelledPicture(path, signs, _size_of(task)))
    return read


def _size_of(task: Task) -> tuple[int, int] | None:
    rectangles = [each for annotation in task.annotations for each in annotation.result]
    return (rectangles[0].original_width, rectangles[0].original_height) if rectangles else None


def _splitter(folder: Path, others: Sequence[Path]) -> Callable[[Path], str | None]:
    """Determines a picture's split from the lists beside the labels, else from its folders."""
    listed = listed_splits(others)

    def split_of(picture: Path) -> str | None:
        if picture.stem in listed:
            return listed[picture.stem]
        above = (split_of_name(part) for part in picture.relative_to(folder).parts[:-1])
        return next(filter(None, above), None)

    return split_of
