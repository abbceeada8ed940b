"""The commands of incidents, and the record that is kept about them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from brakepoint.cli import run, up
from brakepoint.errors import UserError
from brakepoint.incidents import casebook, probes, wiring
from brakepoint.incidents.casebook import Case, Record, open_case, take_down
from brakepoint.incidents.causes import CAUSES, INCIDENTS
from brakepoint.incidents.probes import Finding
from brakepoint.incidents.site import healthy_site
from brakepoint.room import ROOM_VARIABLE, sharing
from brakepoint.texts import text

BEGUN = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A separate folder for everything that the test writes."""
    for name, path in (
        ("SITE_DIR", "runs/incident/train"),
        ("CASE_PATH", "runs/incident/case.json"),
        ("RECORD_PATH", "incidents.json"),
    ):
        monkeypatch.setattr(casebook, name, tmp_path / path)
    monkeypatch.setattr("brakepoint.cli.incident.SITE_DIR", tmp_path / "runs/incident/train")
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    return tmp_path


@pytest.fixture
def health(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """The results of the probes; a test may change them."""
    said = {"drives": False, "sees": True}
    values = {"score": 70.0, "found": 7, "there": 7, "wrong": 1}
    monkeypatch.setattr(
        probes, "PROBES", {name: lambda _, name=name: Finding(name, said[name], values) for name in said}
    )
    return said


def letter_of(name: str) -> str:
    return next(letter for letter, cause in Case.load().suspects.items() if cause == name)


def test_the_files_of_a_case_do_not_say_which_one_it_is(home: Path) -> None:
    case = open_case(3)
    written = (home / "runs/incident/case.json").read_text()

    assert Case.load() == case
    assert case.incident.number == 3
    assert set(json.loads(written)) == {"salt", "seal", "started_at"}
    assert not any(cause in written for cause in CAUSES)


def test_two_cases_of_one_incident_have_other_seals_and_another_order_of_suspects() -> None:
    cases = [open_case(3) for _ in range(4)]

    assert len({case.seal for case in cases}) == 4
    assert len({tuple(case.suspects.values()) for case in cases}) > 1
    assert all(sorted(case.suspects.values()) == sorted(CAUSES) for case in cases)
    assert list(cases[0].suspects) == list("abcdefghijklmn")


def test_without_a_number_an_incident_is_drawn_that_was_not_fixed_yet() -> None:
    record = Record()
    for incident in INCIDENTS[:11]:
        record.incidents[incident.number] = casebook.Entry(started_at=BEGUN, mended_min=1.0)
    record.save()

    assert open_case(None).incident.number == 12


def test_a_case_that_was_changed_by_hand_is_none(home: Path) -> None:
    case = open_case(1)
    path = home / "runs/incident/case.json"
    path.write_text(case.model_copy(update={"seal": "0" * 64}).model_dump_json())

    with pytest.raises(UserError, match="incident start"):
        _ = Case.load().incident


@pytest.mark.parametrize("damage", [b"{", b"", b"\xff\xfe{", b'{"salt": "\xc3'])
def test_a_damaged_case_is_none_and_a_damaged_record_a_fresh_start(home: Path, damage: bytes) -> None:
    open_case(1)
    casebook.CASE_PATH.write_bytes(damage)
    casebook.RECORD_PATH.write_bytes(damage)

    with pytest.raises(UserError, match="incident start"):
        Case.load()
    assert Record.load() == Record()
    open_case(2)
    assert list(Record.load().incidents) == [2]


def test_minutes_to_find_and_to_fix_count_from_the_start_and_only_once() -> None:
    case = open_case(1, BEGUN)
    right = case.incident.name

    assert not take_down(case, "", healthy=False, now=BEGUN + timedelta(minutes=1))
    assert not take_down(case, "full_disk", healthy=False, now=BEGUN + timedelta(minutes=2))
    assert take_down(case, right, healthy=False, now=BEGUN + timedelta(minutes=3))
    assert take_down(case, "", healthy=True, now=BEGUN + timedelta(minutes=4.5))
    assert take_down(case, right, healthy=True, now=BEGUN + timedelta(minutes=9))

    entry = Record.load().of(case)
    assert (entry.found_min, entry.mended_min, entry.wrong) == (3.0, 4.5, 1)


@pytest.mark.parametrize(("seconds", "minutes"), [(98, 1.6), (102, 1.7)])
def test_times_are_kept_in_tenths_of_a_minute(seconds: int, minutes: float) -> None:
    case = open_case(1, BEGUN)

    take_down(case, case.incident.name, healthy=True, now=BEGUN + timedelta(seconds=seconds))

    entry = Record.load().of(case)
    assert (entry.found_min, entry.mended_min) == (minutes, minutes)


def test_a_train_that_was_fixed_by_luck_does_not_count_before_the_cause_is_named() -> None:
    case = open_case(1, BEGUN)

    assert not take_down(case, "worn_brake", healthy=True, now=BEGUN + timedelta(minutes=1))
    assert Record.load().of(case).mended_min is None


def test_start_breaks_the_train_and_says_what_was_noticed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["incident", "start", "8"]) == 0

    said = capsys.readouterr().out
    assert text("incident.symptom.threshold_too_high", "en") in said
    assert text("incident.cause.threshold_too_high", "en") not in said
    assert text("incident.started", "en", number=8) in said and "brakepoint incident up" in said
    assert "confidence = 0.95" in (home / "runs/incident/train/site.toml").read_text()


def test_an_incident_that_there_is_not_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["incident", "start", "0"]) == 2
    assert "1 to 12" in capsys.readouterr().err


def test_without_a_case_there_is_nothing_to_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["incident", "check"]) == 2
    assert "brakepoint incident start" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["up", "hint"])
def test_without_a_case_there_is_no_train_to_drive_and_no_hint(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["incident", command]) == 2
    assert capsys.readouterr().err == f"{text('incident.error.none', 'en')}\n"


def test_up_drives_the_train_of_the_case_and_shows_it_where_it_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[Any] = []
    monkeypatch.setattr(up, "run_until_stopped", lambda *given: started.extend(given))
    monkeypatch.setattr(wiring, "SiteServices", lambda *given: given)
    open_case(8)

    assert run(["incident", "up", "--page", "127.0.0.1:8123"]) == 0

    settings, services = started
    assert settings.page == "127.0.0.1:8123"
    site, *rest = services(settings, print)
    assert site.setup.detector.confidence == 0.95, "that is what is wrong with it"
    assert rest == [settings, print]


def test_a_service_of_the_train_reads_its_settings_and_any_other_runs_as_usual(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[Any] = []
    monkeypatch.setattr(
        "brakepoint.cli.incident.run_service", lambda name, _, ran_by: ran.append((name, ran_by))
    )
    monkeypatch.setattr(wiring, "runs_of", lambda folder: {"detector": folder})

    assert run(["incident", "service", "detector"]) == 0
    assert run(["incident", "service", "monitor"]) == 0
    assert ran == [("detector", home / "runs/incident/train"), ("monitor", None)]


def test_check_wants_a_healthy_train_and_the_right_cause(
    home: Path, health: dict[str, bool], capsys: pytest.CaptureFixture[str]
) -> None:
    name = open_case(1).incident.name
    assert run(["incident", "check"]) == 1
    assert all(text(f"incident.cause.{cause}", "en") in capsys.readouterr().out for cause in CAUSES[:1])
    assert run(["incident", "check", "--cause", letter_of("full_disk")]) == 1
    assert "✗ That is not the cause" in capsys.readouterr().out
    assert run(["incident", "check", "--cause", letter_of(name)]) == 1
    assert "✓ That is the cause" in capsys.readouterr().out

    health["drives"] = True
    assert run(["incident", "check", "--cause", letter_of("full_disk")]) == 1
    capsys.readouterr()
    assert run(["incident", "check"]) == 0
    assert "fixed after" in capsys.readouterr().out


def test_check_prints_each_finding_and_then_the_suspects_or_how_long_it_took(
    health: dict[str, bool], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    case = open_case(1)
    values = {"score": 70.0, "found": 7, "there": 7, "wrong": 1}
    drives = {well: text(f"incident.finding.drives.{well}", "en", **values) for well in ("well", "ill")}
    sees = text("incident.finding.sees.well", "en", **values)

    run(["incident", "check"])
    assert capsys.readouterr().out.splitlines() == [
        f"✗ {drives['ill']}",
        f"✓ {sees}",
        f"✗ {text('incident.diagnosis.open', 'en')}",
        *(f"  {letter}  {text(f'incident.cause.{name}', 'en')}" for letter, name in case.suspects.items()),
    ]

    health["drives"] = True
    run(["incident", "check", "--cause", letter_of(case.incident.name)])
    entry = Record.load().of(case)
    assert capsys.readouterr().out.splitlines() == [
        f"✓ {drives['well']}",
        f"✓ {sees}",
        f"✓ {text('incident.diagnosis.right', 'en')}",
        text("incident.done", "en", found=entry.found_min, mended=entry.mended_min),
    ]


def test_a_model_that_sees_nothing_is_an_ill_train_however_it_drives(health: dict[str, bool]) -> None:
    name = open_case(1).incident.name
    health.update(drives=True, sees=False)

    assert run(["incident", "check", "--cause", letter_of(name)]) == 1


def test_a_letter_that_nobody_offered_is_wrong_usage(
    health: dict[str, bool], capsys: pytest.CaptureFixture[str]
) -> None:
    open_case(1)

    assert run(["incident", "check", "--cause", "z"]) == 2
    assert "“z”" in capsys.readouterr().err


def test_hints_come_one_after_the_other_and_end_with_the_third(capsys: pytest.CaptureFixture[str]) -> None:
    case = open_case(2)
    for _ in range(4):
        assert run(["incident", "hint"]) == 0

    said = capsys.readouterr().out
    assert [f"Hint {number} of 3" in said for number in (1, 2, 3, 4)] == [True, True, True, False]
    assert Record.load().of(case).hints == 3


def test_the_list_has_a_row_for_each_incident_and_the_times(capsys: pytest.CaptureFixture[str]) -> None:
    case = open_case(4, BEGUN)
    take_down(case, case.incident.name, healthy=True, now=BEGUN + timedelta(minutes=2.5))

    assert run(["incident", "list"]) == 0
    said = capsys.readouterr().out
    assert said.count("–") == 22
    assert said.count("2.5 min") == 2
    heads, *rows = (line.split() for line in said.splitlines())
    assert (
        heads
        == " ".join(
            text(f"incident.table.{name}", "en") for name in ("number", "symptom", "found", "mended", "hints")
        ).split()
    )
    assert [row[0] for row in rows] == [str(incident.number) for incident in INCIDENTS]
    assert {row[-1] for row in rows} == {"0"}, "nobody has asked for a hint"


def test_an_incident_that_is_begun_again_lays_its_train_out_again(home: Path) -> None:
    open_case(7)
    healthy_site(home / "runs/incident/train")
    open_case(7)

    assert "shutter_ms = 0.25" in (home / "runs/incident/train/site.toml").read_text()


def test_in_a_room_a_check_shows_the_times_on_the_board(
    home: Path, health: dict[str, bool], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shared: list[dict[str, Path]] = []
    monkeypatch.setattr(sharing, "upload", shared.append)
    monkeypatch.setattr("brakepoint.workshop.progress.PROGRESS_PATH", home / "progress.json")
    case = open_case(1)
    run(["incident", "check", "--cause", letter_of(case.incident.name)])
    assert shared == []

    monkeypatch.setenv(ROOM_VARIABLE, "spring")
    run(["incident", "check", "--cause", letter_of(case.incident.name)])
    (home / "progress.json").touch()
    run(["incident", "check"])

    record = {sharing.INCIDENTS_KEY: home / "incidents.json"}
    assert shared == [record, record | {sharing.PROGRESS_KEY: home / "progress.json"}]
    assert "found_min" in (home / "incidents.json").read_text()


def test_a_store_that_fails_ends_no_check(
    health: dict[str, bool], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(files: object) -> None:
        raise UserError("room.error.nothing_there", path="incidents.json")

    monkeypatch.setattr(sharing, "upload", refuse)
    monkeypatch.setenv(ROOM_VARIABLE, "spring")
    health["drives"] = True
    case = open_case(1)

    assert run(["incident", "check", "--cause", letter_of(case.incident.name)]) == 0
    assert "the instructor cannot see it" in capsys.readouterr().err
