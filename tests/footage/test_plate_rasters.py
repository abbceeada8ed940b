"""The plates that the synthesis composites are those of the artwork."""

from importlib import resources
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from brakepoint.scenery.artwork import ALL_PLATES, rasterise
from brakepoint.synthesis.plates import plates
from footage.plate_rasters import WIDTH_PX


def test_every_plate_is_there() -> None:
    assert sorted(plates()) == sorted(ALL_PLATES)


@pytest.mark.parametrize("kind", sorted(ALL_PLATES))
def test_a_plate_has_the_size_and_class_of_its_artwork(kind: str) -> None:
    drawn, composited = ALL_PLATES[kind], plates()[kind]
    assert composited.size_cm == pytest.approx((drawn.width_cm, drawn.height_cm), abs=0.01)
    assert composited.sign_class == drawn.sign_class


@pytest.mark.parametrize("kind", sorted(ALL_PLATES))
def test_a_plate_is_opaque_within_its_outline_and_nowhere_else(kind: str) -> None:
    height, width = plates()[kind].prints[3][0].shape[:2]
    corners = (np.array(ALL_PLATES[kind].outline) / plates()[kind].size_cm * (1, -1) + 0.5) * (width, height)
    inside = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(inside, corners.round().astype(np.int32), 1)
    opaque = plates()[kind].prints[3][0][..., 3] > 0.5 * 255

    assert (opaque == inside).mean() > 0.98


@pytest.mark.parametrize("kind", sorted(ALL_PLATES))
def test_the_rasters_are_up_to_date(kind: str) -> None:
    stored = (resources.files("brakepoint.synthesis") / "plates" / f"{kind}.png").read_bytes()
    assert np.array_equal(np.array(Image.open(BytesIO(stored))), rasterise(kind, WIDTH_PX))
