"""How the day went, for the next edition."""

import html
import re
from datetime import timedelta

import pytest
from room_day import NOW, STEP

from brakepoint import course
from brakepoint.cli import run
from brakepoint.room.history import Heard, History
from brakepoint.texts import catalogue, text
from brakepoint.workshop.progress import Progress

pytestmark = pytest.mark.usefixtures("small_kit")


def test_the_report_says_what_took_long_who_came_how_far_and_what_went_wrong(small, points, capsys) -> None:
    first = STEP.exercises[0]
    with History.changing(small.folder) as history:
        for handle, minutes in (("anna", (2, 14)), ("bela", (4, 8))):
            history.heard[handle] = heard([first], None, 0)
            for count, minute in enumerate(minutes, 1):
                done = list(STEP.exercises[:count])
                history.heard[handle] = heard(done, history.heard[handle], minute)
    points(small)

    assert run(["room", "report"]) == 0

    page = (small.folder / "report.html").read_text()
    assert str(small.folder / "report.html") in capsys.readouterr().out
    assert "anna, bela" in page, "who came to the third exercise and no further"
    assert "default-src 'none'" in page
    assert "You listed {found} of {expected} objects" in page


def test_the_report_has_minutes_who_was_stuck_and_how_often_each_wrong_answer_came(
    small, points, monkeypatch
) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    first, second, third, fourth = (text(f"lab.{STEP.name}.{name}.title") for name in STEP.exercises[:4])
    size, page_only = "check.step1.listing.size", "check.step1.listing.first_page"
    with History.changing(small.folder) as history:
        history.heard = {
            "anna": known(0, (4, 10, 10), {page_only: 2, "check.no-such": 9}),
            "bela": known(0, (16,), {page_only: 1, size: 5}),
            "carl": known(None, (5,), {}),
        }
    points(small)
    assert run(["room", "report"]) == 0
    page = html.unescape((small.folder / "report.html").read_text())
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)]

    assert re.findall(r"<li>(.*?)</li>", page) == [
        f"Step 1, {second}: 2",
        f"Step 1, {first}: 1",
        f"Step 1, {fourth}: 1",
    ]
    assert [row for row in rows if row][:4] == [
        [f"1 · {first}", "3", "4.0", "16.0", ""],
        [f"1 · {second}", "1", "3.0", "3.0", "bela, carl"],
        [f"1 · {third}", "1", "3.0", "3.0", ""],
        [f"1 · {fourth}", "0", "–", "–", "anna"],
    ]
    said = {key: catalogue()[key]["en"] for key in (size, page_only)}
    assert rows[-2:] == [[said[size], "5", "1"], [said[page_only], "3", "2"]]
    assert "Attendees who ran a check: 3; who handed something in: 2." in page


def known(began: int | None, passed: tuple[int, ...], wrong: dict[str, int]) -> Heard:
    """An attendee who began and passed the first exercises in these minutes."""
    moments = [NOW + timedelta(minutes=minute) for minute in passed]
    return Heard(
        digest="",
        done={STEP.name: STEP.exercises[: len(passed)]},
        hints=0,
        at=NOW,
        since=NOW,
        began=None if began is None else NOW + timedelta(minutes=began),
        passed={f"{STEP.name}.{name}": at for name, at in zip(STEP.exercises, moments, strict=False)},
        wrong=wrong,
    )


def heard(done: list[str], last: Heard | None, minute: int) -> Heard:
    progress = Progress()
    progress.of(STEP).done = done
    progress.of(STEP).wrong = {"check.step1.listing.first_page": minute, "check.no-such": 1, "room.full": 1}
    moment = NOW + timedelta(minutes=minute)
    return Heard.from_upload(progress.model_dump_json().encode(), last, moment)


def test_a_wrong_answer_is_noted_with_its_message(monkeypatch, tmp_path) -> None:
    from brakepoint.cli import workshop
    from brakepoint.workshop import progress
    from brakepoint.workshop.verdicts import Result, Verdict

    monkeypatch.delenv("BRAKEPOINT_ROOM", raising=False)
    monkeypatch.setattr(course, "LABS_DIR", tmp_path)
    monkeypatch.setattr(progress, "PROGRESS_PATH", tmp_path / "progress.json")
    wrong = Verdict(exercise=STEP.exercises[0], key="check.step1.listing.size")
    monkeypatch.setattr(workshop, "check", lambda step: Result((wrong,)))
    for _ in range(2):
        workshop.check_and_record(STEP)

    assert Progress.load().of(STEP).wrong == {"check.step1.listing.size": 2}
