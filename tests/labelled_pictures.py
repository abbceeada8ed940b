"""Small pictures for tests that label them."""

from pathlib import Path

import cv2
import numpy as np

SIZE_PX = (200, 100)
"""Width and height of the pictures."""


def write_picture(path: Path, size_px: tuple[int, int] = SIZE_PX) -> Path:
    """Writes a grey picture, as JPEG if its suffix is not one that OpenCV writes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = path.suffix if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp") else ".jpg"
    path.write_bytes(cv2.imencode(suffix, np.full((*size_px[::-1], 3), 90, np.uint8))[1].tobytes())
    return path
