"""Step 2: pictures with exact labels, made from drawn or rendered signs, without photographs of any sign.

Signs are placed on backgrounds one after another, and photographed by a simulated bad camera. Because we
place every sign ourselves, we know where it is: the labels cost nothing and are never wrong.
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
"""Share of pictures in which all signs are distractors: a detector must also learn when to report nothing."""
SIGNS_MOST = 8
DISTRACTOR_SHARE = 0.5
"""Share of distractors in the other pictures: stop signs, no entry, backs of signs."""
OCCLUDED_SHARE = 0.15
CROWDED_SHARE = 0.3
"""Share of signs close to another one, or partly in front of it: two of them are easily taken for one."""
VISIBLE_LEAST = 0.4
"""A sign with a smaller visible share would be a riddle, not an example: it is not placed."""
SEEN_LEAST = 0.3
"""A pixel shows a plate if at least this share of it belongs to the plate."""


def composite(image: np.ndarray, sprite: Sprite, left: int, top: int) -> None:
    """Composites a sprite onto a picture, in place.

    Anything outside the picture is cut off. A sprite has an alpha: 1 where the sign hides the background, 0
    outside the sign, and a value in between in the pixels of its edge, which show a bit of both.

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
    behind = image[y0:y1, x0:x1].astype(np.float32)
    colour, alpha = sprite.colour[inside], sprite.alpha[inside][..., None]
    # lab: blend
    blended = behind * (1 - alpha) + colour
    # instead: raise NotImplementedError
    image[y0:y1, x0:x1] = blended.clip(0, 255).astype(np.uint8)


def tight_box(placed: Placed) -> Box:
    """The smallest box around the visible part of a plate, without its post, in pixels of the picture.

    Args:
        placed: The sign. The top left pixel of its sprite is in column `placed.left` and row `placed.top` of
            the picture.

    Returns:
        `(left, top, right, bottom)`, as edges of pixels: a box around pixel 7 alone goes from 7 to 8.
    """
    left, top, right, bottom = placed.sprite.box
    if np.array_equal(placed.visible, placed.sprite.plate):
        # Nothing hides it, so its outline is known to a fraction of a pixel.
        return left + placed.left, top + placed.top, right + placed.left, bottom + placed.top
    seen = placed.visible > SEEN_LEAST  # (rows, columns) of the sprite: True where the plate is visible.
    # lab: box
    columns, rows = np.flatnonzero(seen.any(axis=0)), np.flatnonzero(seen.any(axis=1))
    left, right = placed.left + columns[0], placed.left + columns[-1] + 1
    top, bottom = placed.top + rows[0], placed.top + rows[-1] + 1
    # instead: raise NotImplementedError
    return left, top, right, bottom


def hides_too_much(new: Placed, placed: list[Placed]) -> bool:
    """Whether too little of a sign with a class would be visible to recognise it.

    That sign may be the new one, which the picture's edge may cut off, or one of those behind it. Distractors
    may be hidden completely.

    Args:
        new: The sign about to be placed; `new.visible` is the part inside the picture.
        placed: The signs behind it; `sign.covered_by(new)` is what would still be visible of one of them, and
            `sign.visible_fraction()` the share of its plate, 0 to 1, that is visible now.

    Returns:
        True if less than the share `VISIBLE_LEAST` would be visible of the plate of a target sign (its
        `sprite.sign_class` is not None). The whole plate, pixel by pixel, is `sprite.plate`.
    """
    # lab: hidden
    views = [(new, new.visible), *((sign, sign.covered_by(new)) for sign in placed)]
    return any(
        visible.sum() < VISIBLE_LEAST * sign.sprite.plate.sum()
        for sign, visible in views
        if sign.sprite.sign_class is not None
    )
    # instead: raise NotImplementedError


def labels_of(placed: list[Placed]) -> tuple[Label, ...]:
    """The labels of a picture: one for each target sign, and for nothing else.

    Args:
        placed: Everything in the picture. `sprite.sign_class` is None for a distractor, for the back of a
            sign and for a mere obstacle.
    """
    # lab: labels
    return tuple(
        Label(sign.sprite.sign_class, tight_box(sign))
        for sign in placed
        if sign.sprite.sign_class is not None
    )
    # instead: raise NotImplementedError


def yolo_line(label: Label, width: int, height: int) -> str:
    """Writes a label in YOLO format: class id, then centre and size as fractions of the picture."""
    left, top, right, bottom = label.box
    class_id = list(type(label.sign_class)).index(label.sign_class)
    centre = f"{(left + right) / 2 / width:.6f} {(top + bottom) / 2 / height:.6f}"
    return f"{class_id} {centre} {(right - left) / width:.6f} {(bottom - top) / height:.6f}"


def plan_signs(rng: np.random.Generator) -> list[tuple[float, bool]]:
    """Draws at random how high each sign of a picture will be, and whether it is a distractor.

    Args:
        rng: Random source; `random_height(rng)` draws the height of a plate from it. The same state gives the
            same plan.

    Returns:
        `(height_px, distractor)` for each of 1 to `SIGNS_MOST` signs, smallest first: small ones are far
        away, so that near ones may be in front of them. With probability `EMPTY_SHARE` every sign is a
        distractor; otherwise each sign is one with probability `DISTRACTOR_SHARE`, independently.
    """
    # lab: plan
    empty = rng.random() < EMPTY_SHARE
    heights = sorted(random_height(rng) for _ in range(rng.integers(1, SIGNS_MOST + 1)))
    return [(height_px, empty or rng.random() < DISTRACTOR_SHARE) for height_px in heights]
    # instead: raise NotImplementedError


def paint_picture(rng: np.random.Generator, materials: Materials) -> Picture:
    """Creates one picture and its labels; the same state of `rng` gives the same picture.

    `photograph(rng, image)` returns a picture as the bad camera sees it, and leaves `image` unchanged.

    Args:
        rng: Random source.
        materials: The materials for the picture.
    """
    image = materials.background(rng)
    if rng.random() < 0.7:
        random_shapes(rng, image, count=int(rng.integers(1, 16)), largest=110)
    placed: list[Placed] = []
    # lab: picture
    for height_px, distractor in plan_signs(rng):
        place_sign(rng, image, placed, materials, height_px, distractor)
    shown = photograph(rng, image)
    # instead: shown = image
    return Picture(shown, labels_of(placed), jpeg_quality=int(rng.integers(25, 96)))


def place_sign(
    rng: np.random.Generator,
    image: np.ndarray,
    placed: list[Placed],
    materials: Materials,
    height_px: float,
    distractor: bool,
) -> None:
    """Places a sign somewhere on a picture, and adds it to `placed`, unless too much would be hidden.

    Args:
        rng: Random source.
        image: The picture, which is modified.
        placed: What is already in the picture.
        materials: The materials for the sign.
        height_px: Height of the plate.
        distractor: Whether it should be a sign that means nothing here.
    """
    x, y = _spot(rng, image, placed, height_px)
    brightness = float(cv2.mean(image[max(y - 30, 0) : y + 30, max(x - 30, 0) : x + 30])[0])
    sprite = materials.sign(rng, brightness, height_px, distractor)
    rows, columns = sprite.alpha.shape
    stands = _stand(image, placed, Placed(sprite, x - columns // 2, y - rows // 4))
    if stands and rng.random() < OCCLUDED_SHARE:
        occluder = random_occluder(rng, height_px)
        shift = (rng.normal(0, 0.6, 2) * height_px).astype(int)
        _stand(image, placed, Placed(occluder, x + int(shift[0]), y + int(shift[1])))


def _spot(
    rng: np.random.Generator, image: np.ndarray, placed: list[Placed], height_px: float
) -> tuple[int, int]:
    """Draws the place of a sign: anywhere, or close to an existing one."""
    height, width = image.shape[:2]
    if not placed or rng.random() >= CROWDED_SHARE:
        return int(rng.integers(width)), int(rng.integers(height))
    neighbour = placed[rng.integers(len(placed))]
    left, top, right, bottom = neighbour.sprite.box
    apart = (height_px + bottom - top) / 2 * rng.uniform(0.6, 1.3)
    towards = rng.uniform(0, 2 * np.pi)
    x = neighbour.left + (left + right) / 2 + apart * np.cos(towards)
    y = neighbour.top + (top + bottom) / 2 + apart * np.sin(towards)
    return int(np.clip(x, 0, width - 1)), int(np.clip(y, 0, height - 1))


def _stand(image: np.ndarray, placed: list[Placed], new: Placed) -> bool:
    """Composites a sprite unless it hides too much."""
    new.clip_to(image.shape[1], image.shape[0])
    if hides_too_much(new, placed):
        return False
    for sign in placed:
        sign.visible = sign.covered_by(new)
    composite(image, new.sprite, new.left, new.top)
    placed.append(new)
    return True
