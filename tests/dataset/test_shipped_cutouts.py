"""The committed cut-outs match their `cutouts.json`, and what the scene renders."""

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from brakepoint.scenery.artwork import PLATES
from brakepoint.synthesis.cutouts import INDEX, Cutout, load_cutouts, read_index
from footage.views import BACKS, LIGHT_SETUPS, THINGS, planned_views

CUTOUTS = Path(__file__).parents[2] / "dataset" / "cutouts"
MB = 1_000_000


@pytest.fixture(scope="module")
def cutouts() -> tuple[Cutout, ...]:
    return load_cutouts(CUTOUTS)


def mask(cutout: Cutout, grown_px: int = 0) -> np.ndarray:
    """The pixels inside a plate's outline, or inside it made larger or smaller."""
    inside = np.zeros(cutout.image.shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, np.round((cutout.plate - 0.5) * 16).astype(np.int32), 255, cv2.LINE_8, 4)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(grown_px) + 1,) * 2)
    change = cv2.dilate if grown_px > 0 else cv2.erode
    return np.asarray(change(inside, kernel, borderValue=0)) > 0


def test_the_folder_is_small_and_holds_nothing_but_what_the_index_names() -> None:
    index, files = read_index(CUTOUTS), sorted(CUTOUTS.iterdir())

    assert {file.name for file in files} == {INDEX, *(record.file for record in index.cutouts)}
    assert sum(file.stat().st_size for file in files) < 5 * MB


def test_it_is_all_that_one_command_renders() -> None:
    index = read_index(CUTOUTS)
    planned = planned_views(index.views, index.seed)

    assert 250 <= len(planned) <= 400
    assert {(record.file, record.kind, record.sign_class) for record in index.cutouts} == {
        (f"{view.name}.webp", view.kind, view.sign_class) for view in planned
    }


def test_every_sign_is_there_from_many_sides_in_every_light(cutouts: tuple[Cutout, ...]) -> None:
    for kind in (*PLATES, *BACKS):
        views = [cutout for cutout in cutouts if cutout.kind == kind]
        yaws = np.array([cutout.yaw_deg for cutout in views])
        assert {cutout.light for cutout in views} == set(LIGHT_SETUPS)
        if kind in PLATES:
            assert -75 <= yaws.min() < -40 and 40 < yaws.max() <= 75 and (abs(yaws) < 20).sum() >= 4
        else:
            assert (abs(yaws) >= 120).all()
    assert set(THINGS) <= {cutout.kind for cutout in cutouts}


def test_only_fronts_of_dangers_and_limits_have_a_class(cutouts: tuple[Cutout, ...]) -> None:
    classes = Counter((cutout.kind, cutout.sign_class) for cutout in cutouts)
    for kind, sign_class in classes:
        assert sign_class == (PLATES[kind].sign_class if kind in PLATES else None)


def test_a_plate_is_opaque_and_sharply_outlined(cutouts: tuple[Cutout, ...]) -> None:
    for cutout in cutouts:
        if cutout.kind in THINGS:
            continue
        alpha = cutout.image[..., 3]
        assert alpha[mask(cutout, grown_px=-2)].min() > 230
        if abs(cutout.yaw_deg) < 45:  # From farther aside the post shows behind the plate.
            upper = slice(0, int(cutout.plate[:, 1].mean()))
            assert not alpha[upper][~mask(cutout, grown_px=2)[upper]].any()


def test_the_plate_is_about_a_hundred_pixels_high_with_its_post_below(cutouts: tuple[Cutout, ...]) -> None:
    for cutout in cutouts:
        if cutout.kind in PLATES:
            top, bottom = cutout.plate[:, 1].min(), cutout.plate[:, 1].max()
            assert 90 < bottom - top < 160
            assert np.flatnonzero(cutout.image[..., 3].any(axis=1)).max() > bottom + 100


def test_no_dark_fringe_appears_when_a_cutout_is_scaled(cutouts: tuple[Cutout, ...]) -> None:
    for cutout in cutouts:
        alpha = cutout.image[..., 3]
        edge = (alpha > 0) & (alpha < 250) & mask(cutout, grown_px=1)
        inner = mask(cutout, grown_px=-1) & ~mask(cutout, grown_px=-5)
        assert cutout.image[edge][:, :3].mean() > 0.6 * cutout.image[inner][:, :3].mean() - 5
