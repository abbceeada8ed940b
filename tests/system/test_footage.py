"""Renders a short new scenario, with an interruption, and drives it. This takes minutes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from brakepoint.synthesis.cutouts import INDEX
from brakepoint.truth import load_truth

NO_BLENDER = os.environ.get("NO_BLENDER", "")
"""Why `make test-system` has made no environment with Blender; it is made wherever there is a Python 3.11."""
pytestmark = pytest.mark.skipif(bool(NO_BLENDER), reason=NO_BLENDER)

SCENARIO = """
name: unseen
seed: 4711
spacing_cm: 8
light: overcast
clutter: 0.4
track:
  - {straight_cm: 150}
  - {curve: right, radius_cm: 32, angle_deg: 40}
signs:
  - {kind: stop, at_cm: 60, side: left}
  - {kind: danger-children, at_cm: 130, side: left}
"""
BRAKEPOINT = (sys.executable, "-m", "brakepoint")
WITH_BLENDER = (str(Path(__file__).parents[2] / ".venv-footage" / "bin" / "python"), "-m", "brakepoint")
"""Made by `make test-system`."""
CUTOUTS = Path(__file__).parents[2] / "dataset" / "cutouts"


def frames(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.glob(".footage/unseen-*/???????.png")}


def heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupted_render_is_taken_up_again_and_its_feed_can_be_driven(tmp_path: Path) -> None:
    (tmp_path / "unseen.yaml").write_text(SCENARIO)
    render = [*WITH_BLENDER, "footage", "render", "unseen.yaml", "--out", "feeds"]

    # Tests that run in the background may ignore Ctrl-C.
    first = subprocess.Popen(render, cwd=tmp_path, preexec_fn=heed_interrupts)
    while len(frames(tmp_path)) < 5 and first.poll() is None:
        time.sleep(0.2)
    first.send_signal(signal.SIGINT)
    assert first.wait(60) == 130
    kept = frames(tmp_path)
    assert len(kept) >= 5
    assert not list(tmp_path.glob("feeds/*"))

    subprocess.run(render, cwd=tmp_path, check=True)
    assert kept.items() <= frames(tmp_path).items(), "finished frames are not rendered again"
    truth = load_truth(tmp_path / "feeds" / "unseen.json")
    sizes = [sign.box[3] - sign.box[1] for frame in truth.frames for sign in frame.signs if sign.id == 1]
    assert sizes[0] < 15 < 40 < max(sizes)

    mission = [*BRAKEPOINT, "mission", "--feed", str(tmp_path / "feeds" / "unseen.mp4"), "--json"]
    done = subprocess.run(mission, cwd=tmp_path, check=False, capture_output=True, text=True)
    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert report["missions"][0]["accomplished"]


def test_a_cutout_that_is_missing_is_rendered_again_as_it_was(tmp_path: Path) -> None:
    shutil.copytree(CUTOUTS, tmp_path / "cutouts")
    missing = tmp_path / "cutouts" / "danger-train-03.webp"
    missing.unlink()

    subprocess.run([*WITH_BLENDER, "footage", "cutouts", "--out", "cutouts"], cwd=tmp_path, check=True)

    rendered, kept = (
        np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)) for path in (missing, CUTOUTS / missing.name)
    )
    assert rendered.shape == kept.shape
    assert np.abs(rendered.astype(int) - kept).mean() < 3
    assert (tmp_path / "cutouts" / INDEX).read_text() == (CUTOUTS / INDEX).read_text()
