"""A model's output is read according to its layout, or rejected: by shape, metadata and numbers."""

from pathlib import Path

import numpy as np
import pytest
from onnx_models import raw_output

from brakepoint.detector.layout import Layout, check_numbers, find_layout
from brakepoint.errors import UserError

MODEL = Path("model.onnx")
SAYS_SO, DENIES = {"end2end": "True"}, {"end2end": "False", "args": "{'nms': False}"}
SIGNS = ((10.0, 10.0, 30.0, 30.0, 0.9, 0.1), (60.0, 20.0, 80.0, 50.0, 0.2, 0.7))
RAW = raw_output(*SIGNS)
END_TO_END = np.zeros((1, 20, 6), np.float32)
END_TO_END[0, :2] = [(10, 10, 30, 30, 0.9, 0), (60, 20, 80, 50, 0.7, 1)]
RANDOM = np.random.default_rng(7).random((1, 300, 6)).astype(np.float32)


def dense_raw(width_px: int = 640, height_px: int = 384, stride_px: int = 16) -> np.ndarray:
    """What a network gives for an empty picture: a box at each step, and scores that are hardly any."""
    across, down = np.meshgrid(np.arange(0, width_px, stride_px), np.arange(0, height_px, stride_px))
    sizes, scores = np.full(across.size, 24.0), np.full(across.size, 1e-6)
    return np.stack([across.ravel(), down.ravel(), sizes, sizes, scores, scores])[None].astype(np.float32)


def key_of(output: np.ndarray, metadata: dict[str, str]) -> str:
    with pytest.raises(UserError) as caught:
        find_layout(output, 2, metadata, MODEL)
    assert "model.onnx" in str(caught.value)
    return caught.value.key


@pytest.mark.parametrize(
    ("shape", "metadata", "layout"),
    [
        ((1, 6, 6300), {}, Layout.RAW),
        ((1, 6, 3), {}, Layout.RAW),
        ((1, 6, 0), {}, Layout.RAW),
        ((1, 300, 6), {}, Layout.END_TO_END),
        ((1, 2, 6), {}, Layout.END_TO_END),
        ((1, 0, 6), {}, Layout.END_TO_END),
        ((1, 6, 6), {}, Layout.RAW),
        ((1, 6, 6), SAYS_SO, Layout.END_TO_END),
        ((1, 6, 6), {"args": "{'nms': True}"}, Layout.END_TO_END),
        ((1, 6, 6), {"args": '{"nms": true}'}, Layout.END_TO_END),
        ((1, 6, 6), {"end2end": "true"}, Layout.END_TO_END),
        ((1, 6, 6), DENIES, Layout.RAW),
        ((1, 6, 6300), SAYS_SO, Layout.RAW),
        ((1, 300, 6), {"end2end": "False", "args": "{'nms': True}"}, Layout.END_TO_END),
        ((1, 300, 6), {"args": "{'nms': False}"}, Layout.END_TO_END),
        ((1, 6, 6300), {"task": "detect", "head": "Detect"}, Layout.RAW),
    ],
)
def test_an_output_without_detections_is_reported_by_shape_and_metadata(shape, metadata, layout):
    assert find_layout(np.zeros(shape, np.float32), 2, metadata, MODEL) is layout


@pytest.mark.parametrize("shape", [(1, 84, 8400), (6, 6300), (2, 6, 6300), (1, 38, 6300), (1,), (1, 6, 7, 8)])
def test_another_kind_of_model_is_refused(shape):
    assert key_of(np.zeros(shape, np.float32), {}) == "error.model_output"


@pytest.mark.parametrize("metadata", [{"task": "segment"}, {"task": "obb"}, {"head": "RTDETRDecoder"}])
@pytest.mark.parametrize("output", [RAW, END_TO_END], ids=["raw", "end to end"])
def test_a_model_that_says_that_it_is_for_something_else_is_refused(output, metadata):
    assert key_of(output, metadata) == "error.model_output"


def test_what_denies_to_be_end_to_end_is_not_read_so():
    assert key_of(np.zeros((1, 300, 6), np.float32), DENIES) == "error.model_output"


@pytest.mark.parametrize("metadata", [{}, SAYS_SO])
@pytest.mark.parametrize("output", [RAW, dense_raw()], ids=["two signs", "nothing"])
def test_a_transposed_raw_output_is_refused(output, metadata):
    assert key_of(output.transpose(0, 2, 1), metadata) == "error.model_columns"


@pytest.mark.parametrize("metadata", [{}, SAYS_SO])
def test_what_an_rt_detr_gives_is_refused_without_its_saying_so(metadata):
    assert key_of(RANDOM, metadata) == "error.model_columns"


@pytest.mark.parametrize("metadata", [{}, SAYS_SO])
def test_end_to_end_boxes_in_fractions_are_refused(metadata):
    fractions = END_TO_END.copy()
    fractions[..., :4] /= 640
    assert key_of(fractions, metadata) == "error.model_columns"


def test_raw_boxes_in_fractions_or_by_their_corners_are_refused():
    fractions, corners = dense_raw(), dense_raw()
    fractions[:, :4] /= 640
    corners[:, 2:4] = -24
    assert key_of(fractions, {}) == key_of(corners, {}) == "error.model_columns"


@pytest.mark.parametrize(
    ("output", "layout"),
    [(RAW, Layout.RAW), (dense_raw(), Layout.RAW), (END_TO_END, Layout.END_TO_END)],
    ids=["two signs", "nothing", "end to end"],
)
def test_either_layout_is_known_by_its_numbers_without_metadata(output, layout):
    assert find_layout(output, 2, {}, MODEL) is layout


def test_a_few_end_to_end_boxes_without_area_are_not_a_reason_to_refuse_all():
    output = END_TO_END.copy()
    output[0, 2] = (40, 40, 39, 44, 0.001, 1)
    assert find_layout(output, 2, SAYS_SO, MODEL) is Layout.END_TO_END


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1.01, -0.01, 40.0])
@pytest.mark.parametrize(("output", "layout"), [(RAW, Layout.RAW), (END_TO_END, Layout.END_TO_END)])
def test_a_score_that_is_none_is_refused_when_loaded_and_later(output, layout, wrong):
    output = output.copy()
    output[(0, 4, 5) if layout is Layout.RAW else (0, 5, 4)] = wrong

    assert key_of(output, {}) == "error.model_numbers"
    with pytest.raises(UserError, match=MODEL.stem):
        check_numbers(output, layout, MODEL)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize(("output", "layout"), [(RAW, Layout.RAW), (END_TO_END, Layout.END_TO_END)])
def test_a_box_without_end_is_refused(output, layout, wrong):
    output = output.copy()
    output[0, 1, 1] = wrong
    assert key_of(output, {}) == "error.model_numbers"


@pytest.mark.parametrize("score", [-0.0005, 0.0, 1.0, 1.0005])
def test_a_score_may_be_outside_by_a_rounding(score):
    output = raw_output((10, 10, 30, 30, score, 0))
    assert find_layout(output, 2, {}, MODEL) is Layout.RAW
