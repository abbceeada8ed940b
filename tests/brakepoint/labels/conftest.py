"""A folder of small pictures that a test fills with labels of its kind."""

from collections.abc import Callable
from pathlib import Path

import pytest
from labelled_pictures import write_picture


@pytest.fixture
def dataset(tmp_path: Path) -> Callable[..., Path]:
    """Writes pictures and texts, given by their paths, and returns the folder."""

    def write(*pictures: str, **texts: str) -> Path:
        for picture in pictures:
            write_picture(tmp_path / picture)
        for name, content in texts.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content, encoding="utf-8", newline="")
        return tmp_path

    return write
