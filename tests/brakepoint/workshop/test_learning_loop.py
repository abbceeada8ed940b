"""The learning loop: whatever an attendee's code does, the answer is a message."""

import os
import re
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("boto3")

from brakepoint import course
from brakepoint.cli import run, workshop
from brakepoint.course import find_step
from brakepoint.workshop import artefacts, checking, examination, progress
from brakepoint.workshop.checking import check
from brakepoint.workshop.examination import examine
from brakepoint.workshop.labs import closed, filled, lab_text, solved, untouched
from brakepoint.workshop.progress import Progress

STEP = find_step("1")


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An attendee's folder."""
    monkeypatch.setattr(course, "LABS_DIR", tmp_path / "labs")
    monkeypatch.setattr(workshop, "BACKUPS_DIR", tmp_path / "labs" / "backups")
    monkeypatch.setattr(progress, "PROGRESS_PATH", tmp_path / "progress.json")
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labs").mkdir()
    STEP.lab.write_text(lab_text(STEP), "utf-8")
    return tmp_path


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a check have its processor time, however busy the machine is."""
    monkeypatch.setattr(checking, "PATIENCE", 100.0)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    ("code", "key"),
    [
        ("while True: pass", "check.too_long"),
        ("import sys; sys.exit(0)", "check.exited"),
        ("import os; os._exit(3)", "check.died"),
        ("def broken(:", "check.syntax"),
        ("1 / 0", "check.crashed"),
        ("import no_such_module", "check.no_module"),
        ("x = 1", "check.function_missing"),
    ],
)
def test_code_that_does_not_run_is_a_message(room, code: str, key: str) -> None:
    STEP.lab.write_text(code + "\n", "utf-8")

    result = check(STEP, time_limit_s=4.0 if key == "check.too_long" else 60.0)

    assert result.failure is not None
    assert result.failure.key == key
    assert "Traceback" not in result.failure.message


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_the_solution_is_shown_beside_a_lab_in_another_encoding(room, capsys, encoding: str) -> None:
    STEP.lab.write_text("# café\n", encoding)

    assert run(["solution", "1"]) == 0

    assert "caf" in capsys.readouterr().out.replace("\0", "")


@pytest.mark.parametrize("content", ["x = 1\n".encode("utf-16"), b"# coding: ascii\n# \xe9\n"])
def test_a_lab_in_another_encoding_is_reported_without_a_line_that_does_not_exist(
    room, content: bytes
) -> None:
    STEP.lab.write_bytes(content)

    (verdict,) = examine(STEP, STEP.lab)

    assert verdict.key == "check.not_text"
    assert "UTF-8" in verdict.message


def test_a_line_that_is_not_python_is_quoted_with_its_number(room) -> None:
    STEP.lab.write_text("x = 1\nif x\n", "utf-8")

    (verdict,) = examine(STEP, STEP.lab)

    assert (verdict.key, verdict.values["line"], verdict.values["code"]) == ("check.syntax", 2, "if x")


def test_a_kustomization_in_another_encoding_is_reported(tmp_path) -> None:
    step = find_step("7")
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "kustomization.yaml").write_bytes(b"# caf\xe9\nresources: []\n")

    (verdict,) = examine(step, tmp_path)

    assert (verdict.exercise, verdict.key) == (step.exercises[0], "check.step7.not_yaml")


def test_code_that_only_waits_is_stopped_by_the_clock_and_not_called_a_loop(room, monkeypatch) -> None:
    monkeypatch.setattr(checking, "PATIENCE", 0.05)
    STEP.lab.write_text("import time; time.sleep(60)\n", "utf-8")

    failure = check(STEP, time_limit_s=40.0).failure

    assert failure is not None
    assert (failure.key, failure.values) == ("check.waited", {"seconds": 2})


@pytest.mark.parametrize(("clock", "processor"), [(10.0, 1.0), (1.0, 10.0)])
def test_time_is_used_up_by_the_clock_and_by_the_processor(
    monkeypatch, clock: float, processor: float
) -> None:
    """On a busy machine the clock runs faster; with threads on many cores, the processor time does."""
    passed = {"clock": 1000.0, "processor": 0.0}

    def sleep(_: float) -> None:
        passed["clock"] += clock
        passed["processor"] += processor

    def end(status: int) -> None:
        raise SystemExit(status)

    stands = SimpleNamespace(
        monotonic=lambda: passed["clock"], process_time=lambda: passed["processor"], sleep=sleep
    )
    monkeypatch.setattr(examination, "time", stands)
    monkeypatch.setattr(examination.os, "_exit", end)
    with pytest.raises(SystemExit) as ended:
        examination._end_after(60.0)

    assert ended.value.code == examination.USED_UP
    assert min(passed["clock"] - 1000, passed["processor"]) == 60


def test_what_an_endless_loop_has_printed_is_shown(room, patient, monkeypatch) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    STEP.lab.write_text("print('here')\nwhile True: pass\n", "utf-8")

    assert check(STEP, time_limit_s=0.3).printed == "here"


@pytest.mark.parametrize("step", course.course(), ids=lambda step: step.name)
def test_an_exercise_is_untouched_until_its_task_or_its_placeholder_changes(step, tmp_path) -> None:
    path = tmp_path / step.lab.name

    def write(change: Callable[[Path, str], str]) -> set[str]:
        for part in step.parts:
            file = tmp_path / part
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(change(part, lab_text(step, part)), "utf-8")
        return untouched(step, path)

    assert write(lambda part, lab: lab) == set(step.exercises)
    for name in step.exercises:

        def close(part: Path, lab: str, name: str = name) -> str:
            return closed(step, part, lab, [name])

        assert write(close) == set(step.exercises) - {name}
    assert write(lambda part, lab: lab.replace("TODO", "DONE")) == set()


def test_an_exercise_that_is_untouched_is_still_to_be_written_and_its_answer_is_not_given_away(room) -> None:
    """Its placeholder has to be a value, since the train must drive before everything is written."""
    autopilot = find_step("6")
    path = room / autopilot.lab.name
    path.write_text(closed(autopilot, autopilot.parts[0], lab_text(autopilot), ["distance"]), "utf-8")

    *_, last = examine(autopilot, path)

    assert (last.exercise, last.key) == ("every", "check.not_written")


def test_what_is_next_names_the_line_of_the_task_as_long_as_it_is_there(room, capsys) -> None:
    run(["check", "1"])
    said = " ".join(capsys.readouterr().out.split())
    line = 1 + next(n for n, line in enumerate(lab_text(STEP).splitlines()) if "TODO listing:" in line)
    STEP.lab.write_text(filled(STEP, {}), "utf-8")
    run(["check", "1"])
    then = " ".join(capsys.readouterr().out.split())

    assert f"complete TODO listing, labs/step1_dataset.py:{line}, save" in said
    assert "change the code of listing in labs/step1_dataset.py, save" in then


def test_an_endless_loop_in_an_exercise_is_reported_with_its_name(room, patient) -> None:
    STEP.lab.write_text(filled(STEP, {**solved(STEP), "percent": "while True: pass"}), "utf-8")

    result = check(STEP, time_limit_s=5.0)

    assert result.failure is not None
    assert (result.failure.exercise, result.failure.key) == ("percent", "check.too_long")


def test_a_missing_lab_is_a_message(room) -> None:
    STEP.lab.unlink()

    assert check(STEP).verdicts[-1].key == "check.missing_file"


def test_a_crash_names_the_line_that_the_attendee_wrote(room, tmp_path) -> None:
    autopilot, path = find_step("6"), tmp_path / "lab.py"
    code = "seen = [item for item in detections.items if stands_on_its_post(item)]"
    path.write_text(filled(autopilot, {**solved(autopilot), "every": code}), "utf-8")

    failure = check(autopilot, path).failure

    assert failure is not None
    assert (failure.key, failure.values["code"]) == ("check.crashed", code)
    assert "fix line" in workshop.what_next(autopilot, failure, "%")


CRASH = "raise ValueError(now)"


@pytest.mark.parametrize(
    ("code", "exercise", "key"),
    [
        ({"failsafe": CRASH}, "failsafe", "check.crashed"),
        ({"failsafe": "exit()"}, "failsafe", "check.exited"),
        ({"exam": CRASH}, "exam", "check.crashed"),
        ({"priority": "def helper():\n    raise ValueError(now)\nhelper()"}, "priority", "check.crashed"),
        ({"every": "seen = [1 / 0 for item in detections.items]"}, "every", "check.crashed"),
    ],
)
def test_an_exception_belongs_to_the_exercise_whose_lines_raised_it(
    tmp_path, code: dict[str, str], exercise: str, key: str
) -> None:
    autopilot, path = find_step("6"), tmp_path / "lab.py"
    path.write_text(filled(autopilot, {**solved(autopilot), **code}), "utf-8")

    *_, last = examine(autopilot, path)

    assert (last.exercise, last.key) == (exercise, key)


def test_an_exception_in_an_exercise_that_was_right_by_hand_is_reported_once(room, tmp_path) -> None:
    autopilot, path = find_step("6"), tmp_path / "lab.py"
    code = "assert frame < 25\n" + textwrap.dedent(solved(autopilot)["debounce"])
    path.write_text(filled(autopilot, {**solved(autopilot), "debounce": code}), "utf-8")

    verdicts = check(autopilot, path).verdicts

    assert [verdict.exercise for verdict in verdicts if not verdict.passed] == ["debounce"]
    assert [verdict.exercise for verdict in verdicts].count("debounce") == 1


def test_hints_are_for_the_exercise_that_the_check_named(room, capsys) -> None:
    autopilot, code = find_step("6"), {"failsafe": CRASH}
    autopilot.lab.write_text(filled(autopilot, {**solved(autopilot), **code}), "utf-8")
    recorded = Progress.load()
    recorded.touch(autopilot).done = ["distance", "every"]
    recorded.save()

    assert run(["check", "6"]) == 1
    assert run(["hint", "6"]) == 0

    assert "Hint 1 of 3 for failsafe" in capsys.readouterr().out
    assert Progress.load().of(autopilot).done == ["distance", "every"]


def test_no_line_of_a_task_begins_with_a_mark_of_french(room) -> None:
    for step in course.course():
        for part in step.parts:
            lines = [line.strip() for line in lab_text(step, part).splitlines()]
            assert not [line for line in lines if re.match("# [:;?!»]", line) or line.endswith("«")]


def test_what_the_code_prints_is_shown(room) -> None:
    STEP.lab.write_text(filled(STEP, {"listing": 'print("hello"); return 1'}), "utf-8")

    assert check(STEP).printed == "hello"


def test_a_check_says_what_is_next_and_is_remembered(room, capsys) -> None:
    STEP.lab.write_text(filled(STEP, {"listing": solved(STEP)["listing"]}), "utf-8")

    assert run(["check", "1"]) == 1
    said = " ".join(capsys.readouterr().out.split())

    assert "✓ List the whole bucket" in said
    assert "brakepoint hint 1" in said
    assert Progress.load().of(STEP).done == ["listing"]


def test_an_exercise_is_explained_when_it_first_passes_and_whenever_one_asks(room, capsys) -> None:
    STEP.lab.write_text(filled(STEP, {"listing": solved(STEP)["listing"]}), "utf-8")
    said = []
    for words in (["check", "1"], ["check", "1"], ["check", "1", "--explain"]):
        run(words)
        said.append("Otherwise: one answer holds 1000 objects" in " ".join(capsys.readouterr().out.split()))
    STEP.lab.write_text(filled(STEP, {name: solved(STEP)[name] for name in ("listing", "download")}), "utf-8")
    run(["check", "1"])
    then = " ".join(capsys.readouterr().out.split())

    assert said == [True, False, True]
    assert "Why: A rename happens completely" in then
    assert "Why: S3 answers in pages" not in then
    assert Progress.load().of(STEP).explained == ["listing", "download"]


def test_a_finished_step_says_what_comes_then(room, capsys) -> None:
    STEP.lab.write_text(STEP.solution.read_text("utf-8"), "utf-8")

    assert run(["check"]) == 0
    assert "brakepoint dataset --steps labs" in " ".join(capsys.readouterr().out.split())
    assert run(["hint", "1"]) == 0
    assert "Nothing is left" in capsys.readouterr().out


def test_each_hint_tells_more_and_the_last_points_to_the_solution(room, capsys) -> None:
    said = []
    for _ in range(4):
        run(["hint", "1"])
        said.append(capsys.readouterr().out)

    assert ["Hint 1 of 3" in said[0], "Hint 2 of 3" in said[1], "Hint 3 of 3" in said[2]] == [True] * 3
    assert "brakepoint solution 1" in said[3]
    assert Progress.load().of(STEP).hints == {"listing": 3}


def test_reset_keeps_what_was_written(room, capsys) -> None:
    STEP.lab.write_text("mine", "utf-8")
    run(["reset", "1"])

    assert STEP.lab.read_text("utf-8") == lab_text(STEP)
    assert [path.read_text("utf-8") for path in workshop.BACKUPS_DIR.iterdir()] == ["mine"]

    STEP.lab.unlink()
    assert run(["reset", "1"]) == 0
    assert STEP.lab.is_file()


@pytest.mark.parametrize(
    ("number", "leaves"),
    [("1", "runs/dataset/train/images/*.jpg"), ("2", "runs/synthetic/images/*.jpg")],
)
def test_catching_up_finishes_a_step_and_leaves_what_the_next_one_needs(
    room, monkeypatch, capsys, number: str, leaves: str
) -> None:
    step = find_step(number)
    monkeypatch.setattr(artefacts, "SYNTHETIC_PICTURES", 3)
    step.lab.write_text("mine", "utf-8")
    (room / Path(leaves).parents[1]).mkdir(parents=True)

    assert run(["catch-up", number]) == 0
    assert "/".join(Path(leaves).parts[:2]) in capsys.readouterr().out

    assert Progress.load().of(step).done == list(step.exercises)
    assert [path.read_text("utf-8") for path in workshop.BACKUPS_DIR.iterdir()] == ["mine"]
    assert check(step).passed
    assert list(room.glob(leaves))
    assert len(list((room / "runs").iterdir())) == 2, "what was there before is kept"


@pytest.mark.parametrize(("quick", "pictures"), [("", 2500), ("1", 12)])
def test_catching_up_makes_as_many_pictures_as_the_workshop_trains_on_and_few_where_it_is_only_tried(
    room, monkeypatch, quick: str, pictures: int
) -> None:
    from brakepoint.synthesis import engine

    asked: list[int] = []

    def synthesise(folder: Path, count: int, *_: object) -> None:
        folder.mkdir(parents=True)
        asked.append(count)

    monkeypatch.setattr(engine, "synthesise", synthesise)
    monkeypatch.setenv("BRAKEPOINT_QUICK", quick)

    artefacts.install(find_step("2"))

    assert asked == [pictures]


def test_watching_ends_when_all_is_right(room, capsys) -> None:
    STEP.lab.write_text(STEP.solution.read_text("utf-8"), "utf-8")

    assert run(["watch", "1"]) == 0
    assert "Step 1 is done" in capsys.readouterr().out


def test_a_lab_that_passed_and_was_broken_again_gets_a_hint(room, capsys) -> None:
    STEP.lab.write_text(filled(STEP, solved(STEP)), "utf-8")
    run(["check", "1"])
    STEP.lab.write_text(filled(STEP, {**solved(STEP), "percent": "return 1, 2, 3, 4"}), "utf-8")
    capsys.readouterr()

    run(["hint", "1"])

    assert "Hint 1 of 3 for percent" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("later", "said"),
    [
        (["2"], "brakepoint check 2 resumes there"),
        (["2", "3", "4", "5", "6", "7"], "in every step"),
    ],
)
def test_anyone_who_returns_to_a_step_that_is_right_is_sent_where_they_were(
    room, capsys, later: list[str], said: str
) -> None:
    STEP.lab.write_text(filled(STEP, solved(STEP)), "utf-8")
    so_far = Progress()
    for number in later:
        exercises = find_step(number).exercises
        so_far.of(find_step(number)).done = list(exercises[:1] if later == ["2"] else exercises)
    so_far.save(progress.PROGRESS_PATH)

    run(["check", "1"])

    assert said in " ".join(capsys.readouterr().out.split())


def test_single_keys_give_a_hint_the_solution_another_check_and_the_next_step(
    room, monkeypatch, capsys
) -> None:
    find_step("2").lab.write_text(lab_text(find_step("2")), "utf-8")
    terminal, keys = os.openpty()
    monkeypatch.setattr("sys.stdin", os.fdopen(keys))
    os.write(terminal, b"hrsnq")

    assert run(["watch", "1"]) == 0

    said = " ".join(capsys.readouterr().out.split())
    order = ["Step 1:", "Keys:", "Hint 1 of 3", "Step 1:", "+++ solution", "Step 2:"]
    places = [said.index(order[0])]
    for words in order[1:]:
        places.append(said.index(words, places[-1] + 1))
    assert said.count("Step 2:") == 1
    os.close(terminal)


def test_the_solution_is_shown_as_a_difference(room, capsys) -> None:
    assert run(["solution", "1"]) == 0
    assert "-    raise NotImplementedError" in capsys.readouterr().out


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_progress_shows_minutes_against_the_plan(room, capsys, lang: str) -> None:
    assert run(["--lang", lang, "progress"]) == 0
    said = capsys.readouterr().out
    assert "0/6" in said and "0/1" in said, "the core of step 6, and what goes further"
    assert all(re.search(rf"\b{step.minutes}\b", said) for step in course.course())


def test_pauses_do_not_count() -> None:
    kept, start = Progress(), datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    for minutes in (0, 5, 8, 300, 304):
        kept.touch(STEP, start + timedelta(minutes=minutes))

    assert kept.of(STEP).minutes == 12


@pytest.mark.parametrize(
    "damage",
    [
        b"not json",
        b"",
        b"\xff\xfe{\0}\0",
        b'{"steps": "\xc3',
        b'{"steps": {"step1_dataset": {"last_at": "2026-03-01T09:00:00"}}}',
    ],
)
def test_an_invalid_progress_file_is_a_fresh_start_and_is_kept(tmp_path, damage) -> None:
    (tmp_path / "progress.json").write_bytes(damage)

    kept = Progress.load(tmp_path / "progress.json")

    assert kept == Progress()
    kept.save(tmp_path / "progress.json")
    assert Progress.load(tmp_path / "progress.json") == Progress()
    assert (tmp_path / "progress.json.damaged").read_bytes() == damage


def test_an_unknown_step_is_a_message(room, capsys) -> None:
    assert run(["check", "9"]) == 2
    assert "There is no step" in capsys.readouterr().err
