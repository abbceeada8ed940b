"""Step 2: pictures with exact labels, made from signs that were drawn or rendered, never photographed.

Signs are laid onto backgrounds one behind the other, and photographed by an imaginary
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
"""In so many pictures all signs are distractors on purpose: a detector must also learn to keep quiet."""
SIGNS_MOST = 8
DISTRACTOR_SHARE = 0.5
"""How many of the others mean nothing here: stop signs, no entry, backs of signs."""
OCCLUDED_SHARE = 0.15
CROWDED_SHARE = 0.3
"""How many signs stand close to another one, or partly before it: that is where two are taken for one."""
VISIBLE_LEAST = 0.4
"""A sign of which less is visible would be a riddle, not an example: it is not placed."""
SEEN_LEAST = 0.3
"""A pixel shows a plate if so much of it is the plate's."""


def composite(image: np.ndarray, sprite: Sprite, left: int, top: int) -> None:
    """Lays a sprite onto a picture, in place. What lies outside the picture is cut off.

    A sprite has an alpha: 1 where it hides what is behind it, 0 beside it, and something between in the
    pixels of its edge, where a bit of both is seen.

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
    """The smallest box around what is visible of a plate, without its post, in pixels of the picture.

    Args:
        placed: The sign. The top left pixel of its sprite lies in column `placed.left` and row `placed.top`
            of the picture.

    Returns:
        `(left, top, right, bottom)`, as edges of pixels: around pixel 7 alone the box goes from 7 to 8.
    """
    left, top, right, bottom = placed.sprite.box
    if np.array_equal(placed.visible, placed.sprite.plate):
        # Nothing hides it: then its outline is known to a fraction of a pixel.
        return left + placed.left, top + placed.top, right + placed.left, bottom + placed.top
    seen = placed.visible > SEEN_LEAST  # (rows, columns) of the sprite: True where the plate is to be seen.
    # lab: box
    columns, rows = np.flatnonzero(seen.any(axis=0)), np.flatnonzero(seen.any(axis=1))
    left, right = placed.left + columns[0], placed.left + columns[-1] + 1
    top, bottom = placed.top + rows[0], placed.top + rows[-1] + 1
    # instead: raise NotImplementedError
    return left, top, right, bottom


def hides_too_much(new: Placed, placed: list[Placed]) -> bool:
    """Whether so little would be seen of a sign with a class that it could not be recognised.

    That sign is the new one, which the picture's edge may cut off, or one of those that it stands before.
    Distractors may be hidden completely.

    Args:
        new: About to be placed; `new.visible` is what is inside the picture.
        placed: Those behind it; `sign.covered_by(new)` is what would still be visible of one of them, and
            `sign.visible_fraction()` the share of its plate, 0 to 1, that is visible now.

    Returns:
        True if, of the plate of a sign to be found (its `sprite.sign_class` is not None), less than the share
        `VISIBLE_LEAST` would be visible. The whole plate, pixel by pixel, is `sprite.plate`.
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
    """The labels of a picture: one for each sign to be found, and for nothing else.

    Args:
        placed: All that stands in it. `sprite.sign_class` is None for a distractor, for the back of a sign
            and for what merely stands in the way.
    """
    # lab: labels
    return tuple(
        Label(sign.sprite.sign_class, tight_box(sign))
        for sign in placed
        if sign.sprite.sign_class is not None
    )
    # instead: raise NotImplementedError


def yolo_line(label: Label, width: int, height: int) -> str:
    """Writes a label as YOLO has it: class id, then centre and size as fractions of the picture."""
    left, top, right, bottom = label.box
    class_id = list(type(label.sign_class)).index(label.sign_class)
    centre = f"{(left + right) / 2 / width:.6f} {(top + bottom) / 2 / height:.6f}"
    return f"{class_id} {centre} {(right - left) / width:.6f} {(bottom - top) / height:.6f}"


def plan_signs(rng: np.random.Generator) -> list[tuple[float, bool]]:
    """Draws how high each sign of a picture will be, and whether it is a distractor.

    Args:
        rng: Source of all chance; `random_height(rng)` draws the height of a plate from it. The same state
            makes the same plan.

    Returns:
        `(height_px, distractor)` for each of 1 to `SIGNS_MOST` signs, the smallest first: small ones are far
        away, so that near ones may stand before them. With the probability `EMPTY_SHARE` every sign is a
        distractor; otherwise each is one with the probability `DISTRACTOR_SHARE`, independently.
    """
    # lab: plan
    empty = rng.random() < EMPTY_SHARE
    heights = sorted(random_height(rng) for _ in range(rng.integers(1, SIGNS_MOST + 1)))
    return [(height_px, empty or rng.random() < DISTRACTOR_SHARE) for height_px in heights]
    # instead: raise NotImplementedError


def paint_picture(rng: np.random.Generator, materials: Materials) -> Picture:
    """Makes one picture and its labels; the same state of `rng` makes the same picture.

    `photograph(rng, image)` returns what the bad camera sees of a picture, and leaves `image` as it is.

    Args:
        rng: Source of all chance.
        materials: What there is to make it from.
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
    """Lays a sign somewhere onto a picture, and adds it to `placed`, unless too much would be hidden.

    Args:
        rng: Source of all chance.
        image: The picture, which is painted on.
        placed: What stands in it already.
        materials: Where the sign comes from.
        height_px: Of the plate.
        distractor: Whether it is to be a sign that means nothing here.
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
    """Draws where a sign stands: anywhere, or close to one that stands there already."""
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
