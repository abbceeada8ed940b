import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brakepoint.detector.letterbox import GREY, Letterbox, fill_tensor

SIZES = st.tuples(st.integers(1, 4000), st.integers(1, 4000))
INPUTS = st.tuples(st.integers(1, 40), st.integers(1, 40)).map(lambda size: (size[0] * 32, size[1] * 32))
FRACTIONS = st.lists(st.floats(0, 1), min_size=4, max_size=4)


@given(SIZES, INPUTS, FRACTIONS)
def test_a_box_comes_back_within_a_pixel(frame_size, input_size, fractions):
    boxes = np.array([fractions]) * np.tile(frame_size, 2)
    letterbox = Letterbox.fit(frame_size, input_size)
    assert letterbox.to_frame(letterbox.to_input(boxes)) == pytest.approx(boxes, abs=1)


@given(SIZES, INPUTS)
def test_the_frame_lies_inside_the_input_and_touches_two_sides(frame_size, input_size):
    letterbox = Letterbox.fit(frame_size, input_size)
    spare = [outer - inner for outer, inner in zip(input_size, letterbox.inner_size_px, strict=True)]
    assert min(spare) == 0
    assert all(
        2 * margin in (space, space - 1) for margin, space in zip(letterbox.margin_px, spare, strict=True)
    )


@given(SIZES, INPUTS, st.sampled_from([1, 2, 4]))
def test_a_low_input_is_as_low_as_the_frame_allows(frame_size, input_size, coarser):
    stride_px = 32 * coarser
    input_size = input_size[0] * coarser, input_size[1] * coarser
    whole, low = (
        Letterbox.fit(frame_size, input_size),
        Letterbox.fit(frame_size, input_size, stride_px),
    )
    (width, height), (_, inner_height) = low.input_size_px, low.inner_size_px
    assert low.inner_size_px == whole.inner_size_px
    assert (width, height % stride_px) == (input_size[0], 0)
    assert inner_height <= height < inner_height + stride_px


@given(SIZES, INPUTS, st.lists(st.floats(-1e4, 1e4), min_size=4, max_size=4))
def test_nothing_comes_back_from_outside_the_frame(frame_size, input_size, box):
    mapped = Letterbox.fit(frame_size, input_size).to_frame(np.array([box]))
    assert (mapped >= 0).all()
    assert (mapped <= np.tile(frame_size, 2)).all()


@pytest.mark.parametrize("frame_size", [(640, 480), (480, 640), (1280, 720), (33, 7), (96, 64)])
def test_the_picture_lies_where_the_boxes_say(frame_size):
    width, height = frame_size
    letterbox = Letterbox.fit(frame_size, (96, 64))
    padded = letterbox.apply(np.full((height, width, 3), 255, np.uint8))
    rows, columns = np.nonzero((padded != GREY).all(axis=2))
    inside = letterbox.to_input(np.array([[0, 0, width, height]]))[0]
    assert padded.shape == (64, 96, 3)
    assert [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] == pytest.approx(inside)


def test_the_margins_are_as_grey_as_those_that_ultralytics_trains_with():
    padded = Letterbox.fit((96, 32), (96, 64)).apply(np.zeros((32, 96, 3), np.uint8))

    assert padded[0, 0].tolist() == padded[-1, -1].tolist() == [114, 114, 114]


def test_a_frame_of_the_right_size_is_not_copied():
    image = np.zeros((64, 96, 3), np.uint8)
    assert Letterbox.fit((96, 64), (96, 64)).apply(image) is image


def test_the_tensor_is_red_green_blue_from_0_to_1():
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, 1] = (51, 102, 255)
    tensor = np.zeros((1, 3, 2, 2), np.float32)
    fill_tensor(image, tensor)
    assert tensor[0, :, 0, 1] == pytest.approx([1.0, 0.4, 0.2])
    assert tensor[0, :, 1].max() == 0
