"""Drawn signs: what is behind a plate, and how light affects its print."""

import numpy as np

from brakepoint.synthesis import Look, Pose, draw_sign
from brakepoint.synthesis.plates import plates

SIGN = plates()["danger-train"]


def test_from_the_side_the_clip_behind_the_plate_is_to_be_seen():
    sprite = draw_sign(SIGN, Pose(60, yaw_deg=80), Look())
    left, top, _, bottom = map(round, sprite.box)
    beside = sprite.colour[(top + bottom) // 2, left - 2]
    yellow = beside[2] > 100 and beside[0] < 60

    assert yellow
    assert sprite.plate[(top + bottom) // 2, left - 2] == 0, "the clip is no part of what is labelled"


def test_ink_shines_brighter_than_the_plate_when_the_sheen_is_strong():
    as_printed = draw_sign(SIGN, Pose(60), Look()).colour.max(axis=2)
    dull, shining = (draw_sign(SIGN, Pose(60), Look(wash=wash)).colour[..., 0] for wash in (1.0, 1.5))
    sprite = draw_sign(SIGN, Pose(60), Look())
    ink = (sprite.plate == 1) & (as_printed < 30)

    assert np.median(dull[ink]) < 100 < np.median(shining[ink])
