"""Tiny ONNX models created on the fly, so that no test needs a trained one."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

NAMES = "{0: 'DangerAhead', 1: 'SpeedLimit'}"


def save_constant_model(
    path: Path,
    output: np.ndarray,
    input_shape: Sequence[int | str] = (1, 3, 64, 96),
    input_type: int = TensorProto.FLOAT,
    **metadata: str,
) -> Path:
    """A model that answers every picture with the same tensor."""
    graph = helper.make_graph(
        [helper.make_node("Identity", ["answer"], ["output0"])],
        "constant",
        [helper.make_tensor_value_info("images", input_type, input_shape)],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, output.shape)],
        [numpy_helper.from_array(output.astype(np.float32), "answer")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


def raw_output(*signs: tuple[float, float, float, float, float, float], columns: int = 40) -> np.ndarray:
    """Raw layout: each sign is left, top, right, bottom, its DangerAhead score and its SpeedLimit score."""
    output = np.zeros((1, 6, columns), np.float32)
    for column, (left, top, right, bottom, *scores) in enumerate(signs):
        output[0, :, column] = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top, *scores)
    return output
