"""One picture at a time: our detector in both runtimes, compared with the public workshop's."""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.live_workshop import look
from benchmarks.live_yolov8n import save_model
from brakepoint.cores import available_cores
from brakepoint.detector import Detector
from brakepoint.messages import Frame
from brakepoint.truth import CameraModel

YOLOV8N = Path("runs/bench/yolov8n.onnx")
WARM_UP, PICTURES = 5, 60
SEED = 1


def measure_detectors(model: Path, int8: Path | None = None) -> dict[str, float]:
    """Median milliseconds for a picture of 640×480, from the picture to the boxes.

    Args:
        model: The detector's model.
        int8: The same model quantised to eight bits, from `brakepoint quantise`.

    Returns:
        Times by name. `openvino` and `onnxruntime` are for our model, `openvino_int8` and `onnxruntime_int8`
        for the quantised one. `live` is for a recorded frame as the live train processes it: in half
        precision, and only where signs may be visible. `yolov8n` is for that network at 640×640 with random
        weights in ONNX Runtime, with a loop over its output rows. All use every core.
    """
    import onnxruntime

    if not YOLOV8N.is_file():
        save_model(YOLOV8N)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = available_cores()
    session = onnxruntime.InferenceSession(str(YOLOV8N), options, providers=["CPUExecutionProvider"])
    ways: dict[str, Callable[[np.ndarray], object]] = {
        runtime: Detector(model, runtime=runtime).detect_image for runtime in ("openvino", "onnxruntime")
    }
    if int8:
        ways |= {f"{name}_int8": Detector(int8, runtime=name).detect_image for name in tuple(ways)}
    eyes, signs_from_px = Detector(model, half=True), CameraModel().signs_from_px
    ways["live"] = lambda image: eyes.detect(Frame(0, 0.0, 0.0, image, signs_from_px))
    ways["yolov8n"] = lambda image: look(session, image)
    return {name: median_ms(way) for name, way in ways.items()}


def median_ms(way: Callable[[np.ndarray], object]) -> float:
    """Median duration of a function for a picture of 640×480, in milliseconds."""
    image = np.random.default_rng(SEED).integers(0, 256, (480, 640, 3), np.uint8)
    calls_ms: list[float] = []
    for _ in range(WARM_UP + PICTURES):
        started_at = time.perf_counter()
        way(image)
        calls_ms.append(1000 * (time.perf_counter() - started_at))
    return median(calls_ms[WARM_UP:])
