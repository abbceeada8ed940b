"""The effects of the train's small camera on a clean rendered picture.

These effects belong to the look of a feed and are the same in every frame; sensor noise and motion blur
differ between captures, and are added when a recorded camera plays the feed.
"""

import random

import cv2
import numpy as np

VIGNETTE = 0.28
"""Light lost in the far corners."""
SOFTNESS_PX = 0.5
"""Standard deviation of the lens's blur."""
BRIGHTNESS = 0.40
"""Target mean of the automatic exposure, 0 to 1, within `EXPOSURE_RANGE`."""
EXPOSURE_RANGE = (0.85, 1.6)
CAST = 0.07
"""Largest error of the white balance, either way, in red and blue."""


class CameraLook:
    """The look of one camera in one scene.

    Args:
        seed: Seed of the colour cast.
        width_px: Width of the pictures.
        height_px: Height of the pictures.
    """

    def __init__(self, seed: int, width_px: int, height_px: int) -> None:
        rng = random.Random(f"look {seed}")
        cast = np.array([1 + rng.uniform(-CAST, CAST), 1.0, 1 + rng.uniform(-CAST, CAST)], np.float32)
        y, x = np.mgrid[-1 : 1 : height_px * 1j, -1 : 1 : width_px * 1j].astype(np.float32)
        self._size = (width_px, height_px)
        self._gain = (1 - VIGNETTE * ((x**2 + y**2) / 2) ** 1.5)[:, :, None] * cast

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Applies the look to a uint8 picture, blue-green-red, of any size; returns `(height, width, 3)`."""
        soft = cv2.GaussianBlur(
            cv2.resize(picture, self._size, interpolation=cv2.INTER_CUBIC), (0, 0), SOFTNESS_PX
        )
        exposure = np.clip((255 * BRIGHTNESS / max(float(soft.mean()), 1.0)) ** 0.7, *EXPOSURE_RANGE)
        finished: np.ndarray = np.clip(soft * (self._gain * exposure), 0, 255).astype(np.uint8)
        return finished
