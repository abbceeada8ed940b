"""Backs of signs: black plates, which a network easily takes for danger signs."""

import numpy as np

BLACK = 0.25
"""Brightness, as a share of the surroundings' brightness, below which a plate is the black back of a sign.
Before light walls, most backs have 0.06 to 0.35. No front in the feeds has less than 0.4."""
PLATE_MIDDLE = np.array([0.3, 0.4, 0.7, 0.88])
"""Left, top, right and bottom, as fractions of a box, of the part that is inside the plate of every sign."""
SURROUNDINGS = np.array([-1 / 3, -1 / 3, 4 / 3, 4 / 3])
"""The same for a box together with what is around it."""


def is_darker(image: np.ndarray, box: np.ndarray, share: float = BLACK) -> bool:
    """Whether the plate in a box is far darker than what surrounds it.

    Args:
        image: `(height, width, 3)` uint8.
        box: Left, top, right and bottom of the plate, in pixels of the picture.
        share: The largest brightness of such a plate, as a share of its surroundings' brightness.
    """
    plate, around = (_brightness(image, box, part) for part in (PLATE_MIDDLE, SURROUNDINGS))
    return bool(np.percentile(plate, 90) < share * np.median(around))


def _brightness(image: np.ndarray, box: np.ndarray, part: np.ndarray) -> np.ndarray:
    """The brightest channel of each pixel in a part of a box, of at least one pixel."""
    corner, size_px = box[:2], box[2:] - box[:2]
    left, top = np.floor(corner + part[:2] * size_px).clip(0, np.array(image.shape[1::-1]) - 1).astype(int)
    right, bottom = np.ceil(corner + part[2:] * size_px).clip(1).astype(int)
    brightest: np.ndarray = image[top : max(bottom, top + 1), left : max(right, left + 1)].max(axis=2)
    return brightest
