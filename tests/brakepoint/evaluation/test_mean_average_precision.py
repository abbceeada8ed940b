import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brakepoint.evaluation.mean_average_precision import (
    IOU_THRESHOLDS,
    average_precision,
    class_metrics,
    match_picture,
)
from brakepoint.messages import Detection, SignClass

DANGER, LIMIT = SignClass.DANGER_AHEAD, SignClass.SPEED_LIMIT
GOLDEN = Path(__file__).parent / "ap_per_class.json"
"""Random pictures, and what ultralytics makes of them; `make_golden.py` wrote it."""


def sign(left=0, top=0, right=10, bottom=10, confidence=1.0, sign_class=DANGER):
    return Detection(sign_class=sign_class, confidence=confidence, box=(left, top, right, bottom))


def measure(*pictures, sign_class=DANGER, confidence=0.25):
    return class_metrics([match_picture(*picture) for picture in pictures], sign_class, confidence)


def test_perfect_detections():
    truths = [sign(), sign(20, 0, 30, 10), sign(sign_class=LIMIT)]
    metrics = measure((truths, truths), ([], []))
    assert (metrics.ap50, metrics.ap50_95) == pytest.approx((0.995, 0.995))
    assert (metrics.precision, metrics.recall, metrics.truths, metrics.detections) == (1, 1, 2, 2)


def test_no_detections():
    metrics = measure(([], [sign()]))
    assert (metrics.ap50, metrics.ap50_95, metrics.precision, metrics.recall) == (0, 0, None, 0)


def test_at_a_threshold_of_0_a_sign_that_nothing_matches_is_still_missed():
    assert measure(([], [sign()]), confidence=0).recall == 0


def test_no_truths():
    metrics = measure(([sign()], [sign(sign_class=LIMIT)]))
    assert (metrics.ap50, metrics.ap50_95, metrics.precision, metrics.recall) == (None, None, 0, None)


def test_nothing_at_all():
    metrics = measure(([], []))
    assert (metrics.ap50, metrics.precision, metrics.truths) == (None, None, 0)


def test_a_duplicate_is_wrong_and_costs_precision_but_no_recall():
    once = [sign(confidence=0.9)]
    twice = [*once, sign(1, 0, 11, 10, confidence=0.8)]
    two_truths = [sign(), sign(40, 0, 50, 10)]
    last = sign(40, 0, 50, 10, confidence=0.7)
    assert measure((twice, [sign()])).precision == 0.5
    assert measure((twice, [sign()])).recall == 1
    without, with_duplicate = (measure(([*found, last], two_truths)) for found in (once, twice))
    assert with_duplicate.ap50 < without.ap50


def test_the_surer_detection_takes_the_sign():
    worse_box_but_surer = sign(2, 0, 12, 10, confidence=0.9)
    match = match_picture([sign(confidence=0.5), worse_box_but_surer], [sign()])
    assert match.confidences.tolist() == [0.9, 0.5]
    assert match.correct[:, 0].tolist() == [True, False]
    # At a stricter overlap the surer one does not count, so the other gets the sign.
    assert match.correct[:, -1].tolist() == [False, True]


def test_another_class_does_not_count():
    assert not match_picture([sign(sign_class=LIMIT)], [sign()]).correct.any()


def test_overlap_decides_how_far_up_the_thresholds_it_is_correct():
    match = match_picture([sign(0, 0, 10, 7)], [sign()])
    assert match.correct[0].tolist() == [threshold < 0.71 for threshold in IOU_THRESHOLDS]


def test_precision_and_recall_are_for_the_threshold():
    truths = [sign(), sign(20, 0, 30, 10)]
    found = [sign(confidence=0.9), sign(20, 0, 30, 10, confidence=0.1), sign(50, 0, 60, 10, confidence=0.05)]
    metrics = measure((found, truths))
    assert (metrics.precision, metrics.recall, metrics.detections) == (1, 0.5, 1)
    assert metrics.ap50 > 0.9


@settings(deadline=None)
@given(st.lists(st.booleans(), max_size=50), st.integers(0, 20))
def test_average_precision_is_a_fraction_and_a_wrong_last_one_never_helps(correct, missed):
    truths = max(sum(correct) + missed, 1)
    area = average_precision(np.array(correct, bool), truths)
    assert 0 <= area <= 1
    assert average_precision(np.array([*correct, False]), truths) <= area + 1e-12
    assert average_precision(np.array([False, *correct]), truths) <= area + 1e-12


def pictures_of(case):
    def read(rows):
        return [Detection(sign_class=list(SignClass)[row[0]], confidence=row[1], box=row[2:]) for row in rows]

    return [(read(picture["found"]), read(picture["truths"])) for picture in case["pictures"]]


@pytest.mark.parametrize("case", json.loads(GOLDEN.read_text()), ids=lambda case: case["name"])
def test_the_same_as_ultralytics(case):
    for class_id, expected in case["ultralytics"].items():
        metrics = measure(*pictures_of(case), sign_class=list(SignClass)[int(class_id)])
        assert metrics.ap50 == pytest.approx(expected["ap50"], abs=1e-9)
        assert metrics.ap50_95 == pytest.approx(expected["ap50_95"], abs=1e-9)


def test_the_golden_numbers_are_what_ultralytics_says_today():
    pytest.importorskip("ultralytics")
    from make_golden import ultralytics_says

    for case in json.loads(GOLDEN.read_text()):
        assert ultralytics_says(case["pictures"]) == case["ultralytics"]
