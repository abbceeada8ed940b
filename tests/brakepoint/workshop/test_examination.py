"""The process that checks a file writes each verdict as soon as it has it, and then that it is finished."""

import math
import sys
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import pytest
from patience import PATIENCE_S

from brakepoint.messages import SignClass
from brakepoint.workshop import examination
from brakepoint.workshop.examination import FINISHED, Verdict


def test_it_writes_a_verdict_for_each_exercise_and_then_that_it_is_finished(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    passed, wrong = Verdict(exercise="one", passed=True), Verdict(exercise="two", key="check.exited")
    verdicts = tmp_path / "verdicts"
    seen: list[object] = []
    limits: SimpleQueue[float] = SimpleQueue()

    def examine(step, path):
        seen.append((step.name, path, verdicts.read_text(encoding="utf-8")))
        yield passed
        seen.append(verdicts.read_text(encoding="utf-8"))
        yield wrong

    monkeypatch.setattr(examination, "examine", examine)
    monkeypatch.setattr(sys, "argv", ["examination", "step2_synthetic", "labs/mine.py", str(verdicts), "7.5"])
    monkeypatch.setattr(examination, "_end_after", limits.put)
    examination.main()

    first = passed.model_dump_json() + "\n"
    assert limits.get(timeout=PATIENCE_S) == 7.5
    assert seen == [("step2_synthetic", Path("labs/mine.py"), ""), first]
    assert verdicts.read_text(encoding="utf-8") == f"{first}{wrong.model_dump_json()}\n{FINISHED}"


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (True, True),
        (None, None),
        (SignClass.SPEED_LIMIT, "SpeedLimit"),
        ("caf\udce9", "caf\\udce9"),
        ((1, 2), "(1, 2)"),
        (Path("a"), "a"),
    ],
)
def test_whatever_an_attendee_returned_can_be_shown(found: object, shown: object) -> None:
    verdict = Verdict(exercise="one", key="check.crashed", values={"found": found})

    read = Verdict.model_validate_json(verdict.model_dump_json())

    assert (read.values["found"], type(read.values["found"])) == (shown, type(shown))


def test_a_number_that_is_none_stays_one() -> None:
    verdict = Verdict(exercise="one", values={"found": math.nan, "most": math.inf})

    read = Verdict.model_validate_json(verdict.model_dump_json()).values

    assert math.isnan(read["found"]) and read["most"] == math.inf
