"""The work of the pipeline's components.

Each component reads and fills Kubeflow's artefacts. An artefact has a `path`, a file or folder to create, and
`metadata`, which is passed along.
"""

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brakepoint.detector import Detector
from brakepoint.errors import UserError
from brakepoint.files import write_whole
from brakepoint.models import BASE_CHECKPOINT, BASE_MODEL
from brakepoint.pipeline.comparison import COMPARISON_FILE, ProductionComparison, read_comparison
from brakepoint.pipeline.fingerprints import code_fingerprint, folder_fingerprint
from brakepoint.pipeline.judge import ask
from brakepoint.registry.bucket import Registry
from brakepoint.steps import load_step
from brakepoint.store import object_store
from brakepoint.worlds import World

if TYPE_CHECKING:
    from brakepoint.registry.version import Version

ROAD_PICTURES, ROAD_SEED = 60, 999
"""Number of road pictures for evaluation, and their seed; road pictures for training have later seeds."""
MODEL_FILE = "model.onnx"
Artefact = Any
"""An artefact of kfp: `Dataset`, `Model`, `Metrics`, `HTML`."""


def dataset(stills: Artefact) -> None:
    """Step 1: downloads the stills, labels them, and splits them into `train/` and `val/`."""
    from brakepoint.store.building import build_dataset
    from brakepoint.store.content import STILLS_PREFIX
    from brakepoint.store.fetching import fetch_content

    step, out = load_step("step1_dataset"), Path(stills.path)
    with tempfile.TemporaryDirectory() as folder:
        with object_store() as store:
            fetch_content(store, step, Path(folder), lambda done, total: None)
        built = build_dataset(Path(folder) / STILLS_PREFIX, step, out)
    stills.metadata.update(
        training=built.training, validation=built.validation, fingerprint=folder_fingerprint(out)
    )


def synthetic(pictures: int, seed: int, track: Artefact, road: Artefact) -> None:
    """Step 2: paints pictures of the track for training, and of roads for evaluation."""
    _paint(World.TRACK, pictures, seed, Path(track.path))
    _paint(World.ROAD, ROAD_PICTURES, ROAD_SEED, Path(road.path))
    for artefact, count in ((track, pictures), (road, ROAD_PICTURES)):
        artefact.metadata.update(pictures=count, fingerprint=folder_fingerprint(Path(artefact.path)))


def training(epochs: int, seed: int, stills: Artefact, track: Artefact, model: Artefact) -> None:
    """Step 3: fine-tunes the base model, and exports the result.

    The training data are the stills, the pictures of the track, and the step's share of road pictures. The
    fingerprint stored in the model is that of the code that runs here: the submitter of the pipeline may
    have a different version.
    """
    from brakepoint.training.fine_tuning import learn

    step, folder = load_step("step3_training"), Path(stills.path)
    with tempfile.TemporaryDirectory() as scratch:
        # A folder's name becomes part of the names of its crops.
        data = [_renamed(Path(track.path), Path(scratch) / "track"), folder / "train"]
        roads = step.road_pictures(sum(len(list((each / "images").iterdir())) for each in data))
        _paint(World.ROAD, roads, ROAD_SEED + 1 + seed, Path(scratch) / "roads")
        data.append(Path(scratch) / "roads")
        recipe = step.Recipe(epochs=epochs, seed=seed)
        trained = learn(step, data, [folder / "val"], Path(scratch) / "run", BASE_CHECKPOINT, recipe)
        Path(model.path).mkdir(parents=True, exist_ok=True)
        shutil.copy2(trained.model, Path(model.path) / MODEL_FILE)
    data_fingerprint = f"{stills.metadata['fingerprint'][:32]}{track.metadata['fingerprint'][:32]}"
    model.metadata.update(epochs=epochs, data=data_fingerprint, code=code_fingerprint("training"))


def comparison(
    model: Artefact, stills: Artefact, road: Artefact, metrics: Artefact, report: Artefact, result: Artefact
) -> None:
    """Evaluates the new model and the one in production, or else the base model, on the same pictures."""
    from brakepoint.evaluation.compare import compare

    out, new = Path(result.path), Detector(Path(model.path) / MODEL_FILE)
    worlds = {World.TRACK: Path(stills.path) / "val", World.ROAD: Path(road.path)}
    with object_store() as store, tempfile.TemporaryDirectory() as folder:
        registry = Registry(store)
        number = registry.production().number
        old = Detector(registry.fetch(number, Path(folder)) if number else BASE_MODEL)
        compared = compare(old, new, worlds, out, new.confidence)
    found = ProductionComparison.of(compared, number)
    for world, value in found.new.items():
        metrics.log_metric(f"{world}_map50", value)
    write_whole(Path(report.path), found.as_html(compared.pictures).encode())
    write_whole(out / COMPARISON_FILE, found.model_dump_json(indent=2).encode())


def gate(least: float, tolerance: float, result: Artefact) -> None:
    """Accepts a model, or ends the pipeline.

    Raises:
        UserError: The model is rejected; the message explains why.
    """
    reasons = ask(Path(result.path), least, tolerance)
    if reasons:
        raise UserError("pipeline.refused", reasons=" ".join(reasons))


def publish(model: Artefact, result: Artefact) -> "Version":
    """Adds the model to the registry and puts it into production, by changing the pointer last."""
    found = read_comparison(Path(result.path))
    with object_store() as store:
        registry = Registry(store)
        version = registry.publish(
            Path(model.path) / MODEL_FILE, found.new, model.metadata["data"], model.metadata["code"]
        )
        registry.promote(version.number)
    return version


def _paint(world: World, count: int, seed: int, out: Path) -> None:
    from brakepoint.synthesis.cutouts import SHIPPED_CUTOUTS, load_cutouts
    from brakepoint.synthesis.engine import synthesise
    from brakepoint.synthesis.materials import Materials

    materials = Materials(world, cutouts=load_cutouts(SHIPPED_CUTOUTS))
    synthesise(out, count, seed, materials, 1, load_step("step2_synthetic"), quiet=True)


def _renamed(folder: Path, name: Path) -> Path:
    name.symlink_to(folder.resolve(), target_is_directory=True)
    return name
