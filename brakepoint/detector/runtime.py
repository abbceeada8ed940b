"""What runs the network: OpenVINO by default, ONNX Runtime by setting; imported only when used."""

import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np

from brakepoint.detector.metadata import input_size_px
from brakepoint.errors import UserError

DEFAULT_RUNTIME = "openvino"


class Runtime(Protocol):
    """A loaded network.

    Attributes:
        metadata: What the model says about itself.
        input_size_px: `(width, height)` of the picture that it wants.
    """

    metadata: Mapping[str, str]
    input_size_px: tuple[int, int]

    def infer(self, tensor: np.ndarray) -> np.ndarray:
        """Runs the network.

        Args:
            tensor: `(1, 3, height, width)` float32.

        Returns:
            The output tensor, float32; it may be overwritten by the next call.
        """


@contextmanager
def _hushed() -> Iterator[None]:
    """Keeps stderr for us: what OpenVINO writes there, past Python, of a bad model the error says better."""
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


class OpenVinoRuntime:
    """OpenVINO on the CPU."""

    def __init__(self, path: Path, threads: int | None) -> None:
        import openvino

        with _hushed():
            model = openvino.Core().read_model(path)
        stored = dict(model.rt_info).get("framework", {})
        self.metadata: Mapping[str, str] = {key: str(stored[key].value) for key in stored}
        shape = [None if side.is_dynamic else side.get_length() for side in model.inputs[0].partial_shape]
        element_type = model.inputs[0].element_type.to_dtype().name
        self.input_size_px = input_size_px(shape, element_type, self.metadata, path)
        width, height = self.input_size_px
        model.reshape([1, 3, height, width])
        # Processors with bfloat16 would use it unasked, and a score would depend on the machine.
        settings: dict[str, object] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        if threads:
            settings["INFERENCE_NUM_THREADS"] = threads
        self._request = openvino.compile_model(model, "CPU", settings).create_infer_request()

    def infer(self, tensor: np.ndarray) -> np.ndarray:
        """See `Runtime.infer`."""
        return self._request.infer([tensor], share_inputs=True, share_outputs=True)[0]


class OnnxRuntime:
    """ONNX Runtime on the CPU."""

    def __init__(self, path: Path, threads: int | None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = threads or 0
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map
        wanted = self._session.get_inputs()[0]
        shape = [side if isinstance(side, int) else None for side in wanted.shape]
        element_type = {"tensor(float)": "float32"}.get(wanted.type, wanted.type)
        self.input_size_px = input_size_px(shape, element_type, self.metadata, path)
        self._input_name = wanted.name

    def infer(self, tensor: np.ndarray) -> np.ndarray:
        """See `Runtime.infer`."""
        return self._session.run(None, {self._input_name: tensor})[0]


RUNTIMES: dict[str, Callable[[Path, int | None], Runtime]] = {
    "openvino": OpenVinoRuntime,
    "onnxruntime": OnnxRuntime,
}


def load_runtime(path: Path, name: str | None = None, threads: int | None = None) -> Runtime:
    """Loads a model.

    Args:
        path: The ONNX file.
        name: `openvino` or `onnxruntime`; by default what `BRAKEPOINT_RUNTIME` says, else OpenVINO.
        threads: How many; by default what `BRAKEPOINT_THREADS` says, else the runtime decides.

    Raises:
        UserError: There is no such file, it is not an ONNX model, its input is not one picture, or the
            runtime is unknown or not installed.
    """
    name = name or os.environ.get("BRAKEPOINT_RUNTIME") or DEFAULT_RUNTIME
    if name not in RUNTIMES:
        raise UserError("error.runtime_unknown", name=name, known=", ".join(RUNTIMES))
    if importlib.util.find_spec(name) is None:
        raise UserError("error.runtime_missing", name=name, known=", ".join(RUNTIMES))
    if not path.is_file():
        raise UserError("error.model_missing", path=path)
    try:
        return RUNTIMES[name](path, threads or _threads_setting())
    except UserError:
        raise
    except Exception as error:  # Neither runtime documents what it raises on a file that is no model.
        raise UserError("error.model_unreadable", path=path, runtime=name) from error


def _threads_setting() -> int | None:
    written = os.environ.get("BRAKEPOINT_THREADS", "")
    if not written:
        return None
    if not written.isdecimal() or int(written) < 1:
        raise UserError("error.threads_invalid", written=written)
    return int(written)
