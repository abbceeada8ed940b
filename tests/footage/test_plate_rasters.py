"""The plates that the synthesis composites are those of the artwork."""

from importlib import resources
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from brakepoint.scenery.artwork import PLATES, rasterise
from brakepoint.synthesis.plates import plates
from footage.plate_rasters import WIDTH_PX


def test_every_plate_is_there() -> None:
    assert sorted(plates()) == sorted(PLATES)


@pytest.mark.parametrize("kind", sorted(PLATES))
def test_a_plate_has_the_size_and_class_of_its_artwork(kind: str) -> None:
    drawn, composited = PLATES[kind], plates()[kind]
    assert composited.size_cm == pytest.approx((drawn.width_cm, drawn.height_cm), abs=0.01)
    assert composited.sign_class == drawn.sign_class


@pytest.mark.parametrize("kind", sorted(PLATES))
def test_the_rasters_are_up_to_date(kind: str) -> None:
    stored = (resources.files("brakepoint.synthesis") / "plates" / f"{kind}.png").read_bytes()
    assert np.array_equal(np.array(Image.open(BytesIO(stored))), rasterise(kind, WIDTH_PX))
