"""Yellow and red toys that a poor detector takes for signs."""

import math
import random

import bpy
from mathutils import Matrix

from footage.scene.materials import plain
from footage.scene.shapes import add

RED, YELLOW, ORANGE = (0.60, 0.01, 0.02), (0.85, 0.50, 0.01), (0.80, 0.18, 0.01)
STUD_CM, BRICK_HEIGHT_CM = 0.8, 0.96


def build(kind: str, frame: Matrix, rng: random.Random) -> list[bpy.types.Object]:
    """Puts a toy on the table.

    Args:
        kind: `ball-…` or `brick-…` with `red` or `yellow`, `cone` or `duck`.
        frame: Pose of the toy: local x is forward.
        rng: Random source for the details.

    Returns:
        The toy's parts.
    """
    shape, _, colour = kind.partition("-")
    material = plain(f"toy {kind}", YELLOW if colour == "yellow" else RED, roughness=rng.choice((0.25, 0.5)))
    if shape == "ball":
        return [add("ball", (3, 3, 3), (0, 0, 1.5), material, frame=frame)]
    if shape == "brick":
        return _brick(frame, material, rng)
    return _cone(frame) if shape == "cone" else _duck(frame)


def _brick(frame: Matrix, material: bpy.types.Material, rng: random.Random) -> list[bpy.types.Object]:
    """A brick with its studs."""
    long, wide = rng.choice(((2, 2), (3, 2), (4, 2)))
    size = (long * STUD_CM, wide * STUD_CM, BRICK_HEIGHT_CM)
    parts = [add("cube", size, (0, 0, BRICK_HEIGHT_CM / 2), material, frame=frame)]
    for column in range(long):
        for row in range(wide):
            x, y = (column - (long - 1) / 2) * STUD_CM, (row - (wide - 1) / 2) * STUD_CM
            parts.append(
                add("cylinder", (0.49, 0.49, 0.17), (x, y, BRICK_HEIGHT_CM + 0.085), material, frame=frame)
            )
    return parts


def _cone(frame: Matrix) -> list[bpy.types.Object]:
    """An orange traffic cone with a white ring."""
    orange, white = plain("cone orange", ORANGE), plain("cone white", (0.75, 0.75, 0.72))
    return [
        add("cube", (2.2, 2.2, 0.25), (0, 0, 0.125), orange, frame=frame),
        add("cone", (1.7, 1.7, 2.6), (0, 0, 1.55), orange, frame=frame),
        add("cup", (0.92, 0.92, 0.5), (0, 0, 1.5), white, rotation=(math.pi, 0, 0), frame=frame),
    ]


def _duck(frame: Matrix) -> list[bpy.types.Object]:
    """A bath duck."""
    yellow, orange = plain("duck yellow", YELLOW, roughness=0.3), plain("duck beak", ORANGE, roughness=0.4)
    black = plain("duck eye", (0.01, 0.01, 0.01), roughness=0.2)
    return [
        add("ball", (3.2, 2.3, 1.9), (0, 0, 0.95), yellow, frame=frame),
        add("ball", (1.3, 1.1, 0.8), (-1.5, 0, 1.5), yellow, rotation=(0, 0.6, 0), frame=frame),
        add("ball", (1.5, 1.45, 1.5), (0.8, 0, 2.3), yellow, frame=frame),
        add("ball", (0.7, 0.7, 0.25), (1.6, 0, 2.2), orange, frame=frame),
        add("ball", (0.22, 0.22, 0.22), (1.38, 0.4, 2.55), black, frame=frame),
        add("ball", (0.22, 0.22, 0.22), (1.38, -0.4, 2.55), black, frame=frame),
    ]
