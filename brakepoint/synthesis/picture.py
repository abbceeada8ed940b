"""A picture with its labels, and the signs that are composited onto it."""

from dataclasses import dataclass, field

import numpy as np

from brakepoint.messages import SignClass
from brakepoint.synthesis.sprites import Sprite

Box = tuple[float, float, float, float]
"""`(left, top, right, bottom)` in pixels."""


@dataclass(frozen=True)
class Label:
    """One sign that a detector should find."""

    sign_class: SignClass
    box: Box


@dataclass(frozen=True)
class Picture:
    """One synthetic picture: `(h, w, 3)` uint8 blue-green-red, its labels and its JPEG quality, 1 to 100."""

    image: np.ndarray
    labels: tuple[Label, ...]
    jpeg_quality: int


@dataclass
class Placed:
    """A sign placed in the picture, and what is still visible of it.

    Attributes:
        sprite: The drawn sprite.
        left: Column of the sprite's left edge; may be negative.
        top: Row of the sprite's upper edge; may be negative.
        visible: `(h, w)` float32: how much of each pixel of the sprite shows the plate, reduced by whatever
            covers it.
    """

    sprite: Sprite
    left: int
    top: int
    visible: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.visible = self.sprite.plate.copy()

    def visible_fraction(self) -> float:
        """Fraction of the plate that is neither hidden nor outside the picture."""
        return float(self.visible.sum() / max(self.sprite.plate.sum(), 1e-6))

    def overlap(self, other: "Placed") -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
        """The region shared by two sprites, in pixels of this one and of the other; None if there is none."""
        mine, theirs = self.sprite.alpha.shape, other.sprite.alpha.shape
        top, left = max(self.top, other.top), max(self.left, other.left)
        bottom = min(self.top + mine[0], other.top + theirs[0])
        right = min(self.left + mine[1], other.left + theirs[1])
        if bottom <= top or right <= left:
            return None
        return (
            (slice(top - self.top, bottom - self.top), slice(left - self.left, right - self.left)),
            (slice(top - other.top, bottom - other.top), slice(left - other.left, right - other.left)),
        )

    def clip_to(self, width: int, height: int) -> None:
        """Removes the parts that are outside a picture of this size."""
        inside = np.zeros_like(self.visible)
        rows = slice(max(-self.top, 0), max(height - self.top, 0))
        columns = slice(max(-self.left, 0), max(width - self.left, 0))
        inside[rows, columns] = 1
        self.visible *= inside

    def covered_by(self, other: "Placed") -> np.ndarray:
        """Returns `visible` as it would be with another sprite in front."""
        shared = self.overlap(other)
        left_over = self.visible.copy()
        if shared is not None:
            mine, theirs = shared
            left_over[mine] *= 1 - other.sprite.alpha[theirs]
        return left_over
