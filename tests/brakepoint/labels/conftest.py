"""A folder of small pictures that a test fills with labels of its kind."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

SIZE_PX = (200, 100)
"""Width and height of the pictures."""


def write_picture(path: Path, size_px: tuple[int, int] = SIZE_PX) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = path.suffix if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp") else ".jpg"
    path.write_bytes(cv2.imencode(suffix, np.full((*size_px[::-1], 3), 90, np.uint8))[1].tobytes())
    return path


@pytest.fixture
def dataset(tmp_path: Path) -> Callable[..., Path]:
    """Writes pictures and texts, given by their paths, and returns the folder."""

    def write(*pictures: str, **texts: str) -> Path:
        for picture in pictures:
            write_picture(tmp_path / picture)
        for name, content in texts.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content, encoding="utf-8")
        return tmp_path

    return write
