"""Labelled pictures: a folder with `images/` and `labels/`, one label file a picture.

The labels are either YOLO text (`labels/NAME.txt` for `images/NAME.jpg`) or Label Studio annotations
(`labels/ANY.json`, which name their picture themselves).
"""

from dataclasses import dataclass
from pathlib import Path

from brakepoint.errors import UserError
from brakepoint.labels import label_studio_storage, yolo
from brakepoint.labels.signs import LabelledSign
from brakepoint.messages import Detection, SignClass

PICTURE_SUFFIXES = {".bmp", ".jpeg", ".jpg", ".png", ".webp"}


@dataclass(frozen=True)
class LabelledPicture:
    """A picture and the signs that are really in it.

    Attributes:
        path: The picture.
        signs: The signs.
    """

    path: Path
    signs: tuple[LabelledSign, ...]

    def truths(self, width_px: int, height_px: int) -> tuple[Detection, ...]:
        """The signs as a perfect detector reports them, in pixels of the picture."""
        truths = []
        for sign in self.signs:
            left, top, right, bottom = sign.box
            box = left * width_px, top * height_px, right * width_px, bottom * height_px
            truths.append(Detection(sign_class=sign.sign_class, confidence=1.0, box=box))
        return tuple(truths)


def load_labels(folder: Path) -> list[LabelledPicture]:
    """Reads the labels of a folder.

    Among YOLO labels a picture without a file shows no sign; among Label Studio's it has not been labelled,
    and it is left out, as is a task that was skipped.

    Args:
        folder: Holds `images/` and `labels/`.

    Returns:
        The labelled pictures, by name.

    Raises:
        UserError: Pictures or labels are missing, the two kinds of labels are mixed, or a label is invalid,
            of a class that the train does not know, of a picture that is not there, or the second of one.
    """
    pictures = _pictures(folder / "images")
    files = _files(folder / "labels")
    texts = [file for file in files if file.suffix == ".txt" and file.name != yolo.CLASSES_FILE]
    annotations = [file for file in files if file.suffix == ".json"]
    if texts and annotations:
        raise UserError("error.labels_mixed", folder=folder / "labels")
    if not texts and not annotations:
        raise UserError("error.labels_none", folder=folder / "labels")
    if annotations:
        labelled = _label_studio_pictures(annotations, {path.name: path for path in pictures})
    else:
        labelled = _yolo_pictures(texts, pictures, yolo.read_classes(folder))
    if not any(picture.signs for picture in labelled):
        raise UserError("error.labels_no_sign", folder=folder)
    return sorted(labelled, key=lambda picture: picture.path.name)


def _pictures(folder: Path) -> list[Path]:
    pictures = [path for path in _files(folder) if path.suffix.lower() in PICTURE_SUFFIXES]
    if not pictures:
        raise UserError("error.pictures_none", folder=folder)
    return pictures


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UserError("error.folder_missing", folder=folder)
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def _label_studio_pictures(files: list[Path], pictures: dict[str, Path]) -> list[LabelledPicture]:
    labelled: dict[str, LabelledPicture] = {}
    for file in files:
        annotation = label_studio_storage.read_annotation(file)
        if annotation.was_cancelled:
            continue
        name = annotation.picture_name
        if name not in pictures:
            raise UserError("error.label_without_picture", file=file, picture=name)
        if name in labelled:
            raise UserError("error.label_twice", file=file, picture=name)
        labelled[name] = LabelledPicture(pictures[name], label_studio_storage.read_signs(annotation, file))
    return list(labelled.values())


def _yolo_pictures(
    files: list[Path], pictures: list[Path], classes: tuple[SignClass, ...]
) -> list[LabelledPicture]:
    signs = {file.stem: yolo.read_signs(file, classes) for file in files}
    for file in files:
        if file.stem not in {path.stem for path in pictures}:
            raise UserError("error.label_without_picture", file=file, picture=f"{file.stem}.*")
    return [LabelledPicture(path, signs.get(path.stem, ())) for path in pictures]
