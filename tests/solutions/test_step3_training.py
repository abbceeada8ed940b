"""Step 3: what is rejected before torch is loaded, and, if torch is installed, a tiny training run."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import solutions.step2_synthetic as step2
import solutions.step3_training as step3
from brakepoint.detector import Detector
from brakepoint.errors import UserError
from brakepoint.models import BASE_CHECKPOINT
from brakepoint.synthesis import Materials
from brakepoint.synthesis.engine import synthesise
from brakepoint.training import cut_crops
from solutions.step3_training import Recipe, export, train

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("ultralytics") is None, reason="torch and ultralytics are not installed"
)


def crops(root: Path, count: int = 6) -> Path:
    synthesise(root / "pictures", count, 1, Materials(), 1, step2, quiet=True)
    cut_crops(root / "pictures", root / "crops", 2, 0, quiet=True)
    return root / "crops"


def test_no_crop_is_mirrored_pieced_together_or_wiped_out_and_the_rest_varies_a_little() -> None:
    """A mirrored sign is another one, and half a sign none."""
    off = {name for name, strength in step3.AUGMENTATION.items() if strength == 0}

    assert off == {"mosaic", "fliplr", "erasing"}
    assert all(0 <= strength <= 0.2 for strength in step3.AUGMENTATION.values())


def test_an_empty_dataset_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        train([tmp_path], [tmp_path], tmp_path / "run")
    assert refused.value.key == "training.dataset_empty"


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    data = crops(tmp_path, 2)
    with pytest.raises(UserError) as refused:
        train([data], [data], tmp_path / "run", start=tmp_path / "none.pt")
    assert refused.value.key == "training.checkpoint_missing"


@needs_torch
def test_a_broken_checkpoint_is_named(tmp_path: Path) -> None:
    data = crops(tmp_path, 2)
    (tmp_path / "broken.pt").write_bytes(b"no checkpoint")
    with pytest.raises(UserError) as refused:
        train([data], [data], tmp_path / "run", start=tmp_path / "broken.pt")
    assert refused.value.key == "training.checkpoint_broken"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return crops(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def checkpoint(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train([data], [data], tmp_path_factory.mktemp("trained"), recipe=Recipe(epochs=1, batch=4))


@needs_torch
def test_a_training_run_ends_in_a_model_that_the_train_can_run(
    checkpoint: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    model = export(checkpoint, tmp_path / "model.onnx")
    detector = Detector(model)
    assert detector.input_size_px == (800, 608)
    assert detector.runtime.takes_smaller
    assert [file.name for file in checkpoint.parent.glob("*.onnx")] == []
    provenance = json.loads(detector.runtime.metadata["provenance"])
    assert (provenance["epochs"], provenance["seed"], provenance["imgsz"]) == (1, 0, 256)
    assert str(tmp_path_factory.getbasetemp()).encode() not in model.read_bytes()


@needs_torch
def test_the_model_is_that_of_the_last_epoch_whichever_scored_best(
    data: Path, tmp_path: Path, monkeypatch
) -> None:
    stripped = []
    monkeypatch.setattr(step3, "strip_checkpoint", lambda source, target: stripped.append(source.name))

    train([data], [data], tmp_path / "run", recipe=Recipe(epochs=1, batch=4))

    assert stripped == ["last.pt"]


@needs_torch
def test_an_interrupted_training_run_continues_after_its_last_epoch(
    data: Path,
    checkpoint: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch,
) -> None:
    def interrupt(scores: list[float], patience: int) -> bool:
        raise KeyboardInterrupt

    run, recipe = tmp_path / "run", Recipe(epochs=2, batch=4)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(step3, "should_stop", interrupt)
        train([data], [data], run, checkpoint, recipe)
    first = (run / "results.csv").read_text().splitlines()
    finished = train([data], [data], run, checkpoint, recipe)
    both = (run / "results.csv").read_text().splitlines()
    assert (len(first), len(both)) == (2, 3)
    assert both[:2] == first
    assert str(tmp_path_factory.getbasetemp()).encode() not in finished.read_bytes()


@needs_torch
def test_a_training_run_that_continues_is_as_quiet_as_one_that_begins(tmp_path: Path) -> None:
    """Looking into its last checkpoint imports ultralytics, which reads its settings then and never again."""
    (tmp_path / "weights").mkdir()
    shutil.copy(BASE_CHECKPOINT, tmp_path / "weights" / "last.pt")
    look = f"""
from pathlib import Path
from brakepoint.training import unfinished
unfinished(Path({str(tmp_path)!r}))
from ultralytics.utils import ONLINE, VERBOSE
print(VERBOSE, ONLINE)
"""
    said = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True)

    assert said.stdout == "False False\n", said.stderr
