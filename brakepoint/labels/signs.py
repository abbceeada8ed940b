"""A sign as a label says it."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from brakepoint.errors import UserError
from brakepoint.messages import SignClass


@dataclass(frozen=True)
class LabelledSign:
    """One sign of a picture.

    Attributes:
        sign_class: What it is.
        box: `(left, top, right, bottom)` as fractions of the picture, 0 to 1.
    """

    sign_class: SignClass
    box: tuple[float, float, float, float]


def known_class(name: str, file: Path) -> SignClass:
    """The class of that name.

    Args:
        name: As a label has it.
        file: The label, for the error.

    Raises:
        UserError: The train does not know it.
    """
    try:
        return SignClass(name)
    except ValueError:
        expected = ", ".join(SignClass)
        raise UserError("error.label_class", file=file, found=name, expected=expected) from None


def picture_name(location: str) -> str:
    """The file name in the place of a picture as Label Studio has it.

    Args:
        location: For instance `s3://bucket/3.jpg` or `/data/local-files/?d=folder/3.jpg`.
    """
    return PurePosixPath(unquote(location.split("?d=")[-1].split("?")[0])).name
