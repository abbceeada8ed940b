"""`pip install 'brakepoint[mission]'`, as a person types it; then mission, step and page in any folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from brakepoint.course import ROOT

PERFECT = r"track-stop +✓ accomplished +100 "
"""The row of the table; a slow machine prints lines of progress as well."""


@pytest.fixture(scope="module")
def brakepoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, in an environment that has the wheel, its extra `mission`, and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    # Compiling all modules would take longer than the test imports the few that it needs.
    locked = {**os.environ, "PIP_CONSTRAINT": str(ROOT / "locks" / "constraints.txt"), "PIP_NO_COMPILE": "1"}
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], check=True)
    pip = [str(folder / "env" / "bin" / "pip"), "install", "--quiet", f"{wheel}[mission]"]
    subprocess.run(pip, check=True, env=locked)
    return folder / "env" / "bin" / "brakepoint"


def test_it_drives_checks_a_step_and_shows_its_page(brakepoint: Path, tmp_path: Path, browser) -> None:
    def run(*words: str) -> str:
        done = subprocess.run(
            [str(brakepoint), "--lang", "en", *words], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert re.search(PERFECT, run("mission", "--feed", "track-stop"))
    run("catch-up", "6")
    assert "✗" not in run("check", "6")
    assert re.search(PERFECT, run("mission", "--feed", "track-stop", "--steps", "labs"))
    page = browser.new_page()
    page.goto((tmp_path / "runs" / "mission" / "index.html").as_uri())
    expect(page.get_by_text("track-stop").first).to_be_visible()
    page.close()
