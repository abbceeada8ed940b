import re
from types import SimpleNamespace

import pytest

from brakepoint.cli import run
from brakepoint.workshop import course, doctor


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_what_is_missing_is_told_with_what_to_do(monkeypatch, capsys, lang: str) -> None:
    monkeypatch.setattr(doctor, "_is_there", lambda module: module != "torch")
    monkeypatch.setattr(doctor, "feed_names", lambda: list(doctor.COURSE_FEEDS))

    monkeypatch.setenv("BRAKEPOINT_LANG", lang)

    assert run(["doctor"]) == 1
    said = capsys.readouterr().out
    assert said.count("✗") == 3  # Steps 3 and 4, and the last line.
    assert "pip install -e '.[train]'" in " ".join(said.split())


def test_a_machine_that_can_do_everything_is_told_so(monkeypatch) -> None:
    monkeypatch.setattr(doctor, "_is_there", lambda module: True)
    monkeypatch.setattr(doctor, "feed_names", lambda: list(doctor.COURSE_FEEDS))

    assert run(["doctor"]) == 0


@pytest.fixture
def sound(monkeypatch):
    """A machine that can do everything."""
    monkeypatch.setattr(doctor, "_is_there", lambda module: True)
    monkeypatch.setattr(doctor, "feed_names", lambda: list(doctor.COURSE_FEEDS))
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: SimpleNamespace(free=1e9))
    return monkeypatch


def remedies() -> list[str]:
    return [finding.remedy for finding in doctor.examine_machine() if not finding.well]


def test_a_disk_with_just_enough_room_will_do_and_one_with_less_is_told(sound) -> None:
    assert remedies() == []

    sound.setattr(doctor.shutil, "disk_usage", lambda folder: SimpleNamespace(free=0.99e9))
    assert len(remedies()) == 1


@pytest.mark.parametrize(
    ("beside", "on_path", "is_well"),
    [(True, None, True), (False, "/usr/bin/rclone", True), (False, None, False)],
)
def test_rclone_may_lie_beside_python_or_on_the_path(sound, tmp_path, beside, on_path, is_well: bool) -> None:
    sound.setattr(doctor.sys, "executable", str(tmp_path / "python"))
    sound.setattr(doctor.shutil, "which", lambda name: on_path)
    if beside:
        (tmp_path / "rclone").touch()

    assert (remedies() == []) is is_well


def test_a_lab_and_a_feed_that_are_not_there_are_named(sound, tmp_path) -> None:
    sound.setattr(course, "LABS_DIR", tmp_path)
    sound.setattr(doctor, "feed_names", lambda: list(doctor.COURSE_FEEDS)[1:])

    told = " ".join(finding.what + finding.remedy for finding in doctor.examine_machine() if not finding.well)
    assert "step1_dataset" in told
    assert doctor.COURSE_FEEDS[0] in told


@pytest.mark.parametrize("extra", doctor.EXTRAS)
def test_the_steps_that_need_what_is_missing_say_so_and_no_others(sound, extra: str) -> None:
    sound.setattr(doctor, "_is_there", lambda module: module not in doctor.EXTRAS[extra])

    assert len(remedies()) == sum(extra in extras for extras in doctor.NEEDED_BY.values())


@pytest.mark.parametrize("of", ["make workshop", "make wheelhouse"])
def test_what_the_steps_need_is_what_is_installed_and_packed_for_them(of: str) -> None:
    makefile = (doctor.ROOT / "Makefile").read_text("utf-8")
    lines = {
        "make workshop": re.findall(
            r"^\$\(VENV\)/\.workshop.*: (?:extras|last) = (.*)", makefile, re.MULTILINE
        ),
        "make wheelhouse": re.findall(r"wheel --wheel-dir.*'\.\[(.*)\]'", makefile),
    }[of]

    assert {extra for line in lines for extra in line.split(",")} >= set(doctor.EXTRAS)
