"""`brakepoint cluster doctor` prints what it found; its exit status says whether anything must be done."""

from types import SimpleNamespace

import pytest

pytest.importorskip("kfp")

from brakepoint.cli import run
from brakepoint.cluster import health, kit
from brakepoint.cluster.health import Answer


@pytest.mark.parametrize(
    ("answers", "status", "said"),
    [
        ([Answer("ready")], 0, "✓ ready"),
        ([Answer("absent", "Install it."), Answer("ready")], 1, "✗ absent\n  → Install it.\n✓ ready"),
    ],
)
def test_the_exit_status_is_1_if_anything_must_be_done(
    answers: list[Answer],
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(health, "require_answer", lambda api: None)
    monkeypatch.setattr(health, "examine", lambda *_: answers)
    monkeypatch.setattr(kit, "collect", lambda *_: SimpleNamespace(pods=[]))

    assert run(["cluster", "doctor"]) == status
    assert capsys.readouterr().out.startswith(said)
