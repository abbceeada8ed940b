from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_models import NAMES, save_constant_model

MakeModel = Callable[..., Path]


@pytest.fixture
def make_model(tmp_path: Path) -> MakeModel:
    """Builds an ONNX model with a constant answer and, unless said otherwise, the kit's class names."""

    def make(output: np.ndarray, name: str = "model.onnx", **options: Any) -> Path:
        stated = {key: value for key, value in {"names": NAMES, **options}.items() if value is not None}
        return save_constant_model(tmp_path / name, output, **stated)

    return make
