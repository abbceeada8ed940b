"""YOLO labels: one line per sign, `class x y width height`, centre and size as fractions."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from brakepoint.errors import UserError
from brakepoint.labels.reading import read_text
from brakepoint.labels.signs import LabelledSign, Note, PassedOver, each_once, inside, known_class, letters
from brakepoint.messages import SignClass

CLASSES_FILES = {"classes.txt", "labels.txt", "_darknet.labels"}
"""Files with the names of the classes in the order of their ids, one per line, from several programs."""
ROUNDING = 1e-3
"""How far a box may extend beyond the picture's edge because of rounding."""


def is_class_list(file: Path) -> bool:
    """Whether a file lists classes, judging by its name; Darknet's is called `obj.names` or similar."""
    return file.name.lower() in CLASSES_FILES or file.suffix.lower() == ".names"


def listed_classes(file: Path) -> tuple[str, ...]:
    """The class of each id in a file that lists the classes."""
    return tuple(line.strip() for line in read_text(file).splitlines() if line.strip())


def agreed_classes(named: Mapping[Path, Sequence[str]]) -> tuple[str, ...]:
    """The class of each id, on which all files that name classes must agree.

    Args:
        named: The classes in each file; if no file names any, the order of `SignClass` applies.

    Raises:
        UserError: Two files differ.
    """
    naming = [(file, names) for file, names in named.items() if names]
    for (first, one), (second, other) in pairwise(naming):
        if [letters(name) for name in one] != [letters(name) for name in other]:
            lists = {"one": ", ".join(one), "other": ", ".join(other)}
            raise UserError("error.yolo_classes", first=first, second=second, **lists)
    return tuple(naming[0][1] if naming else SignClass)


def read_signs(
    file: Path, classes: Sequence[str], notes: list[Note] | None = None
) -> tuple[LabelledSign, ...]:
    """Reads the signs of one picture.

    Args:
        file: A YOLO text file; an empty one means a picture without signs.
        classes: The class of each id.
        notes: Receives a note for each outline, which is replaced by its bounding box, and for each duplicate
            line.

    Raises:
        UserError: A line isn't a box inside the picture, or has an unknown class.
    """
    notes = [] if notes is None else notes
    signs: list[LabelledSign] = []
    for number, line in enumerate(read_text(file).split("\n"), 1):
        if line.strip():
            signs.append(_read_sign(line.split(), classes, file, number))
            if len(line.split()) > 5:
                notes.append(Note(PassedOver.OUTLINE, file.name))
    return each_once(signs, file.name, notes)


def _read_sign(fields: list[str], classes: Sequence[str], file: Path, number: int) -> LabelledSign:
    line = " ".join(fields)[:60]
    try:
        class_id, *numbers = (float(field) for field in fields)
    except ValueError:
        key = "error.label_comma" if "," in line else "error.label_line"
        raise UserError(key, file=file, number=number, line=line) from None
    is_outline = len(numbers) >= 6 and len(numbers) % 2 == 0
    if not (len(numbers) == 4 or is_outline) or not all(map(math.isfinite, numbers)):
        raise UserError("error.label_line", file=file, number=number, line=line)
    if max(numbers) >= 2:
        raise UserError("error.label_pixels", file=file, number=number, line=line)
    if min(numbers) < -ROUNDING or max(numbers) > 1 + ROUNDING:
        raise UserError("error.label_line", file=file, number=number, line=line)
    if class_id not in range(len(classes)):
        expected = ", ".join(f"{index} {name}" for index, name in enumerate(classes))
        raise UserError("error.label_class", file=file, found=fields[0], expected=expected)
    if is_outline:
        xs, ys = numbers[::2], numbers[1::2]
        box = min(xs), min(ys), max(xs), max(ys)
    else:
        x, y, width, height = numbers
        if min(width, height) <= 0:
            raise UserError("error.label_line", file=file, number=number, line=line)
        box = x - width / 2, y - height / 2, x + width / 2, y + height / 2
    sign_class = known_class(classes[int(class_id)], file)
    return LabelledSign(sign_class, inside(box, f"{file}, {number}"))
