"""A labelled sign, its picture, and notes about what a reader skipped."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from brakepoint.errors import UserError
from brakepoint.messages import Detection, SignClass
from brakepoint.texts import text

ASPECT_TOLERANCE = 0.02
"""How far the proportions in a label may differ from those of the picture, which may have been downscaled."""
Box = tuple[float, float, float, float]
"""`(left, top, right, bottom)` as fractions of the picture, 0 to 1."""
LEAST_SIDE = 1e-6
"""The smallest side that YOLO text, with its six decimals, can distinguish from zero."""

SIDE_MOST_PX = 1_000_000
"""No picture has a longer side; a label with a larger one is broken."""
NAMES_MAX = 5
"""Maximum number of skipped items that are named; all are counted."""


@dataclass(frozen=True)
class LabelledSign:
    """One sign of a picture.

    Attributes:
        sign_class: Class of the sign.
        box: `(left, top, right, bottom)` as fractions of the picture, 0 to 1.
    """

    sign_class: SignClass
    box: Box


@dataclass(frozen=True)
class LabelledPicture:
    """A picture and its true signs.

    Attributes:
        path: The picture.
        signs: The signs.
        size_px: `(width, height)` according to its label; None if the label does not include it.
        split: `train`, `val` or `test`, if the dataset is split.
    """

    path: Path
    signs: tuple[LabelledSign, ...]
    size_px: tuple[int, int] | None = None
    split: str | None = None

    def truths(self, width_px: int, height_px: int) -> tuple[Detection, ...]:
        """The signs as a perfect detector reports them, in pixels of the picture.

        Raises:
            UserError: The label is for a picture with other proportions, for example a rotated one.
        """
        if self.size_px is not None:
            width, height = self.size_px
            if abs(width * height_px / (height * width_px) - 1) > ASPECT_TOLERANCE:
                said, real = f"{width} × {height}", f"{width_px} × {height_px}"
                raise UserError("error.label_of_another_size", picture=self.path, said=said, real=real)
        truths = []
        for sign in self.signs:
            left, top, right, bottom = sign.box
            box = left * width_px, top * height_px, right * width_px, bottom * height_px
            truths.append(Detection(sign_class=sign.sign_class, confidence=1.0, box=box))
        return tuple(truths)


class PassedOver(StrEnum):
    """Why something was skipped, or not read as written."""

    UNLABELLED = "unlabelled"
    SKIPPED = "skipped"
    REPLACED = "replaced"
    NO_CLASS = "no_class"
    OTHER_ANSWER = "other_answer"
    CROWD = "crowd"
    DOUBLED = "doubled"
    OUTLINE = "outline"
    NO_LABEL_FILE = "no_label_file"
    OTHER_SPLIT = "other_split"
    OTHER_FILE = "other_file"


@dataclass(frozen=True)
class Note:
    """One skipped item.

    Attributes:
        why: The reason.
        name: Name or location of the item.
    """

    why: PassedOver
    name: str


def known_class(name: str, file: Path) -> SignClass:
    """The class of that name, ignoring case, spaces, hyphens and underscores.

    Args:
        name: The name in the label.
        file: The label, for the error message.

    Raises:
        UserError: The class is unknown.
    """
    wanted = letters(name)
    for sign_class in SignClass:
        if letters(sign_class) == wanted:
            return sign_class
    raise UserError("error.label_class", file=file, found=name, expected=", ".join(SignClass))


def letters(name: str) -> str:
    """A class name without the ignored characters."""
    return re.sub(r"[\s_-]", "", name).casefold()


def inside(box: Box, where: str) -> Box:
    """A box clipped at the picture's edges.

    Args:
        box: The box in fractions.
        where: File and location, for the error message.

    Raises:
        UserError: The box is entirely outside the picture.
    """
    left, top, right, bottom = (min(max(side, 0.0), 1.0) for side in box)
    if right - left < LEAST_SIDE or bottom - top < LEAST_SIDE:
        raise UserError("error.label_outside", file=where)
    return left, top, right, bottom


def each_once(signs: list[LabelledSign], where: str, notes: list[Note]) -> tuple[LabelledSign, ...]:
    """The signs without duplicates: same class, and same box except for rounding."""
    once: dict[tuple[object, ...], LabelledSign] = {}
    for sign in signs:
        once.setdefault((sign.sign_class, *(round(side, 6) for side in sign.box)), sign)
    notes += [Note(PassedOver.DOUBLED, where)] * (len(signs) - len(once))
    return tuple(once.values())


def told(notes: Collection[Note]) -> list[str]:
    """One line for each reason: the number of skipped items, and the first ones."""
    lines = []
    for why in PassedOver:
        names = [note.name for note in notes if note.why is why]
        if names:
            some = ", ".join(dict.fromkeys(names[:NAMES_MAX])) + (" …" if len(names) > NAMES_MAX else "")
            lines.append(text(f"labels.note.{why}", count=len(names), names=some))
    return lines
