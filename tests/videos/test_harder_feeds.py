"""The harder feeds are drivable, and the rendered ones match their scenarios."""

import hashlib
from pathlib import Path

import pytest
from driving import score

from brakepoint.feeds import harder_feeds
from brakepoint.scenery.geometry import synthetic_truth, truth_signs
from brakepoint.scenery.scenario import HARDER_DIR, load_scenario
from brakepoint.truth import load_truth

MIB = 2**20
SCENARIOS = sorted(HARDER_DIR.glob("*.yaml"))


def test_each_harder_scenario_of_the_proving_ground_is_rendered():
    assert len(SCENARIOS) >= 6
    assert {video.stem for video in harder_feeds()} == {path.stem for path in SCENARIOS}


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_with_perfect_detections_a_harder_line_is_driven_perfectly(path: Path):
    scenario = load_scenario(path)

    assert scenario.name == path.stem
    assert score(synthetic_truth(scenario)).score == 100


@pytest.mark.parametrize("video", harder_feeds(), ids=lambda path: path.stem)
def test_a_harder_feed_that_is_rendered_shows_its_scenario(video: Path):
    truth, scenario = load_truth(video.with_suffix(".json")), load_scenario(HARDER_DIR / f"{video.stem}.yaml")

    assert (truth.track, truth.signs) == (scenario.track, truth_signs(scenario))
    assert (truth.seed, truth.spacing_cm) == (scenario.seed, scenario.spacing_cm)
    assert video.stat().st_size < 8 * MIB
    assert hashlib.sha256(video.read_bytes()).hexdigest() == truth.video_sha256
