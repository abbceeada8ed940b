"""The core of the course carries the story in two hours; the rest is filled in until it is requested."""

import re

import pytest

pytest.importorskip("boto3")

from brakepoint import course as course_module
from brakepoint.cli import run, workshop
from brakepoint.course import (
    ROOT,
    TRACK_VARIABLE,
    Track,
    chosen_track,
    course,
    find_step,
    read_course,
    set_up_minutes,
)
from brakepoint.errors import UserError
from brakepoint.texts import languages, text
from brakepoint.workshop import progress
from brakepoint.workshop.explanations import explain
from brakepoint.workshop.further import fill_in, fill_in_course, open_up
from brakepoint.workshop.labs import closed, filled, lab_text, reopened, solved
from brakepoint.workshop.progress import Progress, StepProgress

STEP = find_step("1")
CORE = {name: solved(STEP)[name] for name in STEP.core}


@pytest.fixture
def room(tmp_path, monkeypatch):
    """An attendee's folder in a room that does the core."""
    monkeypatch.setattr(course_module, "LABS_DIR", tmp_path / "labs")
    monkeypatch.setattr(workshop, "BACKUPS_DIR", tmp_path / "labs" / "backups")
    monkeypatch.setattr(progress, "PROGRESS_PATH", tmp_path / "progress.json")
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.setenv(TRACK_VARIABLE, "core")
    (tmp_path / "labs").mkdir()
    STEP.lab.write_text(lab_text(STEP), "utf-8")


def write(code: dict[str, str]) -> None:
    """Writes a lab with these exercises filled in; the others still contain their tasks."""
    lab = lab_text(STEP)
    for name in code:
        lab = closed(STEP, STEP.parts[0], lab, [name])
    STEP.lab.write_text(lab, "utf-8")


def test_the_core_takes_two_hours_with_set_up_and_login() -> None:
    assert set_up_minutes() + sum(step.core_minutes for step in course()) == 120


def test_the_core_is_about_two_thirds_of_the_exercises_and_each_step_has_both() -> None:
    share = sum(len(step.core) for step in course()) / sum(len(step.exercises) for step in course())

    assert 0.6 <= share <= 0.7
    assert all(step.core and step.further for step in course())
    assert all(set(step.core) | set(step.further) == set(step.exercises) for step in course())


READ_PER_MINUTE, TYPED_PER_MINUTE = 200, 150
"""Words of instructions read with care, and characters of code typed, in a minute."""


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize("step", course(), ids=lambda step: step.name)
def test_the_core_leaves_time_to_read_and_to_type(step, lang: str, monkeypatch) -> None:
    """The page, the tasks of the core, the explanations after each pass, and the solutions."""
    monkeypatch.setenv("BRAKEPOINT_LANG", lang)
    page = (ROOT / "docs" / lang / f"step{step.number}.md").read_text("utf-8")
    words = [re.sub(r"<!--.*?-->", "", page, flags=re.DOTALL)]
    words += [text(f"lab.{step.name}.{name}.todo") for name in step.core]
    words += [line for name in step.core for line in explain(step, name)]
    typed = sum(len(solved(step)[name].strip()) for name in step.core)
    minutes = len(" ".join(words).split()) / READ_PER_MINUTE + typed / TYPED_PER_MINUTE

    assert minutes < step.core_minutes, f"{minutes:.1f} minutes to read and to type"


@pytest.mark.parametrize(("track", "count"), [(Track.CORE, 4), (Track.FULL, 5)])
def test_a_track_asks_for_its_exercises_and_minutes(track: Track, count: int) -> None:
    assert len(STEP.exercises_of(track)) == count
    assert STEP.minutes_of(track) == {Track.CORE: STEP.core_minutes, Track.FULL: STEP.minutes}[track]


@pytest.mark.parametrize(
    ("core", "minutes", "why"),
    [('["y"]', 5, "core"), ('["b", "a"]', 5, "core"), ("[]", 5, "core"), ('["a"]', 6, "core_minutes")],
)
def test_a_core_that_is_not_a_part_of_its_step_is_refused(tmp_path, core, minutes, why) -> None:
    path = tmp_path / "course.toml"
    path.write_text(
        'set_up_minutes = 1\n[[step]]\nnumber = 1\nname = "s"\nminutes = 5\nexercises = ["a", "b"]\n'
        f"core_minutes = {minutes}\ncore = {core}\n"
    )

    with pytest.raises(UserError, match=why):
        read_course(path)


def test_without_a_word_all_of_the_course_is_taken(monkeypatch) -> None:
    monkeypatch.delenv(TRACK_VARIABLE, raising=False)
    assert chosen_track() is Track.FULL
    monkeypatch.setenv(TRACK_VARIABLE, "")
    assert chosen_track() is Track.FULL


def test_a_track_that_does_not_exist_is_reported(monkeypatch) -> None:
    monkeypatch.setenv(TRACK_VARIABLE, "short")

    with pytest.raises(UserError, match="core, full"):
        chosen_track()


@pytest.mark.parametrize("step", course(), ids=lambda step: step.name)
def test_what_is_filled_in_can_be_opened_again_to_the_letter(step) -> None:
    for part in step.parts:
        untouched = lab_text(step, part)
        full = closed(step, part, untouched, step.further)

        assert reopened(step, part, full, step.further) == untouched
        assert closed(step, part, full, step.core) == re.sub(
            r"^ *# (lab|instead): .*\n", "", part_of_solution(step, part), flags=re.MULTILINE
        )


def part_of_solution(step, part) -> str:
    return (step.solution.parent / part).read_text("utf-8")


def test_the_core_is_over_without_a_word_about_what_goes_further(room, capsys) -> None:
    write(CORE)

    assert run(["check", "1"]) == 0
    said = capsys.readouterr().out

    assert "✗" not in said
    assert said.count("✓") == len(STEP.core)
    assert "Step 1 is done" in said
    assert Progress.load().of(STEP).done == list(STEP.core)
    assert Progress.load().of(STEP).filled == list(STEP.further)
    assert Progress.load().current() == course()[1]
    assert "NotImplementedError" not in STEP.lab.read_text("utf-8")


def test_what_is_filled_in_is_reported_once(room, capsys) -> None:
    said = []
    for _ in range(2):
        run(["check", "1"])
        said.append(f"leaves out {len(STEP.further)} exercises" in " ".join(capsys.readouterr().out.split()))

    assert said == [True, False]


def test_who_takes_all_of_the_course_hears_how_to_leave_out_what_goes_further(
    room, capsys, monkeypatch
) -> None:
    monkeypatch.setenv(TRACK_VARIABLE, "full")
    said = {}
    for code in ({}, {"listing": CORE["listing"]}):
        write(code)
        run(["check", "1"])
        said[len(code)] = " ".join(capsys.readouterr().out.split())

    assert "goes further" not in said[0]
    assert (
        "download goes further than the core. To leave out such exercises: export BRAKEPOINT_TRACK=core"
        in said[1]
    )


def test_a_step_that_is_begun_again_leaves_out_what_goes_further_again(room) -> None:
    for words in (["check", "1"], ["further", "1"], ["reset", "1"], ["check", "1"]):
        run(words)

    assert Progress.load().of(STEP).filled == list(STEP.further)


def test_every_step_is_filled_in_at_once_so_that_no_open_file_changes_later(room) -> None:
    for step in course()[:2]:
        step.lab.write_text(lab_text(step), "utf-8")
    fill_in_course()
    before = [step.lab.read_text("utf-8") for step in course()[:2]]
    fill_in_course()

    assert [step.lab.read_text("utf-8") for step in course()[:2]] == before
    assert [Progress.load().of(step).filled for step in course()[:2]] == [
        list(step.further) for step in course()[:2]
    ]


def test_what_goes_further_is_opened_on_demand_and_then_checked_and_hinted_at(room, capsys) -> None:
    write(CORE)
    run(["check", "1"])
    for _ in range(2):
        assert run(["further", "1"]) == 0
        assert "download" in capsys.readouterr().out
    assert run(["check", "1"]) == 1
    run(["hint", "1"])

    assert "Hint 1 of 3 for download" in capsys.readouterr().out
    assert Progress.load().of(STEP).filled == []
    assert Progress.load().current() == course()[1], "the core stays done"


def test_an_exercise_that_an_attendee_has_begun_is_left_alone(room) -> None:
    begun = filled(STEP, {**solved(STEP), "download": "return None"})
    STEP.lab.write_text(begun, "utf-8")
    entry = StepProgress()

    assert fill_in(STEP, entry) == ()
    assert STEP.lab.read_text("utf-8") == begun
    assert open_up(STEP, entry) == ()


def test_nothing_is_filled_in_for_who_takes_all_of_the_course(room, monkeypatch) -> None:
    monkeypatch.setenv(TRACK_VARIABLE, "full")
    entry = StepProgress()

    assert fill_in(STEP, entry) == ()
    assert STEP.lab.read_text("utf-8") == lab_text(STEP)
    assert entry.asked(STEP) == STEP.exercises


def test_catching_up_in_the_core_finishes_the_core(room, capsys) -> None:
    assert run(["catch-up", "6"]) == 0
    step = find_step("6")

    assert Progress.load().of(step).done == list(step.core)
    assert Progress.load().of(step).is_over(step)
    assert text("course.step6_autopilot.done") in capsys.readouterr().out


def test_progress_shows_the_core_and_what_goes_further(room, capsys) -> None:
    write(CORE)
    run(["check", "1"])
    capsys.readouterr()
    run(["progress"])
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("Step 1"))

    assert re.search(rf"4/4\s+0/1\s+\d+\s+{STEP.core_minutes}\s+0", line)
