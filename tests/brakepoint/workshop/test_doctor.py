import re
from types import SimpleNamespace

import pytest

from brakepoint import course
from brakepoint.cli import run
from brakepoint.incidents import casebook
from brakepoint.workshop import doctor


@pytest.fixture(autouse=True)
def without_an_incident(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(casebook, "CASE_PATH", tmp_path / "case.json")


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_what_is_missing_is_reported_with_what_to_do(monkeypatch, capsys, lang: str) -> None:
    monkeypatch.setattr(doctor, "missing", lambda extra: ("torch",) if extra == "train" else ())
    monkeypatch.setattr(doctor, "feed_names", lambda: list(doctor.COURSE_FEEDS))

    monkeypatch.setenv("BRAKEPOINT_LANG", lang)

    assert run(["doctor"]) == 1
    said = capsys.readouterr().out
    assert said.count("✗") == 3  # Steps 3 and 4, and the last line.
    assert "pip install -c locks/constraints.txt -e '.[train]'" in " ".join(said.split())


def test_a_machine_that_can_do_everything_passes(monkeypatch) -> None:
    monkeypatch.setattr(doctor, "missing", lambda extra: ())
    monkeypatch.setattr(doctor, "feed_names", lambda: list(doctor.COURSE_FEEDS))

    assert run(["doctor"]) == 0


@pytest.fixture
def sound(monkeypatch):
    """A machine that can do everything."""
    monkeypatch.setattr(doctor, "missing", lambda extra: ())
    monkeypatch.setattr(doctor, "feed_names", lambda: list(doctor.COURSE_FEEDS))
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: SimpleNamespace(free=1e9))
    return monkeypatch


def remedies() -> list[str]:
    return [finding.remedy for finding in doctor.examine_machine() if not finding.well]


def test_a_disk_with_just_enough_room_will_do_and_one_with_less_is_reported(sound) -> None:
    assert remedies() == []

    sound.setattr(doctor.shutil, "disk_usage", lambda folder: SimpleNamespace(free=0.99e9))
    assert len(remedies()) == 1


@pytest.mark.parametrize(
    ("beside", "on_path", "is_well"),
    [(True, None, True), (False, "/usr/bin/rclone", True), (False, None, False)],
)
def test_rclone_may_be_beside_python_or_on_the_path(sound, tmp_path, beside, on_path, is_well: bool) -> None:
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


@pytest.mark.parametrize("extra", sorted(set().union(*doctor.NEEDED_BY.values())))
def test_the_steps_that_need_what_is_missing_report_it_and_no_others(sound, extra: str) -> None:
    sound.setattr(doctor, "missing", lambda asked: ("a_package",) if asked == extra else ())

    assert len(remedies()) == sum(extra in extras for extras in doctor.NEEDED_BY.values())


def opencv_fails(monkeypatch, why: str) -> None:
    """A machine on which everything is installed, and loading OpenCV fails."""

    def refuse() -> None:
        raise ImportError(why)

    monkeypatch.setattr(doctor, "missing", lambda extra: ())
    monkeypatch.setattr(doctor, "feed_names", lambda: list(doctor.COURSE_FEEDS))
    monkeypatch.setattr(doctor, "_import_opencv", refuse)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_library_that_opencv_misses_is_named_with_both_ways_out(monkeypatch, capsys, lang: str) -> None:
    opencv_fails(monkeypatch, "libGL.so.1: cannot open shared object file: No such file or directory")
    monkeypatch.setenv("BRAKEPOINT_LANG", lang)

    assert run(["doctor"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("✗") == 2  # OpenCV, and the last line.
    assert "libGL.so.1" in said and "libgl1" in said and "mesa-libGL" in said
    assert "opencv-python-headless" in said


def test_an_opencv_that_is_broken_in_another_way_is_reported(monkeypatch, capsys) -> None:
    opencv_fails(monkeypatch, "numpy.core.multiarray failed to import")

    assert run(["doctor"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "numpy.core.multiarray failed to import" in said and "libGL" not in said


def test_what_serving_lacks_comes_from_its_list(monkeypatch, capsys) -> None:
    lacking = {"workshop": ("jupytext",), "serving": ("kserve",)}
    monkeypatch.setattr(doctor, "missing", lambda extra: lacking.get(extra, ()))

    run(["doctor"])

    said = " ".join(capsys.readouterr().out.split())
    assert (
        "pip install -c locks/constraints.txt -e '.[workshop]' && pip install --no-deps -r locks/serving.txt"
        in said
    )


@pytest.mark.parametrize("of", ["make workshop", "make wheelhouse"])
def test_what_the_steps_need_is_what_is_installed_and_packed_for_them(of: str) -> None:
    makefile = (doctor.ROOT / "Makefile").read_text("utf-8")
    lines = {
        "make workshop": re.findall(
            r"^\$\(VENV\)/\.workshop.*: (?:extras = |serving = locks/)([\w,]+)", makefile, re.MULTILINE
        ),
        "make wheelhouse": re.findall(r"wheel .*--wheel-dir.*(?:'\.\[|locks/)([\w,]+)", makefile),
    }[of]

    needed = {extra for extras in doctor.NEEDED_BY.values() for extra in extras}
    assert {extra for line in lines for extra in line.split(",")} >= needed


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_proxy_that_is_set_is_named_with_what_it_is_not_asked_for_and_without_its_password(
    sound, capsys, lang: str
) -> None:
    sound.setenv("HTTPS_PROXY", "http://me:s3cret@proxy:3128")
    sound.setenv("no_proxy", ".corp,127.0.0.1")
    sound.setenv("BRAKEPOINT_LANG", lang)

    assert run(["doctor"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "HTTPS_PROXY" in said and ".corp,127.0.0.1" in said
    assert "s3cret" not in said
