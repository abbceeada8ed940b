"""TensorRT's engines: the folder that contains one, and what an engine depends on.

An engine is built for one network, one GPU and one version of TensorRT, and depends on the version of ONNX
Runtime. Each of the four is part of the folder's name, so an update leads to a new folder.
"""

import ctypes
import ctypes.util
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from brakepoint.files import write_whole

VARIABLE = "BRAKEPOINT_ENGINE_CACHE"
COMPLETE = "complete.json"
"""Written last: a folder without it contains an interrupted build."""
UNKNOWN = "unknown"
NAME_MAX = 100


class Engine:
    """The engine that TensorRT has built or will build for a model on this machine.

    Args:
        model: The ONNX file.
        runtime: Version of ONNX Runtime.

    Attributes:
        made_of: What the engine depends on, by name.
        folder: Where the engine is kept.
    """

    def __init__(self, model: Path, runtime: str) -> None:
        self.made_of: Mapping[str, str] = {
            "model": hashlib.sha256(model.read_bytes()).hexdigest(),
            "onnxruntime": runtime,
            "tensorrt": tensorrt_version(),
            "gpu": gpu_name(),
        }
        together = json.dumps(self.made_of, sort_keys=True)
        self.folder = _cache() / hashlib.sha256(together.encode()).hexdigest()[:12]

    @property
    def is_complete(self) -> bool:
        """Whether the build was completed."""
        return (self.folder / COMPLETE).is_file()

    def prepare(self) -> None:
        """Creates an empty folder for a build."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def complete(self) -> None:
        """Marks the build as completed."""
        write_whole(self.folder / COMPLETE, json.dumps(self.made_of, indent=1).encode())


def _cache() -> Path:
    """The value of `BRAKEPOINT_ENGINE_CACHE`, or else the user's cache."""
    said = os.environ.get(VARIABLE)
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(said) if said else user / "brakepoint" / "engines"


@cache
def tensorrt_version() -> str:
    """Version of the library on this machine, for instance `10.3.0`.

    TensorRT's Python package is not needed for this.
    """
    name = ctypes.util.find_library("nvinfer")
    try:
        number = int(ctypes.CDLL(name or "libnvinfer.so.10").getInferLibVersion())
    except (OSError, AttributeError):
        return UNKNOWN
    scale = 10_000 if number >= 100_000 else 1000  # 8.6.1 is 8601, 10.3.0 is 100300.
    return f"{number // scale}.{number % scale // 100}.{number % 100}"


@cache
def gpu_name() -> str:
    """Name of the first GPU, with its compute capability, for instance `Orin 8.7`."""
    name, device = ctypes.create_string_buffer(NAME_MAX), ctypes.c_int()
    major, minor = ctypes.c_int(), ctypes.c_int()
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
        failed = (
            cuda.cuInit(0)
            or cuda.cuDeviceGet(ctypes.byref(device), 0)
            or cuda.cuDeviceGetName(name, NAME_MAX, device)
            or cuda.cuDeviceComputeCapability(ctypes.byref(major), ctypes.byref(minor), device)
        )
    except (OSError, AttributeError):
        return UNKNOWN
    return UNKNOWN if failed else f"{name.value.decode(errors='replace')} {major.value}.{minor.value}"
