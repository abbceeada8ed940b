"""TensorRT's engines: the folder that keeps one, and what an engine depends on.

An engine is made for one network, one graphics processor and one version of TensorRT, and ONNX Runtime
decides what goes into it. Each of the four is part of the folder's name: behind an update there is another.
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
"""Is written last: a folder without it holds a build that was broken off."""
UNKNOWN = "unknown"
NAME_MAX = 100


class Engine:
    """What TensorRT has built for a model on this machine, or will build.

    Args:
        model: The ONNX file.
        runtime: Version of ONNX Runtime.

    Attributes:
        made_of: What it depends on, by name.
        folder: Where it is kept.
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
        """Whether it was built to its end."""
        return (self.folder / COMPLETE).is_file()

    def prepare(self) -> None:
        """Makes an empty folder for a build."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def complete(self) -> None:
        """Notes that it was built to its end."""
        write_whole(self.folder / COMPLETE, json.dumps(self.made_of, indent=1).encode())


def _cache() -> Path:
    """What `BRAKEPOINT_ENGINE_CACHE` says, or else the user's cache."""
    said = os.environ.get(VARIABLE)
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(said) if said else user / "brakepoint" / "engines"


@cache
def tensorrt_version() -> str:
    """Of the library on this machine, for instance `10.3.0`: it says so itself, and needs no package."""
    name = ctypes.util.find_library("nvinfer")
    try:
        number = int(ctypes.CDLL(name or "libnvinfer.so.10").getInferLibVersion())
    except (OSError, AttributeError):
        return UNKNOWN
    scale = 10_000 if number >= 100_000 else 1000  # 8.6.1 is 8601, 10.3.0 is 100300.
    return f"{number // scale}.{number % scale // 100}.{number % 100}"


@cache
def gpu_name() -> str:
    """Of the first graphics processor, with its compute capability, for instance `Orin 8.7`."""
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
