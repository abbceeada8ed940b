"""The runtimes of the network: OpenVINO by default, ONNX Runtime or TensorRT by setting; imported on use."""

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import typer

from brakepoint.cores import available_cores
from brakepoint.detector.engines import Engine
from brakepoint.detector.metadata import input_size_px
from brakepoint.errors import UserError
from brakepoint.texts import text

DEFAULT_RUNTIME, TENSORRT_NAME = "openvino", "tensorrt"
TENSORRT, CPU = "TensorrtExecutionProvider", "CPUExecutionProvider"
Provider = str | tuple[str, dict[str, str]]
"""A provider of ONNX Runtime: its name, possibly with options."""


@dataclass(frozen=True)
class Options:
    """Options for running a network.

    Attributes:
        threads: Number of threads.
        half: Whether OpenVINO may compute in half precision where the processor supports it.
    """

    threads: int
    half: bool = False


class Runtime(Protocol):
    """A loaded network.

    Attributes:
        metadata: The model's metadata.
        input_size_px: `(width, height)` of the picture that the network expects.
        takes_smaller: Whether the picture may also be smaller, by whole strides.
    """

    metadata: Mapping[str, str]
    input_size_px: tuple[int, int]
    takes_smaller: bool

    def infer(self, tensor: np.ndarray) -> np.ndarray:
        """Runs the network.

        Args:
            tensor: `(1, 3, height, width)` float32.

        Returns:
            The output tensor, float32; it may be overwritten by the next call.
        """


@contextmanager
def _hushed() -> Iterator[None]:
    """Suppresses OpenVINO's direct output to stderr about a bad model; the kit's own error is clearer."""
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@cache
def _openvino_core() -> Any:
    """The only `openvino.Core` of this process, kept until the process ends.

    Each core gives the main thread a signal stack, and removes it together with its last model, in whatever
    order models are released. With two cores, the thread may keep a signal stack that no longer exists, and
    the next Ctrl-C, or the end of a child process, causes a segmentation fault.
    """
    # OpenVINO reports each model that it reads to Google Analytics, from a forked process, unless this
    # package is missing. Nothing here may need the network, and a fork with running threads can hang for
    # ever.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino.Core()


def _only(inputs: Sequence[Any], path: Path) -> Any:
    """The only input of a network."""
    if len(inputs) != 1:
        raise UserError("error.model_inputs", path=path, count=len(inputs))
    return inputs[0]


class OpenVinoRuntime:
    """OpenVINO on the CPU."""

    def __init__(self, path: Path, options: Options) -> None:
        core = _openvino_core()
        with _hushed():
            self._model = core.read_model(path)
        stored = dict(self._model.rt_info).get("framework", {})
        self.metadata: Mapping[str, str] = {key: str(stored[key].value) for key in stored}
        wanted = _only(self._model.inputs, path)
        shape = [None if side.is_dynamic else side.get_length() for side in wanted.partial_shape]
        element_type = wanted.element_type.to_dtype().name
        self.input_size_px = input_size_px(shape, element_type, self.metadata, path)
        self.takes_smaller = shape[2] is None and shape[3] is None
        # Otherwise bfloat16 would be used where processors have it, and scores would depend on the machine.
        has_half = options.half and "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if has_half else "f32",
            "INFERENCE_NUM_THREADS": options.threads,
            # With pinning, each network of every process on a machine would compute on the same first cores.
            "ENABLE_CPU_PINNING": False,
        }
        self._requests: dict[tuple[int, ...], Any] = {}

    def infer(self, tensor: np.ndarray) -> np.ndarray:
        """See `Runtime.infer`; the first use of a shape takes a tenth of a second more."""
        if tensor.shape not in self._requests:
            self._requests[tensor.shape] = self._compile(tensor.shape)
        request = self._requests[tensor.shape]
        output: np.ndarray = request.infer([tensor], share_inputs=True, share_outputs=True)[0]
        return output

    def _compile(self, shape: tuple[int, ...]) -> Any:
        """Compiles a network for each shape: a single one for all would be a tenth slower."""
        model = self._model.clone()
        model.reshape(shape)
        return _openvino_core().compile_model(model, "CPU", self._settings).create_infer_request()


class OnnxRuntime:
    """ONNX Runtime, on the CPU by default."""

    def __init__(self, path: Path, options: Options, providers: Sequence[Provider] = (CPU,)) -> None:
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = 3
        settings.intra_op_num_threads = options.threads
        if CPU not in providers:
            settings.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        # Disables ONNX Runtime's fallback, with which a failure would silently start the network on the CPU.
        self._session = onnxruntime.InferenceSession(
            path, settings, providers=list(providers), enable_fallback=0
        )
        self.provider: str = self._session.get_providers()[0]
        self.metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map
        wanted = _only(self._session.get_inputs(), path)
        shape = [side if isinstance(side, int) else None for side in wanted.shape]
        element_type = {"tensor(float)": "float32"}.get(wanted.type, wanted.type)
        self.input_size_px = input_size_px(shape, element_type, self.metadata, path)
        self.takes_smaller = shape[2] is None and shape[3] is None
        self._input_name = wanted.name

    def infer(self, tensor: np.ndarray) -> np.ndarray:
        """See `Runtime.infer`."""
        output: np.ndarray = self._session.run(None, {self._input_name: tensor})[0]
        return output


class TensorRtRuntime(OnnxRuntime):
    """ONNX Runtime with TensorRT only, in half precision, for a Jetson.

    The first start on a machine builds an engine, which takes minutes and is announced; the engine is kept
    for later starts (`brakepoint.detector.engines`). An unusable engine is rebuilt once. A part of the model
    that TensorRT cannot run would silently and slowly run on another processor, so such a model is refused.
    """

    def __init__(self, path: Path, options: Options) -> None:
        import onnxruntime

        available = onnxruntime.get_available_providers()
        if TENSORRT not in available:
            raise UserError("error.no_tensorrt", available=", ".join(available))
        engine = Engine(path, onnxruntime.__version__)
        if engine.is_complete:
            try:
                self._open(path, options, engine)
            except Exception:  # The engine is of another version or truncated; the error has no details.
                typer.echo(text("detector.engine.unusable", path=engine.folder), err=True)
            else:
                return
        engine.prepare()
        typer.echo(text("detector.engine.building", path=engine.folder), err=True)
        try:
            self._open(path, options, engine)
        except UserError:
            raise
        except Exception as error:
            raise _why_not(path, error) from error
        engine.complete()

    def _open(self, path: Path, options: Options, engine: Engine) -> None:
        """Loads the engine, or builds it; an engine is complete only after it has processed a picture."""
        super().__init__(path, options, [(TENSORRT, _engine_options(engine.folder))])
        if self.provider != TENSORRT:
            raise UserError("error.tensorrt_fell_back", provider=self.provider)
        self.takes_smaller = False  # An engine is for one shape, and another one would take minutes again.
        width, height = self.input_size_px
        self.infer(np.zeros((1, 3, height, width), np.float32))


def _why_not(path: Path, error: Exception) -> Exception:
    """Why no engine can be built: a part that TensorRT cannot run, TensorRT itself, or the model."""
    if "fallback to CPU EP" in str(error):
        return UserError("error.tensorrt_partly", path=path)
    try:
        OnnxRuntime(path, Options(threads=1))
    except Exception:  # The cause is then the model, not TensorRT.
        return error
    return UserError("error.tensorrt_failed", why=" ".join(str(error).split()) or type(error).__name__)


def _engine_options(folder: Path) -> dict[str, str]:
    """Options of ONNX Runtime's TensorRT provider."""
    return {
        "trt_fp16_enable": "1",
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(folder),
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(folder),
    }


RUNTIMES: dict[str, Callable[[Path, Options], Runtime]] = {
    "openvino": OpenVinoRuntime,
    "onnxruntime": OnnxRuntime,
    TENSORRT_NAME: TensorRtRuntime,
}
PACKAGES = {TENSORRT_NAME: "onnxruntime"}
"""Package of each runtime whose package has a different name."""


def load_runtime(
    path: Path, name: str | None = None, threads: int | None = None, half: bool = False
) -> Runtime:
    """Loads a model.

    Args:
        path: The ONNX file.
        name: `openvino`, `onnxruntime` or `tensorrt`; by default the value of `BRAKEPOINT_RUNTIME`, else the
            first.
        threads: Number of threads; by default the value of `BRAKEPOINT_THREADS`, else the number of cores.
        half: See `Options`.

    Raises:
        UserError: There is no such file, the file is not an ONNX model, the model's input is not one picture,
            or the runtime is unknown, not installed, or unusable on this machine.
    """
    name = name or os.environ.get("BRAKEPOINT_RUNTIME") or DEFAULT_RUNTIME
    if name not in RUNTIMES:
        raise UserError("error.runtime_unknown", name=name, known=", ".join(RUNTIMES))
    package = PACKAGES.get(name, name)
    if importlib.util.find_spec(package) is None:
        raise UserError("error.runtime_missing", name=package, known=", ".join(RUNTIMES))
    if not path.is_file():
        raise UserError("error.model_missing", path=path)
    with _blamed_on(path, name):
        return RUNTIMES[name](path, Options(threads or threads_setting(), half))


def first_answer(runtime: Runtime, tensor: np.ndarray, path: Path | str) -> np.ndarray:
    """The first output of a newly loaded network, if it can be run at all.

    Args:
        runtime: The loaded network.
        tensor: See `Runtime.infer`.
        path: The model, for the error message.

    Raises:
        UserError: The model was read, but cannot be run, or its output is not a tensor of floats.
    """
    with _blamed_on(path, type(runtime).__name__):
        output = runtime.infer(tensor)
        if output.dtype.kind != "f":
            raise TypeError(f"the output is {output.dtype}")
        return output


@contextmanager
def _blamed_on(path: Path | str, runtime: str) -> Iterator[None]:
    """Reports every exception of a runtime as an error of the model: no runtime documents its exceptions."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError("error.model_unreadable", path=path, runtime=runtime) from error


def threads_setting() -> int:
    """Number of threads: the value of `BRAKEPOINT_THREADS`, else the number of cores.

    Raises:
        UserError: The value is not a number, or is less than one.
    """
    written = os.environ.get("BRAKEPOINT_THREADS", "")
    if not written:
        return available_cores()
    if not written.isdecimal() or int(written) < 1:
        raise UserError("error.threads_invalid", written=written)
    return int(written)
