import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brakepoint.evaluation.interval import map50_interval
from brakepoint.evaluation.mean_average_precision import match_picture
from brakepoint.messages import Detection, SignClass

DANGER, LIMIT = SignClass.DANGER_AHEAD, SignClass.SPEED_LIMIT


def sign(left: float = 0, confidence: float = 1.0, sign_class: SignClass = DANGER) -> Detection:
    return Detection(sign_class=sign_class, confidence=confidence, box=(left, 0, left + 10, 10))


Picture = tuple[list[Detection], list[Detection]]
RIGHT: Picture = [sign()], [sign()]
WRONG: Picture = [sign(50, 0.9)], [sign()]
BLIND: Picture = [], [sign()]


def interval(*pictures: Picture, seed: int = 0) -> tuple[float, float]:
    return map50_interval([match_picture(*picture) for picture in pictures], resamples=200, seed=seed)


def test_where_every_picture_says_the_same_there_is_nothing_to_doubt() -> None:
    assert interval(*[RIGHT] * 5) == pytest.approx((0.995, 0.995))
    assert interval(*[BLIND] * 5) == (0, 0)


def test_more_pictures_of_the_same_kind_narrow_it() -> None:
    few, many = (interval(*[RIGHT, BLIND] * count) for count in (4, 40))
    assert few[0] < many[0] < 0.5 < many[1] < few[1]


def test_the_same_seed_gives_the_same_interval() -> None:
    pictures = [RIGHT, BLIND, WRONG] * 4
    assert interval(*pictures) == interval(*pictures)


def test_a_resample_without_signs_of_a_class_is_not_evidence_about_it() -> None:
    rare = ([sign(sign_class=LIMIT)], [sign(sign_class=LIMIT)])
    assert interval(rare, *[RIGHT] * 9) == pytest.approx((0.995, 0.995))


@given(
    st.lists(
        st.tuples(
            st.lists(st.builds(sign, st.integers(0, 60), st.floats(0.01, 1)), max_size=4),
            st.lists(st.builds(sign, st.integers(0, 60)), min_size=1, max_size=3),
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=25)
def test_the_interval_is_a_part_of_0_to_1(pictures: list[tuple]) -> None:
    low, high = interval(*pictures)
    assert 0 <= low <= high <= 1
    assert not np.isnan((low, high)).any()
