"""Compares networks: width, levels and input size against accuracy and cost: `make networks`.

Every candidate is trained from scratch on the same crops of road pictures, for the same number of epochs, and
then evaluated on whole pictures that it has never seen. The comparison takes half an hour on two cores.
Trained candidates are kept in `runs/networks/`, and the next call reuses them.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.detectors import median_ms
from brakepoint.cli.usage import run_alone
from brakepoint.cores import available_cores
from brakepoint.detector import Detector
from brakepoint.evaluation import evaluate
from brakepoint.steps import load_step
from brakepoint.synthesis.engine import synthesise
from brakepoint.synthesis.materials import Materials
from brakepoint.texts import text
from brakepoint.training import cut_crops, session
from brakepoint.training.fine_tuning import CROPS_A_PICTURE
from brakepoint.training.ultralytics_setup import prepare_ultralytics
from brakepoint.worlds import World

OUT = Path("runs/networks")
SEED, HELD_OUT_SEED = 1, 998
HELD_OUT = 200
EPOCHS = 3
INPUTS = ((480, 640), session.EXPORT_SIZE, (736, 960))
"""Heights and widths at which the shipped network is tested; the other networks only at the shipped size."""


@dataclass(frozen=True)
class Measured:
    """Cost and accuracy of one candidate.

    Attributes:
        network: Name of the network.
        input_size: Width and height of the input.
        parameters: Number of parameters, in thousands.
        training_ms: Processor time per crop, over all cores: loading, forward, backward.
        latency_ms: Median time from a picture of 640×480 to its boxes, on all cores.
        map50: mAP50 on the held-out pictures.
    """

    network: str
    input_size: str
    parameters: str
    training_ms: str
    latency_ms: str
    map50: str


def candidates() -> dict[str, dict[str, Any]]:
    """The shipped architecture and its variants, in ultralytics' format."""
    shipped = yaml.safe_load(session.ARCHITECTURE.read_text(encoding="utf-8"))
    *trunk, (_, *detect) = shipped["head"]
    coarse = [[-1, 1, "Conv", [512, 3, 2]], [[-1, 9], 1, "Concat", [1]], [-1, 3, "C2f", [1024]]]
    fine = [
        [-1, 1, "nn.Upsample", [None, 2, "nearest"]],
        [[-1, 2], 1, "Concat", [1]],
        [-1, 3, "C2f", [128]],
        [-1, 1, "Conv", [128, 3, 2]],
        [[-1, 15], 1, "Concat", [1]],
        [-1, 3, "C2f", [256]],
        [-1, 1, "Conv", [256, 3, 2]],
        [[-1, 12], 1, "Concat", [1]],
        [-1, 3, "C2f", [512]],
    ]
    return {
        "shipped": shipped,
        "wider": {**shipped, "scales": {"t": [0.33, 0.1875, 1024]}},
        "coarser": {**shipped, "head": [*trunk, *coarse, [[15, 18, 21], *detect]]},
        "finer": {**shipped, "head": [*trunk[:6], *fine, [[18, 21, 24], *detect]]},
    }


def blank(network: dict[str, Any], folder: Path) -> Path:
    """Saves an untrained network as a checkpoint to start from."""
    prepare_ultralytics()
    from ultralytics import YOLO

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "network.yaml").write_text(yaml.safe_dump(network), encoding="utf-8")
    model = YOLO(str(folder / "network.yaml"), task="detect")
    model.model.names = dict(enumerate(session.NAMES))
    model.save(folder / "start.pt")
    return folder / "start.pt"


def train(network: dict[str, Any], crops: list[Path], folder: Path) -> float:
    """Trains one candidate, unless it is already trained.

    Args:
        network: The network in ultralytics' format.
        crops: Crops for training and validation.
        folder: Folder of this candidate.

    Returns:
        Milliseconds of processor time per crop.
    """
    step, taken = load_step("step3_training", "solutions"), folder / "training_ms.json"
    if not taken.exists():
        shutil.rmtree(folder, ignore_errors=True)  # An interrupted run would be timed from its middle.
        learn, judge = crops
        began = sum(os.times()[:4])
        recipe = step.Recipe(EPOCHS, learning_rate=3e-3, seed=SEED)
        step.train([learn], [judge], folder / "run", blank(network, folder), recipe)
        spent_s = sum(os.times()[:4]) - began
        seen = EPOCHS * len(list((learn / "images").iterdir()))
        taken.write_text(json.dumps(1000 * spent_s / seen), encoding="utf-8")
    return float(json.loads(taken.read_text(encoding="utf-8")))


def measure(name: str, training_ms: float, held_out: Path, folder: Path) -> Iterator[Measured]:
    """Tests a trained candidate on whole pictures; the shipped one at every size."""
    checkpoint = folder / "run" / "model.pt"
    parameters = sum(weights.numel() for weights in session.open_model(checkpoint).model.parameters())
    for height, width in INPUTS if name == "shipped" else [session.EXPORT_SIZE]:
        model = session.export_onnx(checkpoint, folder / f"{width}.onnx", (height, width))
        detector = Detector(model)
        yield Measured(
            text(f"bench.networks.{name}"),
            f"{width}×{height}",
            f"{parameters / 1000:.0f}",
            f"{training_ms:.0f}",
            f"{median_ms(detector.detect_image):.1f}",
            f"{evaluate(held_out, detector).map50:.3f}",
        )


def main(pictures: Annotated[int, typer.Option(min=64, help="bench.networks.pictures")] = 1500) -> None:
    """Creates the pictures, trains every candidate and prints the table."""
    painter, materials = load_step("step2_synthetic", "solutions"), Materials(World.ROAD)
    data, held_out = OUT / f"pictures-{pictures}", OUT / "held-out"
    synthesise(data, pictures, SEED, materials, available_cores(), painter)
    synthesise(held_out, HELD_OUT, HELD_OUT_SEED, materials, available_cores(), painter)
    crops = [OUT / "crops" / folder.name for folder in (data, held_out)]
    for folder, cut, each in zip((data, held_out), crops, (CROPS_A_PICTURE, 1), strict=True):
        cut_crops(folder, cut, each, SEED)
    table = Table(title=text("bench.networks.title", pictures=pictures, epochs=EPOCHS, held_out=HELD_OUT))
    for column in fields(Measured):
        left = column.name == "network"
        table.add_column(text(f"bench.networks.column.{column.name}"), justify="left" if left else "right")
    for name, network in candidates().items():
        folder = OUT / f"{name}-{pictures}"
        training_ms = train(network, crops, folder)
        for measured in measure(name, training_ms, held_out, folder):
            table.add_row(*astuple(measured))
    Console().print(table)


if __name__ == "__main__":
    sys.exit(run_alone(main, "bench.networks.help", sys.argv[1:]))
