"""Where the time goes, stage by stage: in a live frame, in a mission, in a training run.

`make bench` shows these tables, too; to get only these:
python -m benchmarks.stages [--feed FEED] [--detector MODEL.onnx]
"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from unittest import mock

import cv2
import typer
from rich.console import Console
from rich.table import Table

import brakepoint.detector
from benchmarks.load import load_table, measure_load
from benchmarks.processes import processor_s
from benchmarks.stopwatch import Spent, Stopwatch, stages_table
from brakepoint.cli.mission import make_report
from brakepoint.cli.usage import run_alone
from brakepoint.detector import SHIPPED_MODEL, Detector
from brakepoint.detector.letterbox import Letterbox
from brakepoint.feeds import feed_names, find_feed
from brakepoint.messages import Action, Control
from brakepoint.mission import drive, film, loop
from brakepoint.mission.page import render_page
from brakepoint.models import BASE_CHECKPOINT
from brakepoint.services import ServiceSettings, address
from brakepoint.services.autopilot import Autopilot
from brakepoint.services.bus import Bus
from brakepoint.services.capture import Capture
from brakepoint.services.clock import CLOCK
from brakepoint.services.controller import Controller
from brakepoint.services.detector import Detecting
from brakepoint.services.link import Link
from brakepoint.services.service_loop import Pace
from brakepoint.services.supervisor import Supervisor
from brakepoint.services.topics import CONTROL, DETECTIONS, FRAME, MISSION, ORDER, STATE
from brakepoint.steps import load_step
from brakepoint.synthesis.engine import synthesise
from brakepoint.synthesis.materials import Materials
from brakepoint.texts import text
from brakepoint.training import cut_crops, session
from brakepoint.training.fine_tuning import CROPS_A_PICTURE
from brakepoint.training.ultralytics_setup import prepare_ultralytics
from stubs.recorded_camera import RecordedCamera

WARM_UP, FRAMES = 10, 200
LOOK_EVERY_S = 0.05
PICTURES, HELD_OUT = 64, 16
"""Number of pictures to train on and to validate with: a small share of the workshop's pictures."""
CAPTURE, DETECTOR = ("read", "noise", "encode"), ("decode", "letterbox", "network", "boxes")
OF_FRAME = (*CAPTURE, "publish", "broker", "receive", *DETECTOR, "autopilot", "order", "link")
OF_MISSION = ("model", "loop", "camera", "detector", "oracle", "film", "drawing", "page")
LEARNING = ("loading", "forward", "backward", "optimizer", "validation")
OF_TRAINING = ("painting", "crops", "beside", *LEARNING, "export")
"""The stages of a live frame, a mission and a training run, in their order."""


def live_stages(feed: str, model: str, frames: int) -> dict[str, Spent]:
    """Passes frames through the services' own code, one at a time.

    Camera, detector, autopilot and controller are all in this process; broker and train each have their own.

    Args:
        feed: Name of the feed, or path to an mp4.
        model: The detector's model.
        frames: Number of frames.
    """
    watch = Stopwatch()
    with ExitStack() as opened:
        services = opened.enter_context(Supervisor(ServiceSettings(), (), lambda *_: None))
        link = opened.enter_context(_train(services))

        def join(service: str, *topics: Any) -> Bus:
            return opened.enter_context(Bus(services.settings, service, topics))

        eyes = Detector(model, half=True)
        controller = Controller(join("controller", CONTROL, MISSION, ORDER), link, feed)
        opened.enter_context(closing(controller))
        camera = opened.enter_context(closing(Capture(join("capture", MISSION, STATE), feed, True)))
        detecting = Detecting(join("detector", FRAME, MISSION), eyes, feed, threading.Lock())
        step = watch.timed(load_step("step6_autopilot", "solutions").step, "autopilot")
        autopilot = Autopilot(join("autopilot", DETECTIONS, MISSION, STATE), step)
        controller.control(Control(action=Action.START, feed=feed, at=CLOCK.now()))
        opened.enter_context(mock.patch.object(Pace, "wait"))

        def walk(frames: int) -> None:
            for _ in range(frames):
                for service in (camera, detecting, autopilot, controller):
                    service.turn()

        walk(WARM_UP)
        watch.spent.clear()
        began_s = processor_s(services.pid("broker"))
        with watch.watching(
            (RecordedCamera, "read", "read"),
            (RecordedCamera, "_noisy", "noise"),
            (cv2, "imencode", "encode"),
            (Bus, "say", "publish"),
            (Bus, "take", "broker"),
            (Bus, "has", "broker"),
            (cv2, "imdecode", "decode"),
            (Letterbox, "apply", "letterbox"),
            (brakepoint.detector, "fill_tensor", "letterbox"),
            (eyes.runtime, "infer", "network"),
            (eyes, "detect", "boxes"),
            (autopilot, "turn", "order"),
            (link, "send", "link"),
        ):
            walk(frames)
        spent = watch.spent
        # While this process waits for the broker, the threads of its own connections receive messages.
        spent["receive"] = Spent(None, spent["broker"].processor_s)
        spent["broker"].processor_s = processor_s(services.pid("broker")) - began_s
    return {stage: spent[stage] for stage in OF_FRAME}


@contextmanager
def _train(services: Supervisor) -> Iterator[Link]:
    """A train in its own process, and the link to this train."""
    command, environment = services.launch("train")
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        link = Link(*address(services.settings.link))
        while link.take() is None:
            time.sleep(LOOK_EVERY_S)
        yield link
    finally:
        process.terminate()
        process.wait()


def mission_stages(model: str) -> dict[str, Spent]:
    """Drives every feed as `brakepoint mission` does, but one after another in this process."""
    watch = Stopwatch()
    with TemporaryDirectory() as folder:
        feeds = [drive.Assignment(find_feed(name), "solutions", model, Path(folder)) for name in feed_names()]
        with watch.watching(
            (drive, "drive", "loop"),
            (drive, "_detector", "model"),
            (RecordedCamera, "read", "camera"),
            (Detector, "detect", "detector"),
            (loop, "oracle_run", "oracle"),
            (film, "make_film", "film"),
            (film.Artist, "frame", "drawing"),
        ):
            finished = [drive.drive(feed, lambda _: None) for feed in feeds]
        with watch.stage("page"):
            render_page(
                make_report("solutions", model, finished), [run.recording for run in finished], stills={}
            )
    return {stage: watch.spent[stage] for stage in OF_MISSION if stage in watch.spent}


def training_stages() -> dict[str, Spent]:
    """Paints pictures, fine-tunes the base model on them for one epoch, and exports it, in this process."""
    prepare_ultralytics()  # This must come before the imports: otherwise ultralytics would print messages.
    import torch
    from ultralytics.data.dataset import YOLODataset
    from ultralytics.models.yolo.detect import DetectionTrainer
    from ultralytics.nn.tasks import DetectionModel

    watch, materials = Stopwatch(), Materials()
    painter, step = load_step("step2_synthetic", "solutions"), load_step("step3_training", "solutions")
    with TemporaryDirectory() as kept, ExitStack() as opened:
        out = Path(kept)
        with watch.stage("painting"):
            synthesise(out / "pictures", PICTURES, 0, materials, 1, painter, quiet=True)
            synthesise(out / "held-out", HELD_OUT, 1, materials, 1, painter, quiet=True)
        with watch.stage("crops"):
            cut_crops(out / "pictures", out / "train", CROPS_A_PICTURE, 0, quiet=True)
            cut_crops(out / "held-out", out / "val", 1, 0, quiet=True)
        # Otherwise other processes would load the crops, and their time would not be measured here.
        opened.enter_context(mock.patch.object(session, "can_share", lambda: False))
        opened.enter_context(
            watch.watching(
                (YOLODataset, "__getitem__", "loading"),
                (DetectionModel, "loss", "forward"),
                (torch.Tensor, "backward", "backward"),
                (DetectionTrainer, "optimizer_step", "optimizer"),
                (DetectionTrainer, "validate", "validation"),
            )
        )
        with watch.stage("beside"):
            checkpoint = step.train(
                [out / "train"], [out / "val"], out / "run", BASE_CHECKPOINT, step.Recipe(epochs=1)
            )
        with watch.stage("export"):
            step.export(checkpoint, out / "model.onnx")
    return {stage: watch.spent[stage] for stage in OF_TRAINING}


def measure_stages(feed: str, model: Path) -> Iterator[Table]:
    """Measures everything, and yields a table for each subject."""
    live = live_stages(feed, str(model), FRAMES)
    yield stages_table(text("bench.stages.of_frame", feed=feed), live, FRAMES)
    loads = {page: measure_load(feed, str(model), page) for page in (False, True)}
    yield load_table(loads)
    yield stages_table(text("bench.stages.of_mission", feeds=len(feed_names())), mission_stages(str(model)))
    title = text("bench.stages.of_training", pictures=PICTURES, held_out=HELD_OUT)
    yield stages_table(title, training_stages())


def main(
    feed: Annotated[str, typer.Option(help="bench.feed")] = "track-stop",
    model: Annotated[
        Path, typer.Option("--detector", show_default=False, help="bench.model")
    ] = SHIPPED_MODEL,
) -> None:
    """Prints a table for each subject as soon as the subject is measured."""
    for table in measure_stages(feed, model):
        Console().print(table)


if __name__ == "__main__":
    sys.exit(run_alone(main, "bench.stages.help", sys.argv[1:]))
