"""Pascal VOC labels: an XML file per picture, boxes in pixels."""

import math
import re
from pathlib import Path
from xml.etree import ElementTree

from brakepoint.errors import UserError, system_says
from brakepoint.labels.pictures import PictureIndex, picture_size
from brakepoint.labels.signs import LabelledPicture, LabelledSign, Note, each_once, inside, known_class

CORNERS = ("xmin", "ymin", "xmax", "ymax")


def read_voc(file: Path, pictures: PictureIndex, notes: list[Note]) -> LabelledPicture:
    """Reads the label of one picture.

    The picture is the one with the same name as the label file, where labelling programs look for it; else
    the one named in the label, which may have been renamed since. Corners are used as written, although the
    format's own tools count pixels from 1 and most programs from 0: a difference of one pixel.

    Args:
        file: The XML file.
        pictures: The pictures to which it may refer.
        notes: Receives a note for each duplicate box.

    Raises:
        UserError: The file isn't a label, or a box is empty, outside the picture, not an upright rectangle or
            of an unknown class.
    """
    try:
        root = ElementTree.fromstring(file.read_bytes())
    except OSError as error:
        raise UserError("error.file_unreadable", path=file, why=system_says(error)) from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise UserError("error.label_invalid", file=file, why=f"XML: {error}") from None
    if root.tag != "annotation":
        raise UserError("error.label_invalid", file=file, why=f"Pascal VOC: <{root.tag}>")
    path = _picture_of(root, file, pictures)
    size = _size(root)
    objects = root.findall("object")
    width, height = size or (picture_size(path) if objects else (1, 1))
    signs = []
    for number, each in enumerate(objects, 1):
        where = f"{file}, <object> {number}"
        left, top, right, bottom = _corners(each, where, path.name)
        box = inside((left / width, top / height, right / width, bottom / height), where)
        signs.append(LabelledSign(known_class((each.findtext("name") or "").strip(), file), box))
    return LabelledPicture(path, each_once(signs, path.name, notes), size)


def _picture_of(root: ElementTree.Element, file: Path, pictures: PictureIndex) -> Path:
    named = (root.findtext("filename") or "").strip()
    try:
        return pictures.find(str(Path(*file.parts[-2:]).with_suffix("")), file, by_stem=True)
    except UserError as error:
        if not named or error.key != "error.label_without_picture":
            raise
    return pictures.find(named, file, by_stem=True)


def _size(root: ElementTree.Element) -> tuple[int, int] | None:
    """The picture's size according to the label; several programs write zeros or nothing."""
    width, height = (root.findtext(f"size/{side}") or "" for side in ("width", "height"))
    if not all(re.fullmatch(r"\s*\d{1,9}\s*", side) for side in (width, height)):
        return None
    return (int(width), int(height)) if int(width) and int(height) else None


def _corners(each: ElementTree.Element, where: str, picture: str) -> list[float]:
    for other in ("robndbox", "polygon"):
        if each.find(other) is not None and each.find("bndbox") is None:
            raise UserError("error.label_region", file=where, picture=picture, kind=other)
    written = [(each.findtext(f"bndbox/{corner}") or "").strip() for corner in CORNERS]
    try:
        corners = [float(number) for number in written]
    except ValueError:
        why = ", ".join(f"{name} = {number or '?'}" for name, number in zip(CORNERS, written, strict=True))
        raise UserError("error.label_invalid", file=where, why=why) from None
    if not all(map(math.isfinite, corners)):
        raise UserError("error.label_outside", file=where)
    if max(corners) <= 1:
        raise UserError("error.label_fractions", file=where)
    return corners
