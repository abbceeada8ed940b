"""The layer between the endpoint and the detector."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from brakepoint.detector import Detector
from brakepoint.messages import Detection

OUTPUT = "output0"
"""Name of the network's output, as ultralytics exports it."""
WARM_UP_CALLS = 3
Result = TypeVar("Result")


class Served:
    """A version that is being served.

    Args:
        detector: The version's detector.
        version: The version's name in responses.

    Attributes:
        version: The version's name in responses.
        input_shape: `[1, 3, height, width]`.
        output_shape: Shape of the network's output.
        output_name: Name of the network's output.
    """

    def __init__(self, detector: Detector, version: str) -> None:
        width, height = detector.input_size_px
        self._detector, self.version, self.output_name = detector, version, OUTPUT
        self.input_shape = [1, 3, height, width]
        self.output_shape = list(self.infer(np.zeros(self.input_shape, np.float32)).shape)

    def infer(self, tensor: np.ndarray) -> np.ndarray:
        """Runs only the network; the caller may keep the result."""
        return self._detector.runtime.infer(np.ascontiguousarray(tensor)).copy()

    def detect(self, image: np.ndarray) -> tuple[Detection, ...]:
        """See `Detector.detect_image`."""
        return self._detector.detect_image(image)


class Worker:
    """The only thread that may use a detector; it leaves the server free to listen."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "detector")

    async def run(self, work: Callable[..., Result], *arguments: object) -> Result:
        """Runs a function on the thread; calls run in order."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)


def warm_up(detector: Detector) -> None:
    """Runs a detector a few times, since its first calls are slow."""
    width, height = detector.input_size_px
    for _ in range(WARM_UP_CALLS):
        detector.detect_image(np.zeros((height, width, 3), np.uint8))
