"""The gate in its own process, with an attendee's code."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from brakepoint.pipeline import judge
from brakepoint.pipeline.comparison import COMPARISON_FILE, ProductionComparison


def test_what_a_gate_prints_is_not_part_of_its_answer(tmp_path: Path, monkeypatch, capsys) -> None:
    def gate(new: dict[str, float], *_: object) -> list[str]:
        print("new:", new)  # noqa: T201
        return ["too low"]

    found = ProductionComparison(new={"track": 0.1})
    (tmp_path / COMPARISON_FILE).write_text(found.model_dump_json(), encoding="utf-8")
    monkeypatch.setattr(judge, "load_step", lambda name: SimpleNamespace(gate=gate))
    monkeypatch.setattr(sys, "argv", ["judge", str(tmp_path), "0.5", "0"])

    judge.main()

    printed = capsys.readouterr()
    assert json.loads(printed.out) == ["too low"]
    assert printed.err == "new: {'track': 0.1}\n"


@pytest.mark.parametrize(
    ("last_line", "error"),
    [("NotImplementedError", NotImplementedError), ("KeyError: 'track'", RuntimeError), ("", RuntimeError)],
)
def test_a_gate_that_fails_is_reported_with_its_last_line(
    tmp_path: Path, monkeypatch, capsys, last_line: str, error: type[Exception]
) -> None:
    said = f"Traceback (most recent call last):\n{last_line}\n" if last_line else ""
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr=said)
    monkeypatch.setattr(judge.subprocess, "run", lambda *_, **__: failed)

    with pytest.raises(error) as caught:
        judge.ask(tmp_path, 0.5, 0.0)

    assert str(caught.value) in last_line
    assert capsys.readouterr().err == said
