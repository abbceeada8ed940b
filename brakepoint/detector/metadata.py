"""What a model says about itself: the metadata that ultralytics writes into an ONNX file."""

import ast
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from brakepoint.errors import UserError
from brakepoint.messages import SignClass

STRIDE_PX = 32
"""How wide one step of the coarsest level is, in most networks that ultralytics makes."""
STRIDE_MOST_PX = 256


def class_names(metadata: Mapping[str, str], path: Path) -> tuple[SignClass, ...]:
    """Reads the classes from the entry `names`, a dictionary written out in Python or in JSON.

    Args:
        metadata: The model's metadata.
        path: The model, for the error.

    Returns:
        The classes by class id; a model may have them in another order than `SignClass`.

    Raises:
        UserError: There is no such entry, or its classes are not exactly those of `SignClass`.

    Example:
        >>> class_names({"names": "{0: 'SpeedLimit', 1: 'DangerAhead'}"}, Path("model.onnx"))
    """
    names = _literal(metadata.get("names"))
    if isinstance(names, list | tuple):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names:
        raise UserError("error.model_metadata", path=path)
    # JSON has no other keys than strings.
    names = {int(key) if str(key).isdecimal() else key: name for key, name in names.items()}
    expected = sorted(SignClass)
    if set(names) != set(range(len(names))) or sorted(map(str, names.values())) != expected:
        raise UserError(
            "error.model_classes",
            path=path,
            found=", ".join(map(str, names.values())),
            expected=", ".join(expected),
        )
    return tuple(SignClass(names[class_id]) for class_id in range(len(names)))


def end_to_end_said(metadata: Mapping[str, str]) -> bool | None:
    """Whether the model was exported to suppress double boxes by itself; None if it does not say."""
    arguments, head = _literal(metadata.get("args")), _literal(metadata.get("end2end"))
    if isinstance(arguments, dict) and arguments.get("nms"):
        return True
    return head if isinstance(head, bool) else None


def is_detection_head(metadata: Mapping[str, str]) -> bool:
    """Whether the model finds boxes in pixels, as far as it says.

    ultralytics' RT-DETR gives fractions of a picture that was stretched.
    """
    return metadata.get("task", "detect") == "detect" and metadata.get("head") != "RTDETRDecoder"


def stride_px(metadata: Mapping[str, str]) -> int:
    """How wide one step of the model's coarsest level is, in pixels; at least as in most networks."""
    said = _literal(metadata.get("stride"))
    return said if isinstance(said, int) and STRIDE_PX < said <= STRIDE_MOST_PX else STRIDE_PX


def input_size_px(
    shape: Sequence[int | None], element_type: str, metadata: Mapping[str, str], path: Path
) -> tuple[int, int]:
    """Tells the size of the picture that the model wants.

    Args:
        shape: Of the input, `1 × 3 × height × width`; None where the model leaves a dimension open. Then the
            entry `imgsz` of the metadata holds.
        element_type: Of the input, as `float32`.
        metadata: The model's metadata.
        path: The model, for the error.

    Returns:
        `(width, height)`.

    Raises:
        UserError: The model wants something else than one picture of three channels in float32.
    """
    declared = _literal(metadata.get("imgsz"))
    if len(shape) == 4 and isinstance(declared, list | tuple) and len(declared) == 2:
        shape = [
            known if known is not None else default
            for known, default in zip(shape, (1, 3, *declared), strict=True)
        ]
    match shape:
        case [1 | None, 3 | None, int(height), int(width)] if (
            element_type == "float32" and min(height, width) > 0
        ):
            return width, height
    written = " × ".join("?" if side is None else str(side) for side in shape)
    raise UserError("error.model_input", path=path, shape=written, element_type=element_type)


def _literal(written: str | None) -> object:
    """What is written in Python or in JSON; None for what is neither."""
    for read in (ast.literal_eval, json.loads):
        with suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return read(written or "null")
    return None
