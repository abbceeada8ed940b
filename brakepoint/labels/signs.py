"""A sign as a label says it, the picture that it is in, and what a reader passed over."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from brakepoint.errors import UserError
from brakepoint.messages import Detection, SignClass
from brakepoint.texts import text

ASPECT_TOLERANCE = 0.02
"""By how much the proportions that a label names may differ from the picture's: pictures are made smaller."""
Box = tuple[float, float, float, float]
"""`(left, top, right, bottom)` as fractions of the picture, 0 to 1."""
LEAST_SIDE = 1e-6
"""What YOLO text, with its six decimals, still tells from nothing."""

NAMES_MAX = 5
"""So many of the things that were passed over are named; all are counted."""


@dataclass(frozen=True)
class LabelledSign:
    """One sign of a picture.

    Attributes:
        sign_class: What it is.
        box: `(left, top, right, bottom)` as fractions of the picture, 0 to 1.
    """

    sign_class: SignClass
    box: Box


@dataclass(frozen=True)
class LabelledPicture:
    """A picture and the signs that are really in it.

    Attributes:
        path: The picture.
        signs: The signs.
        size_px: `(width, height)` that its label says it has; None if the label does not say it.
        split: `train`, `val` or `test`, if whoever made the labels has split them.
    """

    path: Path
    signs: tuple[LabelledSign, ...]
    size_px: tuple[int, int] | None = None
    split: str | None = None

    def truths(self, width_px: int, height_px: int) -> tuple[Detection, ...]:
        """The signs as a perfect detector reports them, in pixels of the picture.

        Raises:
            UserError: The label is that of a picture of other proportions, as if it lay on its side.
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
    """Why something that was there is not among what was read, or not as it was written."""

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
    """One thing that was passed over.

    Attributes:
        why: The reason.
        name: What it was, or where.
    """

    why: PassedOver
    name: str


def known_class(name: str, file: Path) -> SignClass:
    """The class of that name; capitals, blanks, hyphens and underscores make no difference.

    Args:
        name: As a label has it.
        file: The label, for the error.

    Raises:
        UserError: The train does not know it.
    """
    wanted = letters(name)
    for sign_class in SignClass:
        if letters(sign_class) == wanted:
            return sign_class
    raise UserError("error.label_class", file=file, found=name, expected=", ".join(SignClass))


def letters(name: str) -> str:
    """A class name without what makes no difference."""
    return re.sub(r"[\s_-]", "", name).casefold()


def inside(box: Box, where: str) -> Box:
    """A box cut off at the picture's edges.

    Args:
        box: In fractions.
        where: File and place, for the error.

    Raises:
        UserError: Nothing of it is in the picture.
    """
    left, top, right, bottom = (min(max(side, 0.0), 1.0) for side in box)
    if right - left < LEAST_SIDE or bottom - top < LEAST_SIDE:
        raise UserError("error.label_outside", file=where)
    return left, top, right, bottom


def each_once(signs: list[LabelledSign], where: str, notes: list[Note]) -> tuple[LabelledSign, ...]:
    """The signs without those that were labelled twice: same class, same box but for rounding."""
    once: dict[tuple[object, ...], LabelledSign] = {}
    for sign in signs:
        once.setdefault((sign.sign_class, *(round(side, 6) for side in sign.box)), sign)
    notes += [Note(PassedOver.DOUBLED, where)] * (len(signs) - len(once))
    return tuple(once.values())


def told(notes: Collection[Note]) -> list[str]:
    """One line for each reason: how many things were passed over for it, and which ones first."""
    lines = []
    for why in PassedOver:
        names = [note.name for note in notes if note.why is why]
        if names:
            some = ", ".join(dict.fromkeys(names[:NAMES_MAX])) + (" …" if len(names) > NAMES_MAX else "")
            lines.append(text(f"labels.note.{why}", count=len(names), names=some))
    return lines
