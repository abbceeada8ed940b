from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brakepoint.errors import UserError
from brakepoint.scenery.artwork import PLATES
from brakepoint.synthesis.cutouts import CutoutIndex
from footage.cutouts import bled, render_cutouts, write_index
from footage.views import BACKS, LIGHT_SETUPS, THINGS, planned_views


@given(views=st.integers(1, 20), seed=st.integers(0, 10_000))
def test_every_kind_gets_its_views_and_a_seed_always_the_same(views: int, seed: int) -> None:
    planned = planned_views(views, seed)
    assert planned == planned_views(views, seed)
    assert len({view.name for view in planned}) == len(planned)
    for kind in (*PLATES, *BACKS):
        assert sum(view.kind == kind for view in planned) == views
    for kind in THINGS:
        assert sum(view.kind == kind for view in planned) == (views + 1) // 2


@given(seed=st.integers(0, 10_000))
def test_fronts_show_their_fronts_and_backs_their_backs(seed: int) -> None:
    for view in planned_views(8, seed):
        if view.kind in PLATES:
            assert abs(view.yaw_deg) <= 75
        if view.kind in BACKS:
            assert 120 <= abs(view.yaw_deg) <= 180
            assert view.sign_class is None
        assert -5 <= view.pitch_deg <= 20


def test_a_kind_is_seen_in_every_light_before_any_comes_twice() -> None:
    count = len(LIGHT_SETUPS)
    lights = [view.light for view in planned_views(count, 1) if view.kind == "stop"]
    assert sorted(lights) == sorted(LIGHT_SETUPS)


def test_transparent_pixels_take_the_colour_beside_them_and_stay_transparent() -> None:
    image = np.zeros((9, 9, 4), np.uint8)
    image[3:6, 3:6] = (10, 200, 90, 255)
    image[6, 3:6] = (1, 2, 3, 120)
    result = bled(image)
    assert (result[..., :3] == (10, 200, 90)).all()
    assert (result[..., 3] == image[..., 3]).all()


def test_a_folder_that_was_begun_otherwise_is_not_mixed_up(tmp_path: Path) -> None:
    write_index(tmp_path, CutoutIndex(seed=1, views=4, cutouts=()))
    with pytest.raises(UserError, match="--views 4 --seed 1"):
        render_cutouts(tmp_path, views=4, seed=2, progress=lambda done, total: None)
