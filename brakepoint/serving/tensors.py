"""Validates the inputs of a request."""

from typing import TYPE_CHECKING

import numpy as np

from brakepoint.serving import DATATYPES
from brakepoint.texts import text

if TYPE_CHECKING:
    from kserve import InferInput, InferOutput, InferRequest


def find_input(request: "InferRequest", name: str) -> "InferInput":
    """Finds an input by name.

    Raises:
        InvalidInput: There is no such input, or the request uses another protocol.
    """
    from kserve import InferRequest
    from kserve.errors import InvalidInput

    if not isinstance(request, InferRequest):
        raise InvalidInput(text("serving.bad.protocol"))
    for found in request.inputs:
        if found.name == name:
            return found
    there = ", ".join(str(found.name) for found in request.inputs) or "–"
    raise InvalidInput(text("serving.bad.no_input", name=name, there=there))


def to_array(field: "InferInput") -> np.ndarray:
    """An input as an array.

    Raises:
        InvalidInput: The input's data do not match its datatype and shape.
    """
    from kserve.errors import InvalidInput

    try:
        array = np.asarray(field.as_numpy())
        if field.datatype == "BYTES" and not all(isinstance(each, bytes | str) for each in array.flat):
            raise TypeError(f"neither bytes nor text: {field.name}")
        return array
    except Exception as error:  # numpy and kserve raise nearly anything on data that do not fit.
        raise InvalidInput(
            text("serving.bad.data", name=field.name, shape=list(field.shape), datatype=field.datatype)
        ) from error


def make_output(request: "InferRequest", name: str, array: np.ndarray) -> "InferOutput":
    """An output in the requested form: binary, or as numbers.

    Args:
        request: The request.
        name: Name of the output.
        array: Content of the output: float32, or objects that are bytes.
    """
    from kserve import InferOutput

    asked = next((output for output in request.request_outputs or () if output.name == name), None)
    binary = request.use_binary_outputs or bool(asked and asked.binary_data)
    output = InferOutput(name, list(array.shape), DATATYPES[array.dtype.kind])
    output.set_data_from_numpy(array, binary_data=binary)
    return output
