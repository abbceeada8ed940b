import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from brakepoint.errors import UserError
from brakepoint.messages import (
    FRAME_HEADER,
    FRAME_MAGIC,
    FRAME_MAX_BYTES,
    Detection,
    Detections,
    Frame,
    Light,
    Order,
    OrderKind,
    Reason,
    SignClass,
    TrainState,
    decode_frame,
    encode_frame,
    picture_hash,
)

finite = st.floats(allow_nan=False, allow_infinity=False)
coordinates = st.tuples(st.floats(-50, 600), st.floats(-50, 400), st.floats(0.01, 200), st.floats(0.01, 200))
boxes = coordinates.map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))
detection = st.builds(Detection, sign_class=st.sampled_from(SignClass), confidence=st.floats(0, 1), box=boxes)
messages = st.one_of(
    st.builds(
        Detections,
        frame_id=st.integers(0, 2**40),
        captured_at=finite,
        picture_hash=st.text("0123456789abcdef", max_size=16),
        items=st.lists(detection, max_size=5).map(tuple),
    ),
    st.builds(
        Order,
        kind=st.sampled_from(OrderKind),
        reason=st.sampled_from(Reason),
        sign=st.none() | st.sampled_from(SignClass),
        light=st.sampled_from(Light),
        at=finite,
    ),
    st.builds(
        TrainState,
        at=finite,
        position_cm=finite,
        speed_cm_s=st.floats(0, 1e6),
        power=st.integers(-100, 100),
        braking=st.booleans(),
        light=st.sampled_from(Light),
    ),
)


@given(messages)
def test_a_message_survives_its_json(message):
    assert type(message).model_validate_json(message.model_dump_json()) == message


@given(st.binary(max_size=300))
def test_bytes_that_are_not_a_frame_are_refused_with_a_sentence(payload):
    with pytest.raises(UserError):
        decode_frame(payload)


@given(st.binary(max_size=300))
def test_a_right_header_before_garbage_does_not_make_a_frame(garbage):
    with pytest.raises(UserError):
        decode_frame(FRAME_HEADER.pack(FRAME_MAGIC, 1, 0.0, 0.0, 0) + garbage)


def test_a_frame_survives_its_encoding():
    image = np.full((48, 64, 3), 90, np.uint8)

    frame = decode_frame(encode_frame(Frame(7, 1.5, 42.0, image, 24)))

    assert (frame.frame_id, frame.captured_at, frame.position_cm, frame.signs_from_px) == (7, 1.5, 42.0, 24)
    assert np.abs(frame.image.astype(int) - image).max() <= 2


def test_a_real_camera_may_not_know_where_it_is():
    frame = decode_frame(encode_frame(Frame(1, 0.0, math.nan, np.zeros((8, 8, 3), np.uint8))))

    assert math.isnan(frame.position_cm)


def test_a_frame_of_no_time_is_refused():
    payload = encode_frame(Frame(1, math.inf, 0.0, np.zeros((8, 8, 3), np.uint8)))

    with pytest.raises(UserError):
        decode_frame(payload)


def test_a_frame_of_which_hardly_anything_is_to_be_looked_at_is_refused():
    with pytest.raises(UserError):
        decode_frame(encode_frame(Frame(1, 0.0, 0.0, np.zeros((8, 8, 3), np.uint8), signs_from_px=5)))


def test_a_frame_that_is_too_long_is_refused():
    with pytest.raises(UserError):
        decode_frame(FRAME_HEADER.pack(FRAME_MAGIC, 1, 0.0, 0.0, 0) + bytes(FRAME_MAX_BYTES))


@pytest.mark.parametrize("box", [(10, 10, 10, 20), (10, 20, 30, 20), (30, 10, 10, 20), (0, 0, math.nan, 5)])
def test_a_box_without_area_is_refused(box):
    with pytest.raises(ValidationError):
        Detection(sign_class=SignClass.DANGER_AHEAD, confidence=0.5, box=box)


def test_orders_mean_the_same_whenever_they_are_given():
    early = Order(kind=OrderKind.BRAKE, reason=Reason.DANGER_STOP, at=1)
    late = Order(kind=OrderKind.BRAKE, reason=Reason.DANGER_STOP, light=Light.BLINK, at=2)

    assert early.meaning == late.meaning


def test_pictures_have_the_same_hash_only_if_they_are_the_same():
    image = np.zeros((48, 64, 3), np.uint8)
    other = image.copy()
    other[0, 0, 0] = 1

    assert picture_hash(image) == picture_hash(image.copy())
    assert picture_hash(image) != picture_hash(other)
