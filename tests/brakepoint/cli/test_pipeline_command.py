"""`brakepoint pipeline run` prints how the run ended; its exit status says whether there is a new model."""

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("kfp")

from brakepoint.cli import model, run
from brakepoint.pipeline import local
from brakepoint.pipeline.comparison import ProductionComparison
from brakepoint.pipeline.local import PipelineOutcome


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")


def test_a_model_that_the_gate_refused_ends_the_command_with_the_reasons_and_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    compared = ProductionComparison(new={"track": 0.7}, production={"track": 0.8}, version=2)
    outcome = PipelineOutcome(compared, tmp_path, refused=("track: 0.700 is less than 0.800",))
    monkeypatch.setattr(local, "run", lambda *_, **__: outcome)

    assert run(["pipeline", "run"]) == 1

    said = capsys.readouterr().out
    assert str(tmp_path) in said
    assert "✗ track: 0.700 is less than 0.800" in said
    assert "production stays as it is" in said


def test_a_model_that_was_published_ends_the_command_with_its_version_and_status_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = SimpleNamespace(production=lambda: SimpleNamespace(number=3))
    monkeypatch.setattr(local, "run", lambda *_, **__: PipelineOutcome(None, None))
    monkeypatch.setattr(model, "open_registry", lambda: nullcontext(registry))

    assert run(["pipeline", "run"]) == 0
    assert "version 3 is in production" in capsys.readouterr().out
