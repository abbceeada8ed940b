"""Step 2: pictures with exact labels, made from nothing but drawings of the signs.

Signs are drawn in perspective, laid onto backgrounds one behind the other, and photographed by an imaginary
bad camera. Because we put every sign there ourselves, we know where it is: the labels cost nothing and are
never wrong.
"""

import cv2
import numpy as np

from brakepoint.synthesis import (
    Box,
    Label,
    Materials,
    Picture,
    Placed,
    Sprite,
    photograph,
    random_height,
    random_occluder,
    random_shapes,
)

EMPTY_SHARE = 0.08
"""How many pictures hold no sign to be found: a detector must also learn to keep quiet."""
SIGNS_MOST = 8
DISTRACTOR_SHARE = 0.5
OCCLUDED_SHARE = 0.15
VISIBLE_LEAST = 0.4
"""A sign of which less is visible would be a riddle, not an example: it is not placed."""


def composite(image: np.ndarray, sprite: Sprite, left: int, top: int) -> None:
    """Lays a sprite onto a picture, in place. What lies outside the picture is cut off.

    Args:
        image: `(h, w, 3)` uint8, blue-green-red.
        sprite: Its colours are already multiplied by its alpha.
        left: Column of the sprite's left edge; may be negative.
        top: Row of its upper edge; may be negative.
    """
    rows, columns = sprite.alpha.shape
    height, width = image.shape[:2]
    x0, x1 = max(left, 0), min(left + columns, width)
    y0, y1 = max(top, 0), min(top + rows, height)
    if x0 >= x1 or y0 >= y1:
        return
    inside = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    behind = image[y0:y1, x0:x1]
    blended = behind * (1 - sprite.alpha[inside][..., None]) + sprite.colour[inside]
    image[y0:y1, x0:x1] = blended.clip(0, 255).astype(np.uint8)


def tight_box(placed: Placed) -> Box:
    """Returns the smallest box around what is visible of a placed plate, in pixels of the picture."""
    left, top, right, bottom = placed.sprite.box
    if not np.array_equal(placed.visible, placed.sprite.plate):
        rows = np.flatnonzero((placed.visible > 0.3).any(axis=1))
        columns = np.flatnonzero((placed.visible > 0.3).any(axis=0))
        left, right = max(left, columns[0]), min(right, columns[-1] + 1)
        top, bottom = max(top, rows[0]), min(bottom, rows[-1] + 1)
    return left + placed.left, top + placed.top, right + placed.left, bottom + placed.top


def yolo_line(label: Label, width: int, height: int) -> str:
    """Writes a label as YOLO has it: class id, then centre and size as fractions of the picture."""
    left, top, right, bottom = label.box
    class_id = list(type(label.sign_class)).index(label.sign_class)
    centre = f"{(left + right) / 2 / width:.6f} {(top + bottom) / 2 / height:.6f}"
    return f"{class_id} {centre} {(right - left) / width:.6f} {(bottom - top) / height:.6f}"


def paint_picture(rng: np.random.Generator, materials: Materials) -> Picture:
    """Makes one picture and its labels; the same state of `rng` makes the same picture.

    Args:
        rng: Source of all chance.
        materials: What there is to make it from.
    """
    image = materials.background(rng)
    if rng.random() < 0.7:
        random_shapes(rng, image, count=int(rng.integers(1, 16)), largest=110)
    placed: list[Placed] = []
    empty = rng.random() < EMPTY_SHARE
    heights = sorted(random_height(rng) for _ in range(rng.integers(1, SIGNS_MOST + 1)))
    for height_px in heights:  # The small ones are far away, so the near ones may stand before them.
        distractor = empty or rng.random() < DISTRACTOR_SHARE
        _place_sign(rng, image, placed, materials, height_px, distractor)
    shown = photograph(rng, image)
    labels = tuple(
        Label(sign.sprite.sign_class, tight_box(sign))
        for sign in placed
        if sign.sprite.sign_class is not None
    )
    return Picture(shown, labels, jpeg_quality=int(rng.integers(25, 96)))


def _place_sign(
    rng: np.random.Generator,
    image: np.ndarray,
    placed: list[Placed],
    materials: Materials,
    height_px: float,
    distractor: bool,
) -> None:
    """Tries some places for a sign; where it would hide too much of another, it is not placed."""
    x, y = int(rng.integers(image.shape[1])), int(rng.integers(image.shape[0]))
    brightness = float(cv2.mean(image[max(y - 30, 0) : y + 30, max(x - 30, 0) : x + 30])[0])
    sprite = materials.sign(rng, brightness, height_px, distractor)
    rows, columns = sprite.alpha.shape
    stands = _stand(image, placed, Placed(sprite, x - columns // 2, y - rows // 4))
    if stands and rng.random() < OCCLUDED_SHARE:
        occluder = random_occluder(rng, height_px)
        shift = (rng.normal(0, 0.6, 2) * height_px).astype(int)
        _stand(image, placed, Placed(occluder, x + int(shift[0]), y + int(shift[1])))


def _stand(image: np.ndarray, placed: list[Placed], new: Placed) -> bool:
    """Composites a sprite unless too little of it, or of one behind it, would be seen."""
    new.clip_to(image.shape[1], image.shape[0])
    if new.sprite.sign_class is not None and new.visible_fraction() < VISIBLE_LEAST:
        return False
    behind = [(sign, sign.covered_by(new)) for sign in placed]
    if any(rest.sum() < VISIBLE_LEAST * sign.sprite.plate.sum() for sign, rest in behind):
        return False
    for sign, rest in behind:
        sign.visible = rest
    composite(image, new.sprite, new.left, new.top)
    placed.append(new)
    return True
