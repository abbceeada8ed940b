"""A complete training run, with a step that only records its arguments."""

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from brakepoint.cli import run
from brakepoint.errors import UserError
from brakepoint.training import fine_tuning


def dataset(root: Path, grey: int) -> Path:
    """One picture of uniform grey, without signs."""
    (root / "images").mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(root / "images" / "a.jpg"), np.full((480, 640, 3), grey, np.uint8))
    (root / "labels").mkdir(exist_ok=True)
    (root / "labels" / "a.txt").touch()
    return root


def learnt(folder: Path, data: list[Path]) -> list[int]:
    """Trains, and returns the brightness of each training crop, by name."""
    seen: list[Path] = []

    def train(datasets: list[Path], *_: object) -> Path:
        seen.extend(file for each in datasets for file in sorted((each / "images").iterdir()))
        return folder / "model.pt"

    step = SimpleNamespace(train=train, export=lambda checkpoint, target: target)
    fine_tuning.learn(step, data, [], folder / "out", None, SimpleNamespace(seed=0))
    return [round(float(np.asarray(cv2.imread(str(file))).mean())) for file in seen]


def test_a_new_training_learns_from_the_pictures_as_they_are_now(tmp_path: Path) -> None:
    data = [dataset(tmp_path / "data", grey=50)]
    assert learnt(tmp_path, data) == [50] * 3

    dataset(tmp_path / "data", grey=200)

    assert learnt(tmp_path, data) == [200] * 3


def test_a_training_run_that_continues_keeps_the_crops_that_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = [dataset(tmp_path / "data", grey=50)]
    learnt(tmp_path, data)
    monkeypatch.setattr(fine_tuning, "unfinished", lambda run: run / "weights" / "last.pt")

    dataset(tmp_path / "data", grey=200)

    assert learnt(tmp_path, data) == [50] * 3


def test_an_interrupted_run_is_not_resumed_with_other_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt(tmp_path, [dataset(tmp_path / "here" / "data", grey=50)])
    monkeypatch.setattr(fine_tuning, "unfinished", lambda run: run / "weights" / "last.pt")

    with pytest.raises(UserError, match=rf"\(data\).*--out.*{tmp_path / 'out' / 'run'}"):
        learnt(tmp_path, [dataset(tmp_path / "there" / "data", grey=200)])

    again = [tmp_path / "here" / "data"]
    assert learnt(tmp_path, again) == [50] * 3
    (tmp_path / "out" / fine_tuning.SETTINGS_NAME).write_text("[]")
    with pytest.raises(UserError, match=r"data, val, start, seed"):
        learnt(tmp_path, again)
    (tmp_path / "out" / fine_tuning.SETTINGS_NAME).unlink()  # A run of an earlier version has none.
    assert learnt(tmp_path, again) == [50] * 3


def test_a_split_dataset_is_learnt_and_validated_part_by_part(tmp_path: Path) -> None:
    both = tmp_path / "both"
    seen: list[int] = []
    dataset(both / "train", grey=50)
    dataset(both / "val", grey=200)

    def train(*folders: list[Path]) -> Path:
        seen.extend(len(list((each / "images").iterdir())) for some in folders[:2] for each in some)
        seen.extend(
            round(float(np.asarray(cv2.imread(str(file))).mean()))
            for some in folders[:2]
            for file in (some[0] / "images").iterdir()
        )
        return tmp_path / "model.pt"

    step = SimpleNamespace(train=train, export=lambda checkpoint, target: target)
    fine_tuning.learn(step, [both], [both], tmp_path / "out", None, SimpleNamespace(seed=0))

    assert seen == [fine_tuning.CROPS_A_PICTURE, 1, *[50] * fine_tuning.CROPS_A_PICTURE, 200]


@pytest.mark.parametrize("rate", ["0", "-0.001", "nan", "1.1"])
def test_a_learning_rate_with_which_nothing_is_learnt_is_refused(tmp_path: Path, rate: str, capsys) -> None:
    data = str(tmp_path)

    assert run(["train", "--data", data, "--val", data, f"--learning-rate={rate}"]) == 2

    assert "--learning-rate" in capsys.readouterr().err
