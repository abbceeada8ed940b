"""Labels as YOLO text: a line a sign, `class x y width height`, centre and size as fractions."""

from pathlib import Path

from brakepoint.errors import UserError
from brakepoint.labels.signs import LabelledSign, known_class
from brakepoint.messages import SignClass

CLASSES_FILE = "classes.txt"
"""Names the classes by class id, a line each; several labelling tools write it."""


def read_classes(folder: Path) -> tuple[SignClass, ...]:
    """Reads which class each class id stands for.

    Args:
        folder: May hold `classes.txt`, itself or in `labels/`; without one the order is that of `SignClass`.

    Raises:
        UserError: It names a class that the train does not know.
    """
    for file in (folder / CLASSES_FILE, folder / "labels" / CLASSES_FILE):
        if file.is_file():
            names = file.read_text(encoding="utf-8").split()
            return tuple(known_class(name, file) for name in names)
    return tuple(SignClass)


def read_signs(file: Path, classes: tuple[SignClass, ...]) -> tuple[LabelledSign, ...]:
    """Reads the signs of one picture.

    Args:
        file: A YOLO text file; an empty one means a picture without signs.
        classes: The classes by class id.

    Raises:
        UserError: A line is not a box inside the picture, or of an unknown class.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise UserError("error.label_invalid", file=file, why=error) from None
    return tuple(
        _read_sign(line, classes, file, number) for number, line in enumerate(lines, 1) if line.strip()
    )


def _read_sign(line: str, classes: tuple[SignClass, ...], file: Path, number: int) -> LabelledSign:
    try:
        class_id, x, y, width, height = (float(field) for field in line.split())
    except ValueError:
        raise _not_a_box(line, file, number) from None
    if not (0 <= x <= 1 and 0 <= y <= 1 and 0 < width <= 1 and 0 < height <= 1):
        raise _not_a_box(line, file, number)
    if class_id not in range(len(classes)):
        raise UserError("error.label_class", file=file, found=line.split()[0], expected=", ".join(classes))
    left, top = max(x - width / 2, 0.0), max(y - height / 2, 0.0)
    right, bottom = min(x + width / 2, 1.0), min(y + height / 2, 1.0)
    return LabelledSign(classes[int(class_id)], (left, top, right, bottom))


def _not_a_box(line: str, file: Path, number: int) -> UserError:
    return UserError("error.label_line", file=file, number=number, line=line.strip()[:60])
