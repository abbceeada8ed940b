"""Which signs count in which world."""

import numpy as np
import pytest

from brakepoint.messages import SignClass
from brakepoint.synthesis import Materials
from brakepoint.synthesis.cutouts import SHIPPED_CUTOUTS, load_cutouts
from brakepoint.synthesis.plates import plates
from brakepoint.worlds import World

SUPPLIES = {"drawn": tuple(plates().values()), "rendered": load_cutouts(SHIPPED_CUTOUTS)}


@pytest.mark.parametrize("supply", SUPPLIES)
def test_on_the_track_yellow_triangles_count_and_white_ones_do_not_appear(supply: str) -> None:
    choice = Materials()._choice(SUPPLIES[supply])
    assert {sign.kind for sign in choice.fronts} >= {"danger-train", "limit-30", "limit-50"}
    assert not any(sign.kind.startswith("road-") for sign in (*choice.fronts, *choice.distractors))


@pytest.mark.parametrize("supply", SUPPLIES)
def test_on_a_road_white_triangles_count_and_yellow_ones_are_stickers_at_most(supply: str) -> None:
    choice = Materials(World.ROAD, stickers=True)._choice(SUPPLIES[supply])
    dangers = {sign.kind for sign in choice.fronts if sign.sign_class is SignClass.DANGER_AHEAD}
    assert dangers
    assert all(kind.startswith("road-") for kind in dangers)
    assert "danger-train" in {sign.kind for sign in choice.distractors}
    plain = Materials(World.ROAD)._choice(SUPPLIES[supply])
    assert "danger-train" not in {sign.kind for sign in (*plain.fronts, *plain.distractors)}


@pytest.mark.parametrize("world", World)
@pytest.mark.parametrize("cutouts", [(), SUPPLIES["rendered"]], ids=["drawn", "both"])
def test_a_distractor_has_no_class_and_a_sign_has_one(world: World, cutouts: tuple) -> None:
    materials = Materials(world, cutouts=cutouts)
    for number in range(30):
        rng = np.random.default_rng(number)
        assert materials.sign(rng, 120, 30, distractor=True).sign_class is None
        assert materials.sign(rng, 120, 30, distractor=False).sign_class is not None
