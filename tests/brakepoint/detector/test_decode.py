import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_models import raw_output

from brakepoint.detector.boxes import intersection_over_union
from brakepoint.detector.decode import Candidates, decode, non_maximum_suppression
from brakepoint.detector.layout import Layout

BOX = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(1, 40), st.integers(1, 40))
CANDIDATES = st.lists(st.tuples(BOX, st.integers(1, 100), st.integers(0, 1)), max_size=60)


def as_candidates(rows) -> Candidates:
    corners = [(left, top, left + width, top + height) for (left, top, width, height), _, _ in rows]
    return Candidates(
        np.array(corners, float).reshape(-1, 4),
        np.array([percent / 100 for _, percent, _ in rows]),
        np.array([class_id for _, _, class_id in rows], int),
    )


def test_overlap_of_half_a_box():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 0, 0]], float)
    others = np.array([[0, 0, 10, 5], [20, 20, 30, 30], [0, 0, 10, 10]], float)
    assert intersection_over_union(boxes, others).tolist() == [[0.5, 0, 1], [0, 0, 0]]


@settings(deadline=None)
@given(CANDIDATES, st.floats(0, 1))
def test_kept_boxes_of_a_class_stay_apart_and_every_dropped_one_has_a_better_rival(rows, iou_max):
    candidates = as_candidates(rows)
    kept = non_maximum_suppression(candidates, iou_max)
    overlap = intersection_over_union(kept.boxes, kept.boxes)
    same_class = kept.class_ids[:, None] == kept.class_ids
    assert not (same_class & (overlap > iou_max) & ~np.eye(len(kept.boxes), dtype=bool)).any()
    assert (np.diff(kept.scores) <= 0).all()

    rival = candidates.class_ids[:, None] == kept.class_ids
    rival &= candidates.scores[:, None] <= kept.scores
    rival &= intersection_over_union(candidates.boxes, kept.boxes) > iou_max
    itself = (candidates.boxes[:, None] == kept.boxes).all(axis=2) & (
        candidates.class_ids[:, None] == kept.class_ids
    )
    assert (rival | itself).any(axis=1).all()


@given(CANDIDATES)
def test_a_second_suppression_changes_nothing(rows):
    once = non_maximum_suppression(as_candidates(rows), 0.5)
    twice = non_maximum_suppression(once, 0.5)
    assert np.array_equal(once.boxes, twice.boxes)


def test_two_classes_at_one_place_both_stay():
    kept = non_maximum_suppression(as_candidates([((0, 0, 9, 9), 90, 0), ((0, 0, 9, 9), 80, 1)]), 0.5)
    assert kept.class_ids.tolist() == [0, 1]


def test_at_most_so_many_are_kept():
    apart = as_candidates([((50 * number, 0, 10, 10), 50, 0) for number in range(400)])
    assert len(non_maximum_suppression(apart, 0.5).scores) == 300


def test_an_end_to_end_row_of_an_unknown_class_is_dropped():
    output = np.array([[[0, 0, 10, 10, 0.9, 1], [0, 0, 10, 10, 0.8, 7], [0, 0, 0, 0, 0, 0]]], np.float32)
    found = decode(output, Layout.END_TO_END, 2, 0.25)
    assert found.class_ids.tolist() == [1]


@pytest.mark.parametrize("layout", Layout)
def test_what_is_exactly_as_sure_as_asked_for_is_kept_in_either_layout(layout):
    sure, unsure = 0.25, float(np.nextafter(np.float32(0.25), np.float32(0)))
    if layout is Layout.RAW:
        output = raw_output((0, 0, 10, 10, sure, 0.1), (20, 20, 30, 30, 0.1, unsure))
    else:
        output = np.array([[[0, 0, 10, 10, sure, 0], [20, 20, 30, 30, unsure, 1]]], np.float32)

    assert decode(output, layout, 2, 0.25).boxes.tolist() == [[0, 0, 10, 10]]
