"""The room around the table: walls, floor, windows and furnishings."""

import math
import random
from collections.abc import Callable

import bpy
from mathutils import Matrix

from footage.scene.materials import glowing, patterned, plain, wood
from footage.scene.shapes import add

FLOOR_CM = -74.0
CEILING_CM = 180.0
TABLE_THICKNESS_CM = 3.0
PANE = "pane"
"""The material of window panes; the light of the scene sets its brightness."""

STRONG_COLOURS = (
    (0.60, 0.02, 0.02), (0.85, 0.45, 0.01), (0.01, 0.05, 0.35), (0.01, 0.25, 0.08), (0.75, 0.70, 0.60),
    (0.02, 0.02, 0.02), (0.50, 0.12, 0.02), (0.02, 0.30, 0.35), (0.35, 0.02, 0.15), (0.80, 0.60, 0.02),
)  # fmt: skip
CLOTHS = (
    ((0.01, 0.03, 0.25), (0.80, 0.50, 0.01), (0.01, 0.03, 0.25), (0.35, 0.01, 0.01)),
    ((0.75, 0.50, 0.02), (0.02, 0.02, 0.02), (0.75, 0.50, 0.02), (0.30, 0.02, 0.08)),
    ((0.60, 0.55, 0.45), (0.40, 0.05, 0.03), (0.60, 0.55, 0.45), (0.05, 0.15, 0.12)),
)
WALLS = ((0.62, 0.60, 0.57), (0.55, 0.56, 0.58), (0.66, 0.60, 0.50), (0.45, 0.48, 0.47), (0.62, 0.52, 0.47))


def _pine() -> bpy.types.Material:
    return wood("pine", (0.42, 0.20, 0.07), (0.62, 0.36, 0.15), scale=0.01)


def _strong(rng: random.Random) -> bpy.types.Material:
    colour = rng.choice(STRONG_COLOURS)
    return plain(f"strong {colour}", colour, roughness=0.55)


def shelf(frame: Matrix, rng: random.Random) -> None:
    """An open bookcase with books, boxes and bowls."""
    pine, width, depth, top = _pine(), rng.uniform(70, 120), 28, rng.uniform(90, 165)
    for x in (-width / 2, 0, width / 2):
        add("cube", (2, depth, top - FLOOR_CM), (x, 0, (top + FLOOR_CM) / 2), pine, frame=frame)
    for board in range(int((top - FLOOR_CM) // 34) + 1):
        z = top - 34 * board
        add("cube", (width, depth, 2), (0, 0, z), pine, frame=frame)
        x = -width / 2 + 3
        while x < width / 2 - 6 and z > -20:
            thick, high = rng.uniform(2, 9), rng.uniform(12, 29)
            if rng.random() < 0.75:
                add(
                    "cube",
                    (thick, 20, high),
                    (x + thick / 2, -2, z + 1 + high / 2 - 34),
                    _strong(rng),
                    frame=frame,
                )
            x += thick + rng.uniform(0.2, 6)


def door(frame: Matrix, rng: random.Random) -> None:
    """A panelled door with a brass handle."""
    white = plain("door white", (0.72, 0.69, 0.66), roughness=0.45)
    add("cube", (86, 4, 205), (0, 0, FLOOR_CM + 102), white, frame=frame)
    add("cube", (100, 3, 212), (0, 1.5, FLOOR_CM + 105), plain("door frame", (0.6, 0.58, 0.56)), frame=frame)
    for x in (-20, 20):
        for z, high in ((FLOOR_CM + 45, 60), (FLOOR_CM + 100, 30), (FLOOR_CM + 160, 70)):
            add("cube", (31, 1.5, high), (x, -2.4, z), white, frame=frame)
            add("cube", (24, 1.5, high - 7), (x, -3.0, z), white, frame=frame)
    brass = plain("brass", (0.70, 0.42, 0.10), roughness=0.25, metallic=1)
    add("cube", (12, 2, 2), (-35 * rng.choice((-1, 1)), -6, FLOOR_CM + 98), brass, frame=frame)


def window(frame: Matrix, rng: random.Random) -> None:
    """Panes lit according to the scene's light, with bars and a curtain on either side."""
    white = plain("window white", (0.7, 0.7, 0.7))
    width = rng.uniform(80, 130)
    add("cube", (width, 1, 150), (0, 0, 85), glowing(PANE, (0.80, 0.90, 1.0), 1.0), frame=frame)
    for x in (-width / 2, 0, width / 2):
        add("cube", (5, 5, 156), (x, -1, 85), white, frame=frame)
    for z in (8, 60, 112, 162):
        add("cube", (width, 5, 4), (0, -1, z), white, frame=frame)
    cloth = _strong(rng)
    for side in (-1, 1):
        for fold in range(4):
            x = side * (width / 2 + 4 + 6 * fold)
            add("cylinder", (8, 8, 200), (x, -6, FLOOR_CM + 125), cloth, frame=frame)


def radiator(frame: Matrix, rng: random.Random) -> None:
    """A white radiator that rises a little above the horizon."""
    white = plain("radiator", (0.70, 0.68, 0.64), roughness=0.35)
    top = rng.uniform(5, 25)
    for index in range(18):
        add("cube", (6.6, 8, 60), (-64 + 7.4 * index, -4, top - 30), white, frame=frame)


def guitar(frame: Matrix, rng: random.Random) -> None:
    """A guitar on its stand."""
    body = wood("guitar", (0.22, 0.07, 0.02), (0.40, 0.16, 0.05))
    dark = plain("neck", (0.04, 0.025, 0.015), roughness=0.4)
    lean = Matrix.Rotation(rng.uniform(-0.3, 0.3), 4, "Y")
    local = frame @ Matrix.Translation((0, -8, 0)) @ lean
    add("ball", (36, 9, 38), (0, 0, -28), body, frame=local)
    add("ball", (27, 9, 28), (0, 0, -4), body, frame=local)
    add("cube", (4.5, 3, 56), (0, 0, 32), dark, frame=local)
    add("cube", (7, 2.5, 16), (0, 0, 66), body if rng.random() < 0.5 else dark, frame=local)


def armchair(frame: Matrix, rng: random.Random) -> None:
    """A chair under a printed cloth, tall enough to be visible beside the table."""
    index = rng.randrange(len(CLOTHS))
    kind = rng.choice(("blobs", "weave"))
    cloth = patterned(f"cloth {index} {kind}", CLOTHS[index], scale=rng.uniform(3.0, 7.0), kind=kind)
    high = rng.uniform(12, 45)
    add("ball", (50, 30, 110), (0, 0, high - 52), cloth, frame=frame)
    add("ball", (62, 60, 50), (0, -18, -34), cloth, frame=frame)


def plant(frame: Matrix, rng: random.Random) -> None:
    """A potted plant with long leaves."""
    green = plain(f"leaf {rng.randrange(3)}", (0.03, rng.uniform(0.10, 0.22), 0.03), roughness=0.5)
    add("cup", (26, 26, 30), (0, 0, -25), _strong(rng), frame=frame)
    for _ in range(34):
        turn, lean, long = rng.uniform(0, 2 * math.pi), rng.uniform(0.1, 1.2), rng.uniform(25, 70)
        leaf = (
            frame
            @ Matrix.Translation((0, 0, -12))
            @ Matrix.Rotation(turn, 4, "Z")
            @ Matrix.Rotation(lean, 4, "Y")
        )
        add("ball", (5, 1.2, long), (0, 0, long / 2), green, frame=leaf)


def pictures(frame: Matrix, rng: random.Random) -> None:
    """Posters and round objects on the wall: shapes that aren't signs."""
    for _ in range(rng.randint(2, 5)):
        x, z, size = rng.uniform(-55, 55), rng.uniform(20, 110), rng.uniform(14, 40)
        add("cube", (size, 1.5, size * rng.uniform(0.7, 1.4)), (x, -1, z), _strong(rng), frame=frame)
        shape = rng.choice(("cylinder", "cone", "cube"))
        flat = (size * 0.5, 1 if shape == "cone" else size * 0.5, size * 0.5 if shape == "cone" else 1)
        turn = (0, 0, 0) if shape == "cone" else (math.pi / 2, 0, 0)
        add(shape, flat, (x, -2, z), _strong(rng), rotation=turn, frame=frame)


def mirror(frame: Matrix, rng: random.Random) -> None:
    """A mirror in a pale frame."""
    pale = plain("mirror frame", (0.50, 0.44, 0.34), roughness=0.5)
    add("cube", (62, 3, 150), (0, 0, FLOOR_CM + 105), pale, frame=frame)
    glass = plain("glass", (0.8, 0.8, 0.8), roughness=0.02, metallic=1)
    add(
        "cube",
        (50, 1, 138),
        (0, -1.6, FLOOR_CM + 105),
        glass,
        rotation=(rng.uniform(-0.02, 0.02), 0, 0),
        frame=frame,
    )


def coats(frame: Matrix, rng: random.Random) -> None:
    """Dark coats on a hook."""
    for index in range(3):
        colour = rng.choice(((0.01, 0.01, 0.015), (0.02, 0.03, 0.06), (0.05, 0.03, 0.02)))
        cloth = plain(f"coat {colour}", colour, roughness=0.95)
        x, high = -26 + 26 * index, rng.uniform(15, 40)
        upside_down = (math.pi, 0, 0)
        add("cup", (24, 13, 92), (x, -8, high - 46), cloth, rotation=upside_down, frame=frame)
        add("ball", (26, 14, 16), (x, -8, high), cloth, frame=frame)
        for side in (-1, 1):
            add("cylinder", (8, 8, 58), (x + 13 * side, -9, high - 30), cloth, (0, -0.12 * side, 0), frame)


FURNITURE: tuple[Callable[[Matrix, random.Random], None], ...] = (
    shelf, door, window, radiator, guitar, plant, pictures, mirror, coats, guitar, shelf, pictures, door,
)  # fmt: skip


def _along_walls(bounds: tuple[float, float, float, float], spacing_cm: float) -> list[Matrix]:
    """Places along the four walls; local −y faces the room."""
    left, low, right, high = bounds
    places = []
    for start, end, turn in (
        ((left, high), (right, high), 0.0),
        ((right, high), (right, low), -math.pi / 2),
        ((right, low), (left, low), math.pi),
        ((left, low), (left, high), math.pi / 2),
    ):
        length = math.dist(start, end)
        count = max(1, int(length // spacing_cm))
        for index in range(count):
            part = (index + 0.5) / count
            x, y = (a + part * (b - a) for a, b in zip(start, end, strict=True))
            places.append(Matrix.Translation((x, y, 0)) @ Matrix.Rotation(turn, 4, "Z"))
    return places


def build(table: tuple[float, float, float, float], clutter: float, rng: random.Random) -> None:
    """Builds the table, floor, walls and furniture.

    Args:
        table: `(left, low, right, high)` of the table top.
        clutter: From 0 for a bare room to 1 for a full room.
        rng: Random source.
    """
    left, low, right, high = table
    centre = ((left + right) / 2, (low + high) / 2)
    dark = wood("table", (0.006, 0.0045, 0.004), (0.022, 0.017, 0.014), scale=0.05, roughness=0.3, bump=0.12)
    size = (right - left, high - low, TABLE_THICKNESS_CM)
    add("cube", size, (*centre, -TABLE_THICKNESS_CM / 2), dark)

    gap = rng.uniform(70, 130)
    bounds = (left - gap, low - gap, right + gap, high + gap)
    wide, deep = bounds[2] - bounds[0], bounds[3] - bounds[1]
    tall = CEILING_CM - FLOOR_CM
    wall = plain("wall", rng.choice(WALLS), roughness=0.9)
    floor = wood("floor", (0.16, 0.07, 0.03), (0.33, 0.17, 0.08), scale=0.008, roughness=0.45)
    add("cube", (wide, deep, 1), (*centre, FLOOR_CM), floor)
    add("cube", (wide, deep, 1), (*centre, CEILING_CM), plain("ceiling", (0.75, 0.74, 0.72), roughness=0.9))
    for x in (bounds[0], bounds[2]):
        add("cube", (1, deep, tall), (x, centre[1], (FLOOR_CM + CEILING_CM) / 2), wall)
    for y in (bounds[1], bounds[3]):
        add("cube", (wide, 1, tall), (centre[0], y, (FLOOR_CM + CEILING_CM) / 2), wall)

    inset = (bounds[0] + 8, bounds[1] + 8, bounds[2] - 8, bounds[3] - 8)
    bag: list[Callable[[Matrix, random.Random], None]] = []
    for place in _along_walls(inset, spacing_cm=125):
        bag = bag or rng.sample(FURNITURE, len(FURNITURE))
        if rng.random() < 0.55 + 0.45 * clutter:
            bag.pop()(place @ Matrix.Translation((rng.uniform(-15, 15), 0, 0)), rng)
    near = (left - 40, low - 40, right + 40, high + 40)
    for place in _along_walls(near, spacing_cm=150):
        if rng.random() < 0.45 * clutter + 0.1:
            armchair(place, rng)
