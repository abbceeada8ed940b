"""Step 2: compositing, tight boxes and labels."""

import numpy as np
import pytest

from brakepoint.messages import SignClass
from brakepoint.synthesis import Label, Materials, Placed, Pose, Sprite, draw_sign
from brakepoint.synthesis.cutouts import SHIPPED_CUTOUTS, Cutout, load_cutouts
from brakepoint.synthesis.plates import plates
from brakepoint.synthesis.sprites import Look, draw_cutout
from solutions.step2_synthetic import composite, paint_picture, tight_box, yolo_line


def square_sprite(side: int = 10) -> Sprite:
    full = np.ones((side, side), np.float32)
    return Sprite(
        full[..., None] * np.array([10, 20, 30], np.float32),
        full,
        full,
        (0, 0, side, side),
        SignClass.DANGER_AHEAD,
    )


@pytest.mark.parametrize(
    ("left", "top", "painted"),
    [(5, 5, 100), (-4, 5, 60), (5, -9, 10), (36, 26, 16), (40, 5, 0), (-10, 0, 0)],
    ids=["inside", "cut left", "cut above", "cut in the corner", "right of it", "left of it"],
)
def test_composite_cuts_off_what_lies_outside(left: int, top: int, painted: int) -> None:
    image = np.full((30, 40, 3), 200, np.uint8)
    composite(image, square_sprite(), left, top)
    assert int((image == (10, 20, 30)).all(axis=2).sum()) == painted
    assert int((image == 200).all(axis=2).sum()) == 30 * 40 - painted


def test_half_transparent_pixels_are_a_mixture() -> None:
    half = np.full((2, 2), 0.5, np.float32)
    image = np.full((2, 2, 3), 100, np.uint8)
    composite(
        image,
        Sprite(half[..., None] * np.array([200, 0, 0], np.float32), half, half, (0, 0, 2, 2), None),
        0,
        0,
    )
    assert image[0, 0].tolist() == [150, 50, 50]


@pytest.mark.parametrize("kind", sorted(plates()))
@pytest.mark.parametrize("height_px", [9.0, 27.0, 90.0])
@pytest.mark.parametrize("yaw_deg", [0.0, 55.0])
def test_the_box_is_tight_around_the_drawn_plate(kind: str, height_px: float, yaw_deg: float) -> None:
    sprite = draw_sign(plates()[kind], Pose(height_px, yaw_deg, pitch_deg=6, roll_deg=10), Look())
    rows = np.flatnonzero((sprite.plate > 0.02).any(axis=1))
    columns = np.flatnonzero((sprite.plate > 0.02).any(axis=0))
    drawn = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    assert np.abs(np.subtract(sprite.box, drawn)).max() <= 1.1


def test_the_box_of_a_half_hidden_sign_holds_the_visible_half() -> None:
    placed, cover = Placed(square_sprite(), 10, 10), Placed(square_sprite(), 15, 10)
    placed.visible = placed.covered_by(cover)
    assert tight_box(placed) == (10, 10, 15, 20)


def test_the_box_ends_at_the_edge_of_the_picture() -> None:
    placed = Placed(square_sprite(), -4, 25)
    placed.clip_to(40, 30)
    assert placed.visible_fraction() == pytest.approx(0.3)
    assert tight_box(placed) == (0, 25, 6, 30)


def test_a_label_is_written_as_yolo_has_it() -> None:
    line = yolo_line(Label(SignClass.SPEED_LIMIT, (64, 48, 128, 144)), 640, 480)
    assert line == "1 0.150000 0.200000 0.100000 0.200000"


def test_pictures_are_frames_with_labels_inside() -> None:
    classes = set()
    for number in range(25):
        picture = paint_picture(np.random.default_rng([7, number]), Materials())
        assert picture.image.shape == (480, 640, 3)
        assert picture.image.dtype == np.uint8
        for label in picture.labels:
            left, top, right, bottom = label.box
            assert 0 <= left < right <= 640
            assert 0 <= top < bottom <= 480
            classes.add(label.sign_class)
    assert classes == set(SignClass)


def test_fronts_of_signs_have_their_class_and_backs_have_none() -> None:
    danger = plates()["danger-train"]
    assert draw_sign(danger, Pose(30), Look()).sign_class is SignClass.DANGER_AHEAD
    assert draw_sign(danger, Pose(30, yaw_deg=170), Look()).sign_class is None
    assert draw_sign(plates()["stop"], Pose(30), Look()).sign_class is None


LABELLED = [cutout for cutout in load_cutouts(SHIPPED_CUTOUTS) if cutout.sign_class is not None]


@pytest.mark.parametrize("cutout", LABELLED[::30], ids=lambda cutout: cutout.kind)
@pytest.mark.parametrize("height_px", [12.0, 40.0, 80.0])
def test_the_box_is_tight_around_the_plate_of_a_cutout(cutout: Cutout, height_px: float) -> None:
    sprite = draw_cutout(cutout, height_px, 8.0, Look())
    rows = np.flatnonzero((sprite.plate > 0.02).any(axis=1))
    columns = np.flatnonzero((sprite.plate > 0.02).any(axis=0))
    drawn = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    assert np.abs(np.subtract(sprite.box, drawn)).max() <= 1.1
    assert (sprite.alpha * sprite.plate).sum() > 0.85 * sprite.plate.sum()
