"""Measures the detector and the whole loop on one core and on two: `python -m benchmarks.bench`.

Each number of cores is measured in a separate process, bound to that many cores from the start: thread pools
are created once, for the cores that are available at that moment.
"""

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.brokers import brokers
from benchmarks.detectors import measure_detectors
from benchmarks.live import LiveMeasurement, measure_live
from benchmarks.live_compare import OneAtATime, measure_both
from benchmarks.live_trains import Served, measure_trains
from benchmarks.serving import TIMES, measure_rollback, measure_serving
from benchmarks.serving import as_table as serving_table
from benchmarks.stages import measure_stages
from brakepoint.cli.usage import run_alone
from brakepoint.cores import available_cores
from brakepoint.detector import SHIPPED_MODEL, Detector
from brakepoint.messages import Detections, Frame
from brakepoint.texts import text

CORES = (1, 2)
TRAINS = "1,5,10,20"
REPLICAS = 2
TRAINS_S = 8.0
FRAMES = 300
"""Number of frames in the comparison, in which they are sent one at a time."""


@dataclass(frozen=True)
class Measurement:
    """The results with one number of cores.

    Attributes:
        detector_median_ms: Median duration of a call of `Detector.detect`.
        detector_p95_ms: 95th percentile of these durations.
        loop_frames_per_s: Frames per second of camera, detector, autopilot and hub on the virtual clock.
        times_real_time: Seconds of the virtual clock per second of real time.
        peak_memory_mb: Peak memory of the process that runs the loop.
    """

    detector_median_ms: float
    detector_p95_ms: float
    loop_frames_per_s: float
    times_real_time: float
    peak_memory_mb: float


class TimedDetector:
    """Records how long each call of a detector takes."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.calls_ms: list[float] = []

    def detect(self, frame: Frame) -> Detections:
        """See `Detector.detect`."""
        started_at = time.perf_counter()
        detections = self._detector.detect(frame)
        self.calls_ms.append(1000 * (time.perf_counter() - started_at))
        return detections


def measure(feed: str, model: Path, cores: int) -> Measurement:
    """Drives a feed once; this process stays bound to that many cores.

    Args:
        feed: Name of the feed, or path to an mp4.
        model: The detector's model.
        cores: Number of cores, at least one.

    Raises:
        UserError: The feed or the model is missing or invalid.
    """
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    import cv2

    from brakepoint.feeds import find_feed
    from brakepoint.mission.loop import run_mission
    from brakepoint.steps import load_step
    from brakepoint.truth import load_truth
    from stubs.printing_hub import PrintingHub
    from stubs.recorded_camera import RecordedCamera

    cv2.setNumThreads(cores)
    video = find_feed(feed)
    truth = load_truth(video.with_suffix(".json"))
    detector = TimedDetector(Detector(model, threads=cores))
    camera, hub = RecordedCamera(video, truth), PrintingHub(out=None)
    step = load_step("step6_autopilot").step
    started_at = time.perf_counter()
    run = run_mission(camera, hub, detector, step, truth)
    elapsed_s = time.perf_counter() - started_at
    camera.close()
    return Measurement(
        detector_median_ms=median(detector.calls_ms),
        detector_p95_ms=quantiles(detector.calls_ms, n=20)[-1],
        loop_frames_per_s=len(run.ticks) / elapsed_s,
        times_real_time=run.ticks[-1].time_s / elapsed_s,
        peak_memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def measure_apart(feed: str, model: Path, cores: int) -> Measurement:
    """Calls `measure` in a separate process."""
    command = [sys.executable, "-m", "benchmarks.bench", "--feed", feed, "--detector", str(model)]
    done = subprocess.run([*command, "--measure", str(cores)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)
    return Measurement(**json.loads(done.stdout))


def as_table(measurements: dict[int, Measurement], feed: str) -> Table:
    """Formats the measurements as a table: a column for each number of cores."""
    table = Table(title=text("bench.title", feed=feed))
    table.add_column("")
    for cores in measurements:
        table.add_column(text("bench.cores", cores=cores), justify="right")
    for name, digits in (
        ("detector_median_ms", 1),
        ("detector_p95_ms", 1),
        ("loop_frames_per_s", 0),
        ("times_real_time", 1),
        ("peak_memory_mb", 0),
    ):
        figures = (f"{getattr(measurement, name):.{digits}f}" for measurement in measurements.values())
        table.add_row(text(f"bench.{name}"), *figures)
    return table


def detectors_table(medians_ms: dict[str, float]) -> Table:
    """Formats our detector's times beside those of the public workshop's detector, with their ratio."""
    table = Table(title=text("bench.detectors.title", cores=available_cores()))
    for column in ("", text("bench.detector_median_ms"), text("bench.detectors.share")):
        table.add_column(column, justify="right" if column else "left")
    for name, median_ms in medians_ms.items():
        share = f"{median_ms / medians_ms['yolov8n']:.2f}"
        table.add_row(text(f"bench.detectors.{name}"), f"{median_ms:.1f}", share)
    return table


def live_table(live: LiveMeasurement, feed: str) -> Table:
    """Formats the results of the live services as a table."""
    table = Table(title=text("bench.live_title", feed=feed))
    table.add_column("")
    table.add_column("", justify="right")
    for name, value in asdict(live).items():
        table.add_row(text(f"bench.live_{name}"), f"{value:.1f}")
    return table


def compare_table(found: dict[str, OneAtATime], broker: str) -> Table:
    """Formats our services' results on a broker next to the public workshop's, with the ratio of the two."""
    table = Table(title=text("bench.compare.title", cores=available_cores(), broker=broker))
    table.add_column("")
    for name in (*found, "times"):
        table.add_column(text(f"bench.compare.{name}"), justify="right")
    ours, theirs = (asdict(found[name]) for name in ("ours", "workshop"))
    for name in ours:
        better = ours[name] / theirs[name]
        times = better if name == "frames_per_s" else 1 / better
        table.add_row(
            text(f"bench.compare.{name}"), f"{ours[name]:.1f}", f"{theirs[name]:.1f}", f"{times:.1f}"
        )
    return table


def trains_table(served: list[Served], broker: str) -> Table:
    """Formats the results on a broker: a row for each number of trains and of the detector's replicas."""
    table = Table(title=text("bench.trains.title", cores=available_cores(), broker=broker))
    for column in asdict(served[0]):
        table.add_column(text(f"bench.trains.{column}"), justify="right")
    for each in served:
        trains, replicas, *figures = asdict(each).values()
        table.add_row(
            str(trains), str(replicas), *("–" if figure is None else f"{figure:.1f}" for figure in figures)
        )
    return table


def main(
    feed: Annotated[str, typer.Option(help="bench.feed")] = "track-stop",
    model: Annotated[
        Path, typer.Option("--detector", show_default=False, help="bench.model")
    ] = SHIPPED_MODEL,
    int8: Annotated[Path | None, typer.Option(show_default=False, help="bench.int8")] = None,
    live: Annotated[bool, typer.Option(help="bench.live")] = True,
    trains: Annotated[str, typer.Option(help="bench.trains.option")] = TRAINS,
    replicas: Annotated[int, typer.Option(help="bench.trains.replicas_option")] = REPLICAS,
    measure_cores: Annotated[int, typer.Option("--measure", hidden=True)] = 0,
) -> None:
    """Prints the table; with the hidden option, measures in this process and prints JSON."""
    if measure_cores:
        typer.echo(json.dumps(asdict(measure(feed, model, measure_cores))))
        return
    available = available_cores()
    console = Console()
    with console.status(text("bench.measuring")):
        measurements = {cores: measure_apart(feed, model, cores) for cores in CORES if cores <= available}
    console.print(as_table(measurements, feed))
    with console.status(text("bench.measuring")):
        detectors = measure_detectors(model, int8)
    console.print(detectors_table(detectors))
    if live:
        with console.status(text("bench.measuring")):
            together = measure_live(feed, str(model))
            counts = [(int(many), 1) for many in trains.split(",")]
            counts += [(max(counts)[0], replicas)] * (replicas > 1)
            with brokers() as urls:
                compared = {name: measure_both(feed, str(model), FRAMES, url) for name, url in urls.items()}
                served = {
                    name: [measure_trains(feed, str(model), many, TRAINS_S, of, url) for many, of in counts]
                    for name, url in urls.items()
                }
            asked, rollback_s = measure_serving(feed, model, TIMES), measure_rollback(model)
        console.print(live_table(together, feed))
        for broker, found in compared.items():
            console.print(compare_table(found, broker))
        for broker, each in served.items():
            console.print(trains_table(each, broker))
        console.print(serving_table(asked, rollback_s))
        for table in measure_stages(feed, model):
            console.print(table)


if __name__ == "__main__":
    sys.exit(run_alone(main, "bench.help", sys.argv[1:]))
