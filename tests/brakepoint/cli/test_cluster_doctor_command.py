"""`brakepoint cluster doctor` prints what it found; its exit status says whether anything must be done."""

from types import SimpleNamespace

import pytest

pytest.importorskip("kfp")

from brakepoint.cli import run
from brakepoint.cluster import health, kit
from brakepoint.cluster.health import Answer
from brakepoint.texts import text


@pytest.mark.parametrize(
    ("answers", "status", "said"),
    [
        ([Answer("ready")], 0, ["✓ ready", text("cluster.doctor.well", "en")]),
        (
            [Answer("absent", "Install it."), Answer("ready")],
            1,
            ["✗ absent", "  → Install it.", "✓ ready", text("cluster.doctor.summary", "en", count=1)],
        ),
    ],
)
def test_the_exit_status_is_1_if_anything_must_be_done(
    answers: list[Answer],
    status: int,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[object] = []
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.setattr(health, "require_answer", asked.append)
    monkeypatch.setattr(health, "examine", lambda *_: answers)
    monkeypatch.setattr(kit, "collect", lambda *_: SimpleNamespace(pods=[]))

    assert run(["cluster", "doctor"]) == status
    assert capsys.readouterr().out.splitlines() == said
    assert len(asked) == 1, "a cluster that does not answer is one error, not a list of them"
