"""A model's metadata, as ultralytics writes it into an ONNX file."""

import ast
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from brakepoint.errors import UserError
from brakepoint.labels.signs import letters
from brakepoint.messages import SignClass

STRIDE_PX = 32
"""The coarsest stride of most networks that ultralytics exports."""
STRIDE_MOST_PX = 256
INPUT_MOST_PX = 8192
"""Longest side of an input: a larger one is a mistake, and would fill the memory."""


def class_names(metadata: Mapping[str, str], path: Path | str) -> tuple[SignClass, ...]:
    """Reads the classes from the entry `names`, a dictionary in Python or JSON syntax.

    Args:
        metadata: The model's metadata.
        path: The model, for the error message.

    Returns:
        The classes by class id; their order may differ from `SignClass`, and names are compared like those
        of labels.

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
    names = {str(key): name for key, name in names.items()}  # JSON keys are always strings.
    expected = {letters(sign_class): sign_class for sign_class in SignClass}
    found = {class_id: letters(str(name)) for class_id, name in names.items()}
    class_ids = [str(number) for number in range(len(found))]
    if set(found) != set(class_ids) or sorted(found.values()) != sorted(expected):
        raise UserError(
            "error.model_classes",
            path=path,
            found=", ".join(map(str, names.values())),
            expected=", ".join(sorted(SignClass)),
        )
    return tuple(expected[found[class_id]] for class_id in class_ids)


def end_to_end_said(metadata: Mapping[str, str]) -> bool | None:
    """Whether the exported model includes non-maximum suppression; None if the metadata do not say."""
    arguments, head = _literal(metadata.get("args")), _literal(metadata.get("end2end"))
    if isinstance(arguments, dict) and arguments.get("nms"):
        return True
    return head if isinstance(head, bool) else None


def is_detection_head(metadata: Mapping[str, str]) -> bool:
    """Whether the model detects boxes in pixels, according to its metadata.

    The RT-DETR of ultralytics returns fractions of a stretched picture.
    """
    return metadata.get("task", "detect") == "detect" and metadata.get("head") != "RTDETRDecoder"


def stride_px(metadata: Mapping[str, str]) -> int:
    """The model's coarsest stride in pixels, but at least `STRIDE_PX`."""
    said = _literal(metadata.get("stride"))
    return said if isinstance(said, int) and STRIDE_PX < said <= STRIDE_MOST_PX else STRIDE_PX


def input_size_px(
    shape: Sequence[int | None], element_type: str, metadata: Mapping[str, str], path: Path | str
) -> tuple[int, int]:
    """Determines the size of the picture that the model expects.

    Args:
        shape: Shape of the input, `1 × 3 × height × width`; None for a dynamic dimension, for which the
            metadata entry `imgsz` is used.
        element_type: Type of the input, such as `float32`.
        metadata: The model's metadata.
        path: The model, for the error message.

    Returns:
        `(width, height)`.

    Raises:
        UserError: The model expects something other than one picture with three channels in float32.
    """
    declared = _literal(metadata.get("imgsz"))
    if len(shape) == 4 and isinstance(declared, list | tuple) and [*map(type, declared)] == [int, int]:
        shape = [
            known if known is not None else default
            for known, default in zip(shape, (1, 3, *declared), strict=True)
        ]
    match shape:
        case [1 | None, 3 | None, int(height), int(width)] if (
            element_type == "float32" and min(height, width) > 0 and max(height, width) <= INPUT_MOST_PX
        ):
            return width, height
    written = " × ".join("?" if side is None else str(side) for side in shape)
    raise UserError("error.model_input", path=path, shape=written, element_type=element_type)


def _literal(written: str | None) -> object:
    """A literal in Python or JSON syntax; None if it is neither."""
    for read in (ast.literal_eval, json.loads):
        with suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return read(written or "null")
    return None
