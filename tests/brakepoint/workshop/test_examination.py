"""The process that checks a file writes each verdict as soon as it has it, and then that it is finished."""

import math
import sys
import textwrap
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import pytest
from patience import PATIENCE_S

from brakepoint.course import find_step
from brakepoint.messages import SignClass
from brakepoint.workshop import examination
from brakepoint.workshop.examination import FINISHED, Verdict
from brakepoint.workshop.labs import filled, solved


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


@pytest.mark.parametrize("nested", [False, True])
def test_a_second_definition_further_down_is_named_only_if_it_replaces_the_first(
    nested: bool, tmp_path: Path
) -> None:
    pytest.importorskip("boto3")
    step = find_step("6")
    written = filled(step, {**solved(step), "distance": "ahead_cm = 30.0"})
    again = "def locate(item):\n    return None\n"
    lab = tmp_path / step.lab.name
    lab.write_text(
        written + ("def helper():\n" + textwrap.indent(again, "    ") if nested else again), "utf-8"
    )

    failed = list(examination.examine(step, lab))[-1]

    if nested:
        assert failed.key == "check.step6.distance.constant"
    else:
        first = next(n for n, line in enumerate(written.splitlines(), 1) if line.startswith("def locate"))
        last = len(written.splitlines()) + 1
        assert failed.key == "check.twice"
        assert failed.values == {"function": "locate", "first": first, "line": last}
    assert failed.exercise == "distance"


def test_a_folder_in_place_of_a_lab_is_a_missing_lab_and_a_file_that_the_lab_misses_is_not(
    tmp_path: Path,
) -> None:
    step = find_step("6")
    folder, lab = tmp_path / "folder.py", tmp_path / "lab.py"
    folder.mkdir()
    lab.write_text(f"open({str(tmp_path / 'nothing')!r})\n", "utf-8")

    keys = [list(examination.examine(step, path))[-1].key for path in (folder, tmp_path / "none.py", lab)]

    assert keys == ["check.missing_file", "check.missing_file", "check.crashed"]


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
