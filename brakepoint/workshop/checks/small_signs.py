"""Signs of a few pixels, on which the checks of step 2 try answers."""

import numpy as np

from brakepoint.messages import SignClass
from brakepoint.synthesis import Placed, Sprite

DANGER, LIMIT = SignClass.DANGER_AHEAD, SignClass.SPEED_LIMIT
SIDE_PX = 10
PLASTIC = (200.0, 120.0, 40.0)
"""A colour whose channels differ, blue-green-red."""
FAINT = 0.35
"""Opacity of the pixels of a plate that counts as hidden, although boxes include them (`SEEN_LEAST`)."""
SEEN_TOO_LITTLE = 0.2
"""Opacity of a pixel that boxes leave out."""


def large_sign() -> Sprite:
    """A square sign with sides twice as long as usual."""
    full = np.ones((2 * SIDE_PX, 2 * SIDE_PX), np.float32)
    return Sprite(
        full[..., None] * np.array(PLASTIC, np.float32), full, full, (0, 0, 2 * SIDE_PX, 2 * SIDE_PX), DANGER
    )


def sign_on_post() -> Sprite:
    """A sprite of 20 by 30 pixels: the plate is in columns 3 to 14 and rows 4 to 16, the post is below."""
    plate = np.zeros((30, 20), np.float32)
    plate[4:17, 3:15] = 1
    alpha = plate.copy()
    alpha[17:30, 8:10] = 1
    return Sprite(np.zeros((30, 20, 3), np.float32), alpha, plate, (3, 4, 15, 17), DANGER)


def half_hidden(left: int, top: int) -> Placed:
    """A sign on a post whose plate is visible in columns 7 to 14: in four pieces, and without two corners.

    In column 6, too little of the plate is visible to count; in column 14, just enough.
    """
    placed = Placed(sign_on_post(), left, top)
    placed.visible[:, :7] = placed.visible[:, 9:11] = placed.visible[10:12] = 0
    placed.visible[4, :12] = placed.visible[16, 12:] = 0
    placed.visible[5:16, 6] = SEEN_TOO_LITTLE
    placed.visible[:, 14] *= FAINT
    return placed


def placed_sign(sign_class: SignClass | None, left: int = 0, visible_columns: int = SIDE_PX) -> Placed:
    """A square sign with an outline between pixels, possibly with only its first columns visible."""
    full = np.ones((SIDE_PX, SIDE_PX), np.float32)
    sprite = Sprite(
        full[..., None] * np.array(PLASTIC, np.float32),
        full,
        full,
        (0.25, 0, SIDE_PX, SIDE_PX - 0.5),
        sign_class,
    )
    placed = Placed(sprite, left, 30)
    placed.visible[:, visible_columns:] = 0
    return placed
