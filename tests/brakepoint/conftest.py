from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled_pictures import write_picture
from onnx_models import NAMES, save_constant_model

MakeModel = Callable[..., Path]


@pytest.fixture
def make_model(tmp_path: Path) -> MakeModel:
    """Builds an ONNX model with a constant answer and, unless said otherwise, the kit's class names."""

    def make(output: np.ndarray, name: str = "model.onnx", **options: Any) -> Path:
        stated = {key: value for key, value in {"names": NAMES, **options}.items() if value is not None}
        return save_constant_model(tmp_path / name, output, **stated)

    return make


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
