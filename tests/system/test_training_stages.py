"""The stages of a training run, which needs PyTorch."""

from pathlib import Path

import pytest

from benchmarks import stages


def test_every_stage_of_a_training_run_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(stages, "PICTURES", 4)
    monkeypatch.setattr(stages, "HELD_OUT", 2)
    spent = stages.training_stages()

    assert tuple(spent) == stages.OF_TRAINING
    assert all(each.wall_s and each.processor_s > 0 for each in spent.values())
