"""How the day went, for the next edition."""

from datetime import timedelta

import pytest
from room_day import NOW, STEP

from brakepoint import course
from brakepoint.cli import run
from brakepoint.room.history import Heard, History
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
