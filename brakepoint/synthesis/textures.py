"""Patterns, colours and shapes that are not signs."""

import colorsys

import cv2
import numpy as np


def colour(
    rng: np.random.Generator, saturation: float | None = None, value: float | None = None
) -> tuple[float, float, float]:
    """Draws a random blue-green-red colour, 0 to 255; reds, yellows and whites more often than others."""
    hue = rng.choice([0.0, 0.13, rng.random()], p=[0.15, 0.2, 0.65]) + rng.normal(0, 0.02)
    strength = rng.uniform(0, 1) if saturation is None else saturation
    bright = rng.uniform(20, 250) if value is None else value
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, strength, bright / 255)
    return blue * 255, green * 255, red * 255


def clouds(rng: np.random.Generator, height: int, width: int, cells: tuple[int, int]) -> np.ndarray:
    """Smooth noise, `(height, width)` float32 from 0 to 1, with this many cells down and across."""
    seed = rng.random((max(cells[0], 2), max(cells[1], 2)), dtype=np.float32)
    return cv2.resize(seed, (width, height), interpolation=cv2.INTER_LINEAR)


def patterned_cloth(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A few strong colours in blobs or stripes, `(height, width, 3)` uint8."""
    colours = np.array([colour(rng, value=rng.uniform(30, 220)) for _ in range(rng.integers(2, 6))])
    if rng.random() < 0.3:
        period, angle = rng.uniform(6, 60), rng.uniform(0, np.pi)
        rows, columns = np.mgrid[:height, :width]
        steps = (columns * np.cos(angle) + rows * np.sin(angle)) / period
        chosen = steps.astype(int) % len(colours)
    else:
        cells = int(rng.integers(3, 16))
        noise = clouds(rng, height, width, (cells, cells))
        chosen = (noise * len(colours)).astype(int).clip(0, len(colours) - 1)
    cloth: np.ndarray = colours[chosen].astype(np.uint8)
    return cloth


def random_shapes(
    rng: np.random.Generator, image: np.ndarray, count: int, largest: float, smallest: float = 5
) -> None:
    """Paints polygons, ellipses, rings, lines and lettering of any colour onto a picture."""
    rows, columns = image.shape[:2]
    for _ in range(count):
        centre = (int(rng.integers(columns)), int(rng.integers(rows)))
        size = float(np.exp(rng.uniform(np.log(smallest), np.log(largest))))
        paint = _SHAPES[rng.integers(len(_SHAPES))]
        paint(rng, image, centre, size)


def _blob(rng: np.random.Generator, image: np.ndarray, centre: tuple[int, int], size: float) -> None:
    corners = rng.integers(3, 8)
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    points = np.column_stack([np.cos(angles), np.sin(angles)]) * size * rng.uniform(0.4, 1, (corners, 1))
    cv2.fillPoly(image, [(points + centre).astype(np.int32)], colour(rng), cv2.LINE_AA)


def _ellipse(rng: np.random.Generator, image: np.ndarray, centre: tuple[int, int], size: float) -> None:
    axes = (int(size / 2) + 1, int(size / 2 * rng.uniform(0.5, 1)) + 1)
    cv2.ellipse(image, centre, axes, rng.uniform(0, 180), 0, 360, colour(rng), -1, cv2.LINE_AA)


def _ring(rng: np.random.Generator, image: np.ndarray, centre: tuple[int, int], size: float) -> None:
    thickness = max(int(size * rng.uniform(0.05, 0.25)), 1)
    cv2.circle(image, centre, int(size / 2) + 1, colour(rng), thickness, cv2.LINE_AA)


def _line(rng: np.random.Generator, image: np.ndarray, centre: tuple[int, int], size: float) -> None:
    angle = rng.uniform(0, 2 * np.pi)
    end = (int(centre[0] + size * 2 * np.cos(angle)), int(centre[1] + size * 2 * np.sin(angle)))
    cv2.line(image, centre, end, colour(rng), max(int(size * rng.uniform(0.02, 0.2)), 1), cv2.LINE_AA)


def _lettering(rng: np.random.Generator, image: np.ndarray, centre: tuple[int, int], size: float) -> None:
    letters = "".join(rng.choice(list("ABEHKMNRTXZ1247"), rng.integers(1, 5)))
    font = int(rng.integers(0, 8))
    cv2.putText(image, letters, centre, font, size / 30, colour(rng), max(int(size / 12), 1), cv2.LINE_AA)


def _panel(rng: np.random.Generator, image: np.ndarray, centre: tuple[int, int], size: float) -> None:
    """A rotated rectangle with a border, like a picture or a box."""
    box = cv2.boxPoints((centre, (size, size * rng.uniform(0.4, 1.6)), rng.uniform(0, 90))).astype(np.int32)
    cv2.fillPoly(image, [box], colour(rng), cv2.LINE_AA)
    cv2.polylines(image, [box], True, colour(rng), max(int(size * 0.08), 1), cv2.LINE_AA)


def _cushion(rng: np.random.Generator, image: np.ndarray, centre: tuple[int, int], size: float) -> None:
    """A dome, a ball or a panel of patterned cloth: a model not trained on these takes them for signs."""
    height, width = int(size * rng.uniform(0.7, 1.3)) + 4, int(size) + 4
    mask = np.zeros((height, width), np.uint8)
    kind = rng.integers(3)
    if kind == 0:
        cv2.ellipse(mask, (width // 2, height - 1), (width // 2 - 1, height - 2), 0, 180, 360, 1, -1)
    elif kind == 1:
        cv2.ellipse(mask, (width // 2, height // 2), (width // 2 - 1, height // 2 - 1), 0, 0, 360, 1, -1)
    else:
        mask[:] = 1
    left, top = centre[0] - width // 2, centre[1] - height // 2
    rows, columns = image.shape[:2]
    x0, x1, y0, y1 = max(left, 0), min(left + width, columns), max(top, 0), min(top + height, rows)
    inside = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    cloth = patterned_cloth(rng, height, width)
    np.copyto(image[y0:y1, x0:x1], cloth[inside], where=mask[inside][..., None] > 0)


def _solid(rng: np.random.Generator, image: np.ndarray, centre: tuple[int, int], size: float) -> None:
    """A shaded ball or cone of one colour, with a highlight."""
    shade = np.array(colour(rng, saturation=rng.uniform(0.5, 1), value=rng.uniform(90, 250)))
    if rng.random() < 0.3:  # Yellow solids are the most confusing.
        shade = np.array((0.1, 0.75, 0.95)) * rng.uniform(90, 260)
    ball = rng.random() < 0.5
    for step in np.linspace(1, 0.1, 5):
        tone = (shade * (1.15 - 0.65 * step)).clip(0, 255).tolist()
        x, y = int(centre[0] - (1 - step) * size * 0.12), int(centre[1] - (1 - step) * size * 0.12)
        if ball:
            cv2.circle(image, (x, y), max(int(size / 2 * step), 1), tone, -1, cv2.LINE_AA)
        else:
            foot, tip = centre[1] + size / 2, (centre[0], centre[1] - size * 0.6)
            points = [tip, (centre[0] + size / 2 * step, foot), (centre[0] - size / 2 * step, foot)]
            cv2.fillPoly(image, [np.array(points).astype(np.int32)], tone, cv2.LINE_AA)


def _toy(rng: np.random.Generator, image: np.ndarray, centre: tuple[int, int], size: float) -> None:
    """A heap of a few blobs and bricks, mostly of one strong colour, like a toy duck or a pile of bricks."""
    main = (
        (20.0, rng.uniform(150, 200), rng.uniform(180, 250)) if rng.random() < 0.5 else colour(rng, value=200)
    )
    for _ in range(rng.integers(2, 6)):
        shade = main if rng.random() < 0.75 else colour(rng)
        x, y = (np.array(centre) + rng.normal(0, size * 0.25, 2)).astype(int).tolist()
        width, height = (rng.uniform(0.15, 0.4, 2) * size).astype(int) + 1
        if rng.random() < 0.5:
            cv2.ellipse(image, (x, y), (int(width), int(height)), 0, 0, 360, shade, -1, cv2.LINE_AA)
        else:
            cv2.rectangle(image, (x - width, y - height), (x + width, y + height), shade, -1)


def _headstock(rng: np.random.Generator, image: np.ndarray, centre: tuple[int, int], size: float) -> None:
    """A tapering piece of wood with knobs, on a thin neck, like the head of a guitar, a brush or a tool."""
    wood = np.array(colour(rng, saturation=rng.uniform(0.1, 0.7), value=rng.uniform(20, 200)))
    lean, narrow = rng.normal(0, 0.35), rng.uniform(0.1, 0.32)
    along, across = np.array([np.sin(lean), -np.cos(lean)]), np.array([np.cos(lean), np.sin(lean)])

    def at(up: float, aside: float) -> tuple[int, int]:
        x, y = (np.array(centre) + (along * up + across * aside) * size).astype(int).tolist()
        return x, y

    thickness = max(int(size * narrow * 0.6), 1)
    cv2.line(image, at(-1.5, 0), at(-0.4, 0), (wood * 0.6).tolist(), thickness, cv2.LINE_AA)
    outline = [at(0.5, -narrow * 0.6), at(0.5, narrow * 0.6), at(0.4, narrow), at(-0.45, narrow * 0.45)]
    head = np.array([*outline, at(-0.45, -narrow * 0.45), at(0.4, -narrow)])
    cv2.fillPoly(image, [head], wood.tolist(), cv2.LINE_AA)
    knob, tone = max(int(size * 0.05), 1), colour(rng, saturation=0.2)
    for up in (-0.25, 0.0, 0.25):
        for side in (-1, 1):
            cv2.circle(image, at(up, side * (narrow + 0.04)), knob, tone, -1, cv2.LINE_AA)


_SHAPES = (
    _blob,
    _ellipse,
    _ring,
    _line,
    _lettering,
    _panel,
    _cushion,
    _cushion,
    _solid,
    _solid,
    _toy,
    _headstock,
)
