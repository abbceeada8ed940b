import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brakepoint.rules import FULL_SPEED_CM_S, LOW_SPEED_CM_S
from brakepoint.track import Curve, Straight, Track

straights = st.builds(Straight, straight_cm=st.floats(1, 300))
curves = st.builds(
    Curve,
    curve=st.sampled_from(("left", "right")),
    radius_cm=st.floats(20, 300),
    angle_deg=st.floats(5, 180),
)
tracks = st.lists(straights | curves, min_size=1, max_size=8).map(Track)


@given(tracks, st.floats(0, 1))
def test_a_train_advances_by_what_it_drives(track, part):
    position = part * track.length_cm
    here, there = track.pose(position), track.pose(position + 0.01)

    assert math.dist(here[:2], there[:2]) == pytest.approx(0.01, rel=1e-3)


@given(tracks)
def test_a_track_has_no_gaps_and_no_kinks(track):
    for begin, _, _ in track.spans()[1:]:
        before, after = track.pose(begin - 1e-6), track.pose(begin + 1e-6)
        assert math.dist(before[:2], after[:2]) < 1e-4
        assert abs(before.heading - after.heading) < 1e-4


def test_a_quarter_circle_ends_beside_its_centre():
    end = Track([Curve(curve="left", radius_cm=32, angle_deg=90)]).pose(32 * math.pi / 2)

    assert end[:2] == pytest.approx((32, 32))
    assert end.heading == pytest.approx(math.pi / 2)


def test_right_is_where_the_right_hand_is():
    assert Track([Straight(straight_cm=100)]).pose(10).beside(7)[:2] == pytest.approx((10, -7))


def test_only_the_wide_curve_is_safe_at_full_speed():
    tight, wide = (Curve(curve="left", radius_cm=radius, angle_deg=90) for radius in (32, 83.2))

    assert LOW_SPEED_CM_S < tight.speed_max_cm_s < FULL_SPEED_CM_S < wide.speed_max_cm_s
