"""The process that checks a file writes each verdict as soon as it has it, and then that it is finished."""

import sys
from pathlib import Path

import pytest

from brakepoint.workshop import examination
from brakepoint.workshop.examination import FINISHED, Verdict


def test_it_writes_a_verdict_for_each_exercise_and_then_that_it_is_finished(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    passed, wrong = Verdict(exercise="one", passed=True), Verdict(exercise="two", key="check.exited")
    verdicts = tmp_path / "verdicts"
    seen: list[object] = []

    def examine(step, path):
        seen.append((step.name, path, verdicts.read_text(encoding="utf-8")))
        yield passed
        seen.append(verdicts.read_text(encoding="utf-8"))
        yield wrong

    monkeypatch.setattr(examination, "examine", examine)
    monkeypatch.setattr(sys, "argv", ["examination", "step2_synthetic", "labs/mine.py", str(verdicts)])
    examination.main()

    first = passed.model_dump_json() + "\n"
    assert seen == [("step2_synthetic", Path("labs/mine.py"), ""), first]
    assert verdicts.read_text(encoding="utf-8") == f"{first}{wrong.model_dump_json()}\n{FINISHED}"
