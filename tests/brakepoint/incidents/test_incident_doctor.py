"""`brakepoint doctor` shows where an incident is visible that is about the machines, and about no other."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from brakepoint.cli import run
from brakepoint.detector import Detector
from brakepoint.incidents import casebook, doctor
from brakepoint.incidents.casebook import open_case
from brakepoint.incidents.causes import INCIDENTS, Incident
from brakepoint.incidents.doctor import examine_site
from brakepoint.incidents.site import healthy_site, name_of, swapped_model

SEEN = {"clock_off": "2.4 s apart", "swapped_classes": "SpeedLimit, DangerAhead, in this order"}


@cache
def loaded(content: bytes, path: Path) -> Detector:
    return Detector(path)


@pytest.fixture(autouse=True, scope="module")
def models_loaded_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doctor, "Detector", lambda path: loaded(path.read_bytes(), path))
        yield
    loaded.cache_clear()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    for name, path in (("SITE_DIR", "train"), ("CASE_PATH", "case.json"), ("RECORD_PATH", "incidents.json")):
        monkeypatch.setattr(casebook, name, tmp_path / path)
    return tmp_path


def ill(folder: Path) -> list[str]:
    return [finding.what for finding in examine_site(folder) if not finding.well]


def test_a_healthy_train_has_nothing_that_could_be_seen(tmp_path: Path) -> None:
    healthy_site(tmp_path)

    assert ill(tmp_path) == []
    assert [finding.what for finding in examine_site(tmp_path)] == [
        "The clocks of its machines are 0.0 s apart",
        "Its model has the classes DangerAhead, SpeedLimit, in this order",
    ]


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.name)
def test_what_is_about_the_machines_is_seen_and_nothing_else(incident: Incident, tmp_path: Path) -> None:
    incident.break_(healthy_site(tmp_path)).save()
    found = ill(tmp_path)

    assert [SEEN[incident.name] in what for what in found] == [True] * (incident.name in SEEN)


@pytest.mark.parametrize(("ahead_s", "is_seen"), [(0.09, False), (0.1, True), (-0.1, True)])
def test_clocks_agree_if_they_are_less_than_a_tenth_of_a_second_apart(
    tmp_path: Path, ahead_s, is_seen
) -> None:
    healthy_site(tmp_path).changed("clocks", capture=ahead_s).save()

    assert bool(ill(tmp_path)) is is_seen


def test_two_clocks_that_are_both_off_do_not_hide_each_other(tmp_path: Path) -> None:
    healthy_site(tmp_path).changed("clocks", capture=2.0, autopilot=2.0, detector=2.0, controller=2.0).save()
    assert ill(tmp_path) == ["The clocks of its machines are 2.0 s apart"], (
        "the train's own clock is one of them"
    )


def test_settings_that_cannot_be_read_are_reported(tmp_path: Path) -> None:
    healthy_site(tmp_path)
    (tmp_path / "site.toml").write_text("autopilot = 3\n")
    (finding,) = examine_site(tmp_path)

    assert not finding.well
    assert "site.toml" in finding.remedy


def test_the_command_shows_the_train_of_the_incident_that_is_under_way(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["doctor"])
    assert "train of the incident" not in capsys.readouterr().out
    open_case(5)
    assert (home / f"train/models/{name_of(swapped_model())}.onnx").exists()

    run(["doctor"])
    said = capsys.readouterr().out
    assert "The train of the incident that is under way" in said
    assert "✗ Its model has the classes SpeedLimit, DangerAhead" in said
    assert "✓ The clocks of its machines" in said
