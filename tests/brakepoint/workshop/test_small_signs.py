"""The signs on which the checks of step 2 try answers are what their names say."""

import numpy as np
import pytest

from brakepoint.workshop.checks.small_signs import DANGER, SIDE_PX, large_sign, placed_sign, sign_on_post


@pytest.mark.parametrize("sprite", [large_sign(), sign_on_post()], ids=["large", "on a post"])
def test_the_box_of_a_sign_is_the_edge_of_its_plate(sprite) -> None:
    rows, columns = (np.flatnonzero(sprite.plate.any(axis=axis)) for axis in (1, 0))

    assert sprite.box == (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    assert sprite.colour.shape[:2] == sprite.alpha.shape == sprite.plate.shape


def test_a_large_sign_has_twice_the_side_of_a_placed_one() -> None:
    assert large_sign().plate.shape == (2 * SIDE_PX, 2 * SIDE_PX)
    assert placed_sign(DANGER).sprite.plate.shape == (SIDE_PX, SIDE_PX)
