"""Checks an ONNX file without running it: only plain feed-forward networks are accepted."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from brakepoint.files import BYTES_IN_MB
from brakepoint.room.outcomes import Failed, Failure

MODEL_MAX_MB = 50
"""The kit's own model takes a few MB; the largest model that can be trained in a workshop takes twenty."""
MODEL_MAX_BYTES = MODEL_MAX_MB * BYTES_IN_MB
STANDARD_DOMAINS = {"", "ai.onnx"}
# fmt: off
OPERATORS = frozenset((
    "Add", "AveragePool", "BatchNormalization", "Cast", "Ceil", "Clip", "Concat", "Constant",
    "ConstantOfShape", "Conv", "ConvTranspose", "Div", "Equal", "Exp", "Expand", "Flatten", "Floor",
    "Gather", "GatherElements", "GatherND", "Gemm", "GlobalAveragePool", "Greater", "HardSigmoid",
    "HardSwish", "Identity", "LeakyRelu", "Less", "MatMul", "Max", "MaxPool", "Min", "Mod", "Mul",
    "Neg", "NonMaxSuppression", "NonZero", "Not", "Pad", "Pow", "Range", "Reciprocal", "ReduceMax",
    "ReduceMean", "ReduceSum", "Relu", "Reshape", "Resize", "ScatterND", "Shape", "Sigmoid", "Silu",
    "Slice", "Softmax", "Split", "Sqrt", "Squeeze", "Sub", "Tanh", "Tile", "TopK", "Transpose",
    "Unsqueeze", "Where",
    "QuantizeLinear", "DequantizeLinear",
))
# fmt: on
"""The operators of detectors, with or without non-maximum suppression; no loops, no branches."""


def check_model(path: Path) -> None:
    """Rejects everything but a plain network.

    Raises:
        Failed: The file isn't a plain network.
    """
    import onnx

    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # onnx does not document what it raises on a file that isn't a model.
        raise Failed(Failure.MODEL_UNFIT, f"{type(error).__name__}: {error}") from None
    named = {(node.domain, node.op_type) for node in model.graph.node}
    unknown = {name for domain, name in named if domain not in STANDARD_DOMAINS or name not in OPERATORS}
    if unknown or model.functions:
        raise Failed(
            Failure.MODEL_OPERATORS, ", ".join(sorted(unknown | {one.name for one in model.functions}))
        )
    if any(tensor.data_location or tensor.external_data for tensor in _tensors(model)):
        raise Failed(Failure.MODEL_OPERATORS, "external data")


def _tensors(part: Any) -> Iterator[Any]:
    """Every tensor of a model: the weights, dense or sparse, and those inside nodes."""
    from onnx import TensorProto

    if isinstance(part, TensorProto):
        yield part
        return
    for field, value in part.ListFields():
        if field.message_type is not None:
            for one in value if isinstance(value, Sequence) else (value,):
                yield from _tensors(one)
