"""Set-up shows on a terminal what it installs and how much is left; in a log it is as quiet as pip."""

import subprocess
import sys
from pathlib import Path

import pytest
from pseudo_terminal import terminal

from locks import pip_told
from locks.pip_told import Told

ROOT = Path(__file__).parents[1]
PIP = """
import sys, time
said = sys.argv[1:]
if "--quiet" in said:
    sys.exit(0)
print("Collecting numpy==2.0")
print("  Downloading numpy-2.0-cp311.whl (12.3 MB)")
print("Installing collected packages: numpy")
print("ERROR: broken" if "broken" in said else "Successfully installed numpy-2.0", file=sys.stderr)
sys.exit(3 if "broken" in said else 0)
"""
"""Stands in for pip."""


@pytest.fixture(autouse=True)
def english(monkeypatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")


def heard(told: Told, *lines: str) -> str:
    for line in lines:
        told.hear(f"{line}\n")
    return told.line


def test_what_is_fetched_is_named_with_its_size_and_its_place_among_all(tmp_path) -> None:
    told = Told(tmp_path)

    assert heard(told, "Collecting numpy (from brakepoint==0.1.0)").endswith("so far: 1, most recently numpy")
    assert "so far: 2," in heard(told, "Collecting Jinja2>=3 (from x)")
    assert heard(told, "  Downloading numpy-2.0-cp311.whl (12.3 MB)") == "Fetching 1 of 2: numpy (12.3 MB)"
    assert (
        heard(told, "Using cached jinja2-3.1-py3-none-any.whl (133 kB)")
        == "Fetching package 2: jinja2 (133 kB)"
    )
    assert heard(told, "Processing ./wheelhouse/av-18.whl (from x)") == "Fetching package 3: av (…)"


@pytest.mark.parametrize(
    "line",
    [
        "Requirement already satisfied: numpy in /x",
        "  Downloading numpy-2.0.whl.metadata (60 kB)",
        "Processing /home/me/brakepoint",
        "",
    ],
)
def test_what_installs_nothing_changes_nothing(tmp_path, line) -> None:
    told = Told(tmp_path)
    before = heard(told, "Collecting numpy")

    assert heard(told, line) == before


def test_while_it_installs_what_is_there_is_counted(tmp_path) -> None:
    (tmp_path / "torch-2.0.dist-info").mkdir()
    (tmp_path / "other-1.dist-info").mkdir()
    told = Told(tmp_path)
    told.look()
    assert told.line == "Checking what is needed …"

    assert heard(told, "Installing collected packages: numpy, ruamel.yaml, torch") == (
        "Installing: 0 of 3 packages, 3 left"
    )
    (tmp_path / "numpy-2.0.dist-info").mkdir()
    (tmp_path / "ruamel_yaml-1.dist-info").mkdir()
    (tmp_path / "unasked-1.dist-info").mkdir()
    told.look()
    assert told.line == "Installing: 2 of 3 packages, 1 left"
    (tmp_path / "torch-2.0.dist-info").rmdir()
    (tmp_path / "torch-2.1.dist-info").mkdir()
    told.look()
    assert told.line == "Installing: 3 of 3 packages, 0 left"


def test_in_a_log_it_is_pip_with_the_same_words(monkeypatch, tmp_path) -> None:
    (tmp_path / "pip.py").write_text(PIP)
    script = (
        "import sys; sys.path.insert(0, '.'); from locks import environment, pip_told;"
        f"environment.ROOT = {str(tmp_path)!r};"
        f"pip_told.PIP = (sys.executable, {str(tmp_path / 'pip.py')!r});"
        "sys.exit(pip_told.main(sys.argv[1:]))"
    )
    run = [sys.executable, "-c", script]
    quiet = subprocess.run([*run, "--quiet", "install"], cwd=ROOT, capture_output=True, text=True)

    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    with terminal([*run, "--quiet", "install"], ROOT) as watched:
        watched.wait_for("Fetching package 1: numpy (12.3 MB)")
        assert watched.end() == 0
    with terminal([*run, "--quiet", "install", "broken"], ROOT) as watched:
        assert watched.end() == 3
        assert "ERROR: broken" in watched.said
        assert "for the reason that pip gives above" in watched.said


def test_pip_itself_is_what_runs() -> None:
    assert (sys.executable, "-m", "pip", "--disable-pip-version-check") == pip_told.PIP
