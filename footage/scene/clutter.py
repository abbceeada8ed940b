"""Clutter on the table: objects in strong colours, round and pointed, that mean nothing to the train."""

import math
import random

import bpy

from brakepoint.track import Track
from footage.scene.materials import plain
from footage.scene.room import STRONG_COLOURS
from footage.scene.shapes import add

KEEP_CLEAR_CM = 16.0
"""Minimum distance of objects from the track, so that no sign stays hidden until it is too late."""


def lamp(x: float, y: float) -> None:
    """The base and arm of a white desk lamp."""
    white = plain("lamp white", (0.7, 0.7, 0.7), roughness=0.3)
    add("cylinder", (20, 20, 2), (x, y, 1), white)
    add("ball", (14, 10, 24), (x, y, 6), white)
    add("cylinder", (3, 3, 62), (x + 8, y, 42), white, rotation=(0, 0.3, 0))
    add("ball", (5, 5, 5), (x - 1, y, 16), plain("lamp joint", (0.01, 0.01, 0.01)))


def brick(x: float, y: float, material: bpy.types.Material, rng: random.Random) -> None:
    """A toy brick or a small heap of bricks."""
    for level in range(rng.randint(1, 4)):
        size = (rng.choice((1.6, 3.2, 6.4)), 1.6, 0.96)
        add("cube", size, (x, y, 0.48 + 0.96 * level), material, rotation=(0, 0, rng.uniform(0, 3.1)))


def _thing(x: float, y: float, rng: random.Random) -> None:
    colour = rng.choice(STRONG_COLOURS)
    material = plain(f"toy {colour}", colour, roughness=rng.choice((0.25, 0.5)))
    kind = rng.choice(("brick", "brick", "ball", "cone", "mug", "box", "disc"))
    if kind == "brick":
        brick(x, y, material, rng)
    elif kind == "ball":
        size = rng.uniform(2, 6)
        add("ball", (size, size, size), (x, y, size / 2), material)
    elif kind == "cone":
        size = rng.uniform(2.5, 7)
        add("cone", (size, size, size * 1.2), (x, y, size * 0.6), material)
    elif kind == "mug":
        add("cup", (7, 7, 9), (x, y, 4.5), material)
    elif kind == "box":
        long, wide, high = (rng.uniform(3, 14) for _ in range(3))
        add("cube", (long, wide, high), (x, y, high / 2), material, rotation=(0, 0, rng.uniform(0, 3.1)))
    else:
        add("cylinder", (5, 5, 0.8), (x, y, 2.5), material, rotation=(math.pi / 2, 0, rng.uniform(0, 3.1)))


def build(track: Track, table: tuple[float, float, float, float], clutter: float, rng: random.Random) -> None:
    """Scatters objects over the table, away from the track."""
    left, low, right, high = table
    line = [track.pose(position) for position in range(0, int(track.length_cm) + 1, 4)]
    wanted = round(clutter * (right - left) * (high - low) / 1500)
    lamps = rng.random() < 0.5
    for _ in range(wanted):
        x, y = rng.uniform(left + 5, right - 5), rng.uniform(low + 5, high - 5)
        clear = min(math.hypot(x - pose.x_cm, y - pose.y_cm) for pose in line)
        if clear < KEEP_CLEAR_CM:
            continue
        if lamps and clear > 24:
            lamp(x, y)
            lamps = False
        else:
            _thing(x, y, rng)
