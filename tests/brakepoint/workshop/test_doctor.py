import re

import pytest

from brakepoint.cli import run
from brakepoint.workshop import doctor


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_what_is_missing_is_told_with_what_to_do(monkeypatch, capsys, lang: str) -> None:
    monkeypatch.setattr(doctor, "missing", lambda extra: ("torch",) if extra == "train" else ())
    monkeypatch.setattr(doctor, "feed_names", lambda: list(doctor.COURSE_FEEDS))

    monkeypatch.setenv("BRAKEPOINT_LANG", lang)

    assert run(["doctor"]) == 1
    said = capsys.readouterr().out
    assert said.count("✗") == 3  # Steps 3 and 4, and the last line.
    assert "pip install -e '.[train]'" in " ".join(said.split())


def test_a_machine_that_can_do_everything_is_told_so(monkeypatch) -> None:
    monkeypatch.setattr(doctor, "missing", lambda extra: ())
    monkeypatch.setattr(doctor, "feed_names", lambda: list(doctor.COURSE_FEEDS))

    assert run(["doctor"]) == 0


@pytest.mark.parametrize("of", ["make workshop", "make wheelhouse"])
def test_what_the_steps_need_is_what_is_installed_and_packed_for_them(of: str) -> None:
    makefile = (doctor.ROOT / "Makefile").read_text("utf-8")
    lines = {
        "make workshop": re.findall(
            r"^\$\(VENV\)/\.workshop.*: (?:extras|last) = (.*)", makefile, re.MULTILINE
        ),
        "make wheelhouse": re.findall(r"wheel --wheel-dir.*'\.\[(.*)\]'", makefile),
    }[of]

    needed = {extra for extras in doctor.NEEDED_BY.values() for extra in extras}
    assert {extra for line in lines for extra in line.split(",")} >= needed
