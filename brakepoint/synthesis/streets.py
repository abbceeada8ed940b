"""Generated streets as backgrounds for the signs of real roads."""

import cv2
import numpy as np

from brakepoint.synthesis.textures import clouds, colour, random_shapes

LEAF_HUES = ((20, 70, 40), (40, 110, 70), (30, 60, 90))
"""Greens and an autumn brown, blue-green-red."""

WHITE_SHARE = 0.35
"""Share of skies that are too bright for the camera."""
FOREST_SHARE, GAPS_MOST = 0.6, 0.35
"""Share of streets along a forest, and the largest share of the sky that shows through its leaves."""
GRAINS = (6, 20, 60, 160)
"""Cells of the leaves' noise across a forest, from whole trees to single leaves."""

DUSK_SHARE, DUSK = 0.25, (0.1, 0.6)
"""Share of streets at dusk, and how much light is left there."""


def street(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A sky, houses and trees, and a road that leads towards them: `(height, width, 3)` uint8."""
    horizon = int(rng.uniform(0.3, 0.65) * height)
    image = _sky(rng, height, width)
    for _ in range(rng.integers(0, 7)):
        _house(rng, image, horizon)
    for _ in range(rng.integers(0, 12)):
        _tree(rng, image, horizon)
    if rng.random() < FOREST_SHARE:
        _forest(rng, image, horizon)
    _lay_road(rng, image, horizon)
    random_shapes(rng, image, count=int(rng.integers(0, 12)), largest=90)
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 3)) if rng.random() < 0.6 else image
    return cv2.convertScaleAbs(image, alpha=rng.uniform(*DUSK)) if rng.random() < DUSK_SHARE else image


def _sky(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A sky between night, rain and noon, lighter towards the horizon, with clouds."""
    high = np.array([rng.uniform(0.5, 1.0), rng.uniform(0.4, 0.9), rng.uniform(0.3, 0.85)])
    high *= rng.uniform(30, 255)
    low = high * 0.5 + rng.uniform(60, 250) * 0.5
    if rng.random() < WHITE_SHARE:
        high, low = np.full(3, rng.uniform(225, 300)), np.full(3, rng.uniform(225, 300))
    down = np.linspace(0, 1, height)[:, None, None]
    cloud = clouds(rng, height, width, (int(rng.integers(3, 12)), int(rng.integers(3, 9))))[..., None]
    sky = high * (1 - down) + low * down + (cloud - 0.5) * rng.uniform(0, 90)
    return sky.clip(0, 255).astype(np.uint8)


def _house(rng: np.random.Generator, image: np.ndarray, horizon: int) -> None:
    """The front of a house, with rows of windows."""
    width, height = int(rng.uniform(50, 320)), int(rng.uniform(40, 330))
    left, top = int(rng.integers(-80, image.shape[1])), horizon - height
    cv2.rectangle(image, (left, top), (left + width, horizon), colour(rng, rng.uniform(0, 0.45)), -1)
    pane, pitch = colour(rng, 0.2), int(rng.integers(14, 44))
    for x in range(left + 6, left + width - pitch // 2, pitch):
        for y in range(top + 8, horizon - pitch // 2, pitch):
            cv2.rectangle(image, (x, y), (x + pitch // 2, y + int(pitch * 0.6)), pane, -1)


def _forest(rng: np.random.Generator, image: np.ndarray, horizon: int) -> None:
    """A wall of leaves, of light and dark spots of every size, through which the sky shows."""
    width = int(rng.uniform(0.3, 1.0) * image.shape[1])
    left, top = int(rng.integers(image.shape[1] - width + 1)), int(rng.uniform(-0.3, 0.7) * horizon)
    there = image[max(top, 0) : horizon, left : left + width]
    rows, columns = there.shape[:2]
    spots, holes = (_grain(rng, rows, columns) for _ in range(2))
    first, second = (
        np.array(LEAF_HUES[rng.integers(len(LEAF_HUES))]) * rng.uniform(0.3, 1.7) for _ in range(2)
    )
    mixed = clouds(rng, rows, columns, (3, 5))[..., None]
    leaves = (first * mixed + second * (1 - mixed)) * (0.1 + rng.uniform(0.8, 2.2) * spots[..., None])
    ragged = np.linspace(rng.uniform(0.5, 1), 0, rows)[:, None]  # The sky shows more between the tops.
    closed = holes > rng.uniform(0, GAPS_MOST) * (0.5 + ragged)
    there[closed] = leaves.clip(0, 255).astype(np.uint8)[closed]


def _grain(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Noise of every size, `(rows, columns)` float32, evenly spread from 0 to 1."""
    noise = np.zeros((rows, columns), np.float32)
    for cells in GRAINS:
        noise += clouds(rng, rows, columns, (max(cells * rows // columns, 2), cells)) * rng.uniform(0.4, 1.2)
    low, high = np.quantile(noise[::4, ::4], (0.02, 0.98))
    spread: np.ndarray = ((noise - low) / max(high - low, 1e-6)).clip(0, 1)
    return spread


def _tree(rng: np.random.Generator, image: np.ndarray, horizon: int) -> None:
    """A trunk under a crown of many light and dark blobs."""
    leaf = np.array(LEAF_HUES[rng.integers(len(LEAF_HUES))]) * rng.uniform(0.4, 1.7)
    x, size = int(rng.integers(image.shape[1])), rng.uniform(15, 130)
    y = int(horizon - size * rng.uniform(0.3, 1.3))
    cv2.line(image, (x, y), (x, horizon), (leaf * 0.4).tolist(), max(int(size / 12), 1))
    for _ in range(rng.integers(8, 50)):
        spot = (np.array((x, y)) + rng.normal(0, size * 0.35, 2)).astype(int).tolist()
        shade = (leaf * rng.uniform(0.5, 1.5)).clip(0, 255).tolist()
        cv2.circle(image, spot, max(int(size * rng.uniform(0.03, 0.2)), 1), shade, -1, cv2.LINE_AA)


def _lay_road(rng: np.random.Generator, image: np.ndarray, horizon: int) -> None:
    """Draws verges and a grey road with its lines, up to a vanishing point."""
    height, width = image.shape[:2]
    verge = np.array(LEAF_HUES[rng.integers(len(LEAF_HUES))]) * rng.uniform(0.5, 1.6)
    grey = rng.uniform(30, 150)
    grain = (clouds(rng, height - horizon, width, (90, 120))[..., None] - 0.5) * 40
    image[horizon:] = (verge + grain).clip(0, 255).astype(np.uint8)
    vanishing = (int(rng.uniform(0.2, 0.8) * width), horizon)
    left, right = int(rng.uniform(-600, 200)), int(rng.uniform(440, 1240))
    cv2.fillConvexPoly(
        image, np.array([vanishing, (right, height), (left, height)]), (grey,) * 3, cv2.LINE_AA
    )
    line = (rng.uniform(140, 250),) * 3
    for side in (left + 40, right - 40):
        cv2.line(image, vanishing, (side, height), line, int(rng.integers(1, 6)), cv2.LINE_AA)
    middle = (left + right) / 2
    for start in np.geomspace(0.05, 1, 8):
        ends = [
            (int(vanishing[0] + (middle - vanishing[0]) * at), int(horizon + (height - horizon) * at))
            for at in (start, start * 1.2)
        ]
        cv2.line(image, ends[0], ends[1], line, max(int(start * 9), 1), cv2.LINE_AA)
