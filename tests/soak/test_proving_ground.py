"""The whole proving ground, and two hundred random lines."""

from pathlib import Path

import pytest
from driving import NoisyDetector, score
from random_lines import random_line

from brakepoint.detector import SHIPPED_MODEL
from brakepoint.proving.ground import Candidate, Proof, feeds_to_prove, prove, trials_of
from brakepoint.scenery.geometry import synthetic_truth

LINES = 200


def test_no_train_of_the_proving_ground_derails(tmp_path: Path):
    candidate, trials = Candidate(str(SHIPPED_MODEL), "solutions"), trials_of(feeds_to_prove(), ())
    proof = Proof.of(candidate, trials, prove(candidate, trials, tmp_path))

    assert proof.counts()["missions"] == len(trials)
    assert [one for one in proof.failures() if one.score.derailed] == []


@pytest.mark.parametrize("seed", range(LINES))
def test_with_perfect_detections_every_line_is_driven_perfectly(seed: int):
    assert score(synthetic_truth(random_line(seed))).score == 100


@pytest.mark.parametrize("seed", range(LINES))
def test_boxes_that_jitter_and_signs_that_are_missed_make_no_stop_twice(seed: int):
    truth = synthetic_truth(random_line(seed))
    result = score(truth, detector=NoisyDetector(truth, seed, missed=0.3, false_alarms=0))

    assert result.false_stops == 0
