"""Backgrounds for signs: given pictures, generated rooms with a table and a track, or plain chaos."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from brakepoint.errors import UserError
from brakepoint.labels.pictures import pictures_in, read_picture
from brakepoint.synthesis.streets import street
from brakepoint.synthesis.textures import clouds, colour, patterned_cloth, random_shapes

WIDTH, HEIGHT = 640, 480
ZOOM_LEAST = 0.6
"""Minimum height and width of a crop, as a share of the given picture's."""
FOCAL_PX = 460.0
CAMERA_HEIGHT_CM = 7.5
STUDS_CM = np.array([(x, -0.4) for x in (-2.8, -1.2, -0.4, 0.4, 1.2, 2.8)])
"""Studs of a sleeper: cm to the side and cm ahead."""


def list_backgrounds(folder: Path | None) -> tuple[Path, ...]:
    """Lists the pictures of a folder by name; empty for None.

    Raises:
        UserError: The folder is missing, or contains no picture or one in an unsupported format.
    """
    if folder is None:
        return ()
    if not folder.is_dir():
        raise UserError("synthesis.backgrounds_missing", path=folder)
    files = tuple(pictures_in(folder))
    if not files:
        raise UserError("synthesis.backgrounds_empty", path=folder)
    return files


def background(rng: np.random.Generator, files: tuple[Path, ...], streets: bool) -> np.ndarray:
    """Creates one background, `(480, 640, 3)` uint8 blue-green-red.

    Args:
        rng: Random source.
        files: Pictures without signs to choose from; even so, one background in three is a generated room.
        streets: Whether every second background is a street instead.

    Raises:
        UserError: A picture cannot be decoded.
    """
    if streets and rng.random() < 0.5:
        return street(rng, HEIGHT, WIDTH)
    if files and rng.random() < 0.65:
        return _given(rng, files[rng.integers(len(files))])
    return _chaos(rng) if rng.random() < 0.2 else room(rng)


def _given(rng: np.random.Generator, file: Path) -> np.ndarray:
    """A crop of a given picture, possibly mirrored."""
    image = _read(file)
    rows, columns = image.shape[:2]
    zoom = rng.uniform(ZOOM_LEAST, 1.0)
    height, width = max(int(rows * zoom), 1), max(int(columns * zoom), 1)
    top, left = rng.integers(rows - height + 1), rng.integers(columns - width + 1)
    crop = image[top : top + height, left : left + width]
    crop = crop[:, ::-1] if rng.random() < 0.5 else crop
    return cv2.resize(crop, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)


@lru_cache(maxsize=64)
def _read(file: Path) -> np.ndarray:
    """A picture, shrunk to what the smallest crop needs: 64 full-size phone photographs would fill memory."""
    image = read_picture(file)
    rows, columns = image.shape[:2]
    scale = max(WIDTH / columns, HEIGHT / rows) / ZOOM_LEAST
    if scale >= 1:
        return image
    size = round(columns * scale), round(rows * scale)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def room(rng: np.random.Generator) -> np.ndarray:
    """A wall with furniture above a table with a track."""
    image = _wall(rng)
    things = (_furniture, _window, _radiator, _cloth)
    for number in rng.permutation(len(things)):
        if rng.random() < 0.55:
            things[number](rng, image)
    horizon = int(rng.uniform(0.22, 0.65) * HEIGHT)
    tilt = rng.normal(0, 4) if rng.random() < 0.85 else rng.uniform(-35, 35)
    if rng.random() < 0.7:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 4))
    turn = cv2.getRotationMatrix2D((WIDTH / 2, horizon), tilt, 1)
    _lay_table(rng, image, horizon, turn)
    if rng.random() < 0.8:
        _lay_track(rng, image, horizon, turn)
    return image


def _wall(rng: np.random.Generator) -> np.ndarray:
    """A wall, mostly light, with a gradient of light."""
    base = np.array(colour(rng, saturation=0.25)) * 0.3 + rng.uniform(40, 220) * 0.7
    light = cv2.resize((rng.uniform(0.6, 1.25, (3, 4, 1)) * base).astype(np.float32), (WIDTH, HEIGHT))
    return light.clip(0, 255).astype(np.uint8)


def _furniture(rng: np.random.Generator, image: np.ndarray) -> None:
    """Shelves, books and other upright things in strong or wooden colours."""
    for _ in range(rng.integers(2, 14)):
        width, height = int(rng.uniform(8, 180)), int(rng.uniform(20, 320))
        x, y = int(rng.integers(-50, WIDTH)), int(rng.integers(-80, 320))
        shade = colour(rng, saturation=rng.uniform(0, 0.9))
        cv2.rectangle(image, (x, y), (x + width, y + height), shade, -1)
        if rng.random() < 0.4:
            inner = colour(rng, saturation=rng.uniform(0, 0.9))
            cv2.rectangle(image, (x + 4, y + 4), (x + width - 4, y + height - 4), inner, -1)
    random_shapes(rng, image, count=int(rng.integers(0, 10)), largest=90)


def _window(rng: np.random.Generator, image: np.ndarray) -> None:
    """A bright area with bars."""
    x, y = int(rng.integers(-60, WIDTH - 60)), int(rng.integers(-100, 120))
    width, height = int(rng.integers(50, 220)), int(rng.integers(80, 300))
    daylight = colour(rng, saturation=0.1, value=rng.uniform(220, 255))
    cv2.rectangle(image, (x, y), (x + width, y + height), daylight, -1)
    for _ in range(rng.integers(1, 5)):
        bar = x + int(rng.integers(0, width))
        cv2.line(image, (bar, y), (bar, y + height), colour(rng, saturation=0.2), int(rng.integers(1, 9)))


def _radiator(rng: np.random.Generator, image: np.ndarray) -> None:
    """A light panel with vertical lines."""
    x, y, pitch = int(rng.integers(0, 450)), int(rng.integers(80, 280)), int(rng.integers(8, 30))
    width, height = int(rng.integers(100, 400)), int(rng.integers(40, 130))
    value = rng.uniform(120, 235)
    cv2.rectangle(image, (x, y), (x + width, y + height), (value, value, value), -1)
    for line in range(x, x + width, pitch):
        cv2.line(image, (line, y), (line, y + height), (value * 0.7,) * 3, int(rng.integers(1, 4)))


def _cloth(rng: np.random.Generator, image: np.ndarray) -> None:
    """Cloth with a strong pattern on one side of the picture."""
    width, height = int(rng.integers(60, 240)), int(rng.integers(120, 360))
    x = 0 if rng.random() < 0.5 else WIDTH - width
    y = int(rng.integers(0, HEIGHT - height))
    image[y : y + height, x : x + width] = patterned_cloth(rng, height, width)


def _lay_table(rng: np.random.Generator, image: np.ndarray, horizon: int, turn: np.ndarray) -> None:
    """Fills the area below the horizon with a mostly dark, grained, shiny table top."""
    base = np.array(colour(rng, saturation=0.3)) * 0.15 + rng.uniform(15, 60 if rng.random() < 0.75 else 190)
    grain = clouds(rng, HEIGHT, WIDTH, cells=(int(rng.integers(30, 160)), int(rng.integers(2, 20))))
    sheen = cv2.resize((rng.uniform(0.5, 1.7, (3, 3, 1)) * base).astype(np.float32), (WIDTH, HEIGHT))
    grain = (grain - 0.5) * np.float32(rng.uniform(2, 22))
    table = cv2.add(sheen, cv2.merge([grain] * 3), dtype=cv2.CV_8U)
    edge_left, edge_right = rng.uniform(-500, 300), rng.uniform(340, 1140)
    corners = [(edge_left, horizon), (edge_right, horizon), (edge_right + 900, 900), (edge_left - 900, 900)]
    polygon = cv2.transform(np.array([corners], np.float32), turn)[0]
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillConvexPoly(mask, polygon.astype(np.int32), 1)
    cv2.copyTo(table, mask, image)


def _lay_track(rng: np.random.Generator, image: np.ndarray, horizon: int, turn: np.ndarray) -> None:
    """Draws rails and sleepers that lead from the camera into a curve."""
    bend = rng.uniform(-1, 1) / rng.uniform(35, 90)
    straight, start = rng.uniform(0, 60), rng.normal(0, 3)
    value, gloom = rng.uniform(60, 215), rng.uniform(0.25, 1.0)
    tint = np.array(colour(rng, saturation=0.3)) * 0.2 + value * 0.8

    def pixels(points: np.ndarray) -> np.ndarray:
        """Pixels of ground points `(n, 2)`: cm to the side and cm ahead."""
        ahead = np.maximum(points[:, 1], 4)
        x = WIDTH / 2 + FOCAL_PX * points[:, 0] / ahead
        flat = np.column_stack([x, horizon + FOCAL_PX * CAMERA_HEIGHT_CM / ahead])
        tilted: np.ndarray = cv2.transform(flat[None].astype(np.float32), turn)[0]
        return tilted

    for at in np.arange(88, 5, -1.6):
        centre, heading = _track_at(at, straight, bend, start)
        cos, sin = np.cos(heading), np.sin(heading)
        sleeper = np.array([(-3.2, -0.8), (3.2, -0.8), (3.2, 0), (-3.2, 0)])
        corners = centre + sleeper @ np.array([(cos, -sin), (sin, cos)])
        shade = tint * gloom * rng.uniform(0.8, 1.1)
        cv2.fillConvexPoly(image, pixels(corners).astype(np.int32), shade.tolist(), cv2.LINE_AA)
        if at < 45:
            _lay_studs(image, pixels(centre + STUDS_CM @ np.array([(cos, -sin), (sin, cos)])), at, shade)
    steel = (tint * 1.15).clip(0, 255).tolist()
    for side in (-2.1, 2.1):
        rail = np.array([_beside(at, side, straight, bend, start) for at in np.arange(6, 90, 1.5)])
        spots = pixels(rail).astype(np.int32)
        for (x, y), (u, v), at in zip(spots[:-1], spots[1:], np.arange(6, 90, 1.5), strict=False):
            thickness = max(int(0.7 * FOCAL_PX / max(at, 8) / 2), 1)
            cv2.line(image, (int(x), int(y)), (int(u), int(v)), steel, thickness, cv2.LINE_AA)


def _lay_studs(image: np.ndarray, spots: np.ndarray, at: float, shade: np.ndarray) -> None:
    """Draws studs as ellipses with a lighter top."""
    width = max(int(0.25 * FOCAL_PX / at), 1)
    for x, y in spots.astype(int).tolist():
        cv2.ellipse(
            image, (x, y), (width, width // 2 + 1), 0, 0, 360, (shade * 0.7).tolist(), -1, cv2.LINE_AA
        )
        top = (shade * 1.3).clip(0, 255).tolist()
        cv2.ellipse(image, (x, y - width // 3), (width, width // 2), 0, 0, 360, top, -1, cv2.LINE_AA)


def _track_at(at: float, straight: float, bend: float, start: float) -> tuple[np.ndarray, float]:
    """Where the centre line is after `at` cm, and its heading in radians, positive to the right."""
    curved = max(at - straight, 0)
    heading = min(max(curved * bend, -1.5), 1.5)
    x = start + (1 - np.cos(heading)) / bend
    return np.array([x, min(at, straight) + np.sin(heading) / bend]), heading


def _beside(at: float, side: float, straight: float, bend: float, start: float) -> np.ndarray:
    centre, heading = _track_at(at, straight, bend, start)
    return centre + np.array([np.cos(heading), -np.sin(heading)]) * side


def _chaos(rng: np.random.Generator) -> np.ndarray:
    """Textures and shapes of any kind, so that the model is prepared for any background."""
    if rng.random() < 0.4:
        image = patterned_cloth(rng, HEIGHT, WIDTH)
    else:
        pattern = [clouds(rng, HEIGHT, WIDTH, cells=(rows, rows)) for rows in rng.integers(2, 60, 3)]
        low, high = np.array(colour(rng)), np.array(colour(rng))
        image = (low + (high - low) * np.dstack(pattern)).clip(0, 255).astype(np.uint8)
    random_shapes(rng, image, count=int(rng.integers(5, 60)), largest=200)
    return image
