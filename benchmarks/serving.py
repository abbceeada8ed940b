"""Measures the time of requests to a model, local and remote: `python -m benchmarks.serving`.

The ways of calling it take turns, repeatedly, so that a temporarily busy machine slows down all of them.
"""

import base64
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median, quantiles
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import cv2
import httpx
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.pictures import AT_REST
from brakepoint.cli.usage import run_alone
from brakepoint.detector import SHIPPED_MODEL, Detector
from brakepoint.detector.remote import RemoteRuntime
from brakepoint.feeds import find_feed
from brakepoint.registry.bucket import Registry
from brakepoint.serving import JPEG_MODEL, PICTURE, TENSOR, TENSOR_MODEL
from brakepoint.serving.process import Endpoint, serving
from brakepoint.store import Connection
from brakepoint.store.embedded import EMBEDDED_BUCKET, serve_s3
from brakepoint.texts import text
from brakepoint.truth import load_truth
from stubs.recorded_camera import RecordedCamera

TIMES = 100
WARM_UP = 3
RAW = "raw"
TIMEOUT_S = 60.0
Ask = Callable[[], object]


@dataclass(frozen=True)
class Way:
    """One way of calling a model.

    Attributes:
        median_ms: Median time from the input, a tensor or a JPEG, to the answer as an array.
        p95_ms: 95th percentile of these times.
        added_ms: Difference between this median and the median of the model alone.
        requests_per_s: Sequential requests per second.
    """

    median_ms: float
    p95_ms: float
    added_ms: float
    requests_per_s: float


def measure_serving(feed: str, model: Path, times: int) -> dict[str, Way]:
    """Calls a model for one frame of a feed, this many times in each way.

    Args:
        feed: Name of the feed, or path to an mp4.
        model: The ONNX model.
        times: Number of calls, at least 2.

    Raises:
        UserError: The feed, the model or the extra `serving` is missing.
    """
    with serving(str(model)) as endpoint, httpx.Client(timeout=TIMEOUT_S) as http:
        ways = _ways(endpoint, http, Detector(model), _frame(feed))
        for _ in range(WARM_UP):
            for ask in ways.values():
                ask()
        calls: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(times):
            for name, ask in ways.items():
                started_at = time.perf_counter()
                ask()
                calls[name].append(1000 * (time.perf_counter() - started_at))
    alone_ms = median(calls[RAW])
    return {name: _way(calls_ms, alone_ms) for name, calls_ms in calls.items()}


def measure_rollback(model: Path) -> float:
    """Seconds from a rollback until an endpoint that follows a bucket serves the old version.

    Args:
        model: The model used for both versions.

    Raises:
        UserError: The model or the extra `serving` is missing.
    """
    with TemporaryDirectory() as folder, serve_s3(Path(folder)) as (address, key, secret):
        registry = Registry(Connection(address, EMBEDDED_BUCKET, key, secret))
        for _ in range(2):
            registry.promote(registry.publish(model).number)
        variables = {
            "AWS_S3_ENDPOINT": address,
            "AWS_S3_BUCKET": EMBEDDED_BUCKET,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
        }
        with serving("s3://", **variables) as endpoint, httpx.Client(timeout=TIMEOUT_S) as http:
            jpeg = cv2.imencode(".jpg", np.zeros((480, 640, 3), np.uint8))[1].tobytes()
            started_at = time.perf_counter()
            registry.rollback()
            while _ask_jpeg(endpoint, http, jpeg)["model_version"] != "1":
                pass
            return time.perf_counter() - started_at


def _ways(endpoint: Endpoint, http: httpx.Client, detector: Detector, image: np.ndarray) -> dict[str, Ask]:
    width, height = detector.input_size_px
    planes = cv2.resize(image, (width, height))[..., ::-1].transpose(2, 0, 1)[None]
    tensor = np.ascontiguousarray(planes, np.float32) / 255
    jpeg = cv2.imencode(".jpg", image)[1].tobytes()
    grpc, binary = RemoteRuntime(f"grpc://{endpoint.grpc}"), RemoteRuntime(f"http://{endpoint.rest}")
    return {
        RAW: lambda: detector.runtime.infer(tensor),
        "grpc": lambda: grpc.infer(tensor),
        "binary": lambda: binary.infer(tensor),
        "json": lambda: _ask_json(endpoint, http, tensor),
        "jpeg": lambda: _ask_jpeg(endpoint, http, jpeg),
    }


def _ask_json(endpoint: Endpoint, http: httpx.Client, tensor: np.ndarray) -> np.ndarray:
    """Sends every number as text."""
    numbers = {"name": TENSOR, "shape": tensor.shape, "datatype": "FP32", "data": tensor.ravel().tolist()}
    output = _post(endpoint, http, TENSOR_MODEL, numbers)["outputs"][0]
    return np.array(output["data"], np.float32).reshape(output["shape"])


def _ask_jpeg(endpoint: Endpoint, http: httpx.Client, jpeg: bytes) -> dict[str, Any]:
    data = [base64.b64encode(jpeg).decode()]
    return _post(
        endpoint, http, JPEG_MODEL, {"name": PICTURE, "shape": [1], "datatype": "BYTES", "data": data}
    )


def _post(endpoint: Endpoint, http: httpx.Client, model: str, field: dict[str, Any]) -> dict[str, Any]:
    answer = http.post(
        f"http://{endpoint.rest}/v2/models/{model}/infer",
        content=json.dumps({"inputs": [field]}),
        headers={"Content-Type": "application/json"},
    )
    return dict(answer.raise_for_status().json())


def _frame(feed: str) -> np.ndarray:
    """The first frame of a feed."""
    video = find_feed(feed)
    with closing(RecordedCamera(video, load_truth(video.with_suffix(".json")))) as camera:
        return camera.read(AT_REST).image


def _way(calls_ms: list[float], alone_ms: float) -> Way:
    middle_ms = median(calls_ms)
    return Way(
        median_ms=middle_ms,
        p95_ms=quantiles(calls_ms, n=20)[-1],
        added_ms=middle_ms - alone_ms,
        requests_per_s=1000 / fmean(calls_ms),
    )


def as_table(ways: dict[str, Way], rollback_s: float) -> Table:
    """Formats a table with a row for each way of calling the model."""
    cores = len(os.sched_getaffinity(0))
    table = Table(
        title=text("bench.serving.title", cores=cores),
        caption=text("bench.serving.rollback", seconds=f"{rollback_s:.1f}"),
    )
    table.add_column("")
    for column in asdict(ways[RAW]):
        table.add_column(text(f"bench.serving.{column}"), justify="right")
    for name, way in ways.items():
        table.add_row(
            text(f"bench.serving.way.{name}"), *(f"{figure:.1f}" for figure in asdict(way).values())
        )
    return table


def main(
    feed: Annotated[str, typer.Option(help="bench.feed")] = "track-stop",
    model: Annotated[
        Path, typer.Option("--detector", show_default=False, help="bench.model")
    ] = SHIPPED_MODEL,
    times: Annotated[int, typer.Option(min=2, help="bench.serving.times")] = TIMES,
) -> None:
    """Measures, and prints the table."""
    console = Console()
    with console.status(text("bench.measuring")):
        table = as_table(measure_serving(feed, model, times), measure_rollback(model))
    console.print(table)


if __name__ == "__main__":
    sys.exit(run_alone(main, "bench.serving.help", sys.argv[1:]))
