"""The light of a scene, as selected by a scenario's `light`."""

import math
import random
from dataclasses import dataclass

import bpy
from mathutils import Matrix, Vector

from footage.scene.room import PANE

RGB = tuple[float, float, float]


@dataclass(frozen=True)
class Mood:
    """A kind of light. Colours are in linear RGB, powers in watts for a scene in centimetres.

    Attributes:
        ceiling: Colour and power of the soft light from above.
        side: Colour and power of the large light from the side of the windows.
        lamp: Colour and power of the spot over the table.
        ambient: Colour of the light reflected by the walls.
        outside: Brightness of the window panes.
        brightness: Mean of the finished picture, 0 to 1.
        side_height_cm: Height of the side light above the table.
        side_size_cm: Width of the side light: a small one casts hard shadows.
        contrast: Name of Blender's look, which determines the contrast of the finished picture.
    """

    ceiling: tuple[RGB, float]
    side: tuple[RGB, float]
    lamp: tuple[RGB, float]
    ambient: RGB
    outside: float
    brightness: float
    side_height_cm: float = 105
    side_size_cm: float = 60
    contrast: str = "High Contrast"


WARM, WHITE, COOL = (1.0, 0.72, 0.42), (1.0, 0.96, 0.92), (0.80, 0.90, 1.0)
MOODS = {
    "day": Mood((WHITE, 0.6e5), (COOL, 9.0e5), (WHITE, 0.0), (0.10, 0.105, 0.115), 1.4, 0.42),
    "overcast": Mood((COOL, 1.6e5), (COOL, 3.0e5), (WHITE, 0.0), (0.12, 0.13, 0.145), 0.8, 0.38),
    "evening": Mood((WARM, 1.0e5), (WARM, 3.5e5), (WARM, 1.5e5), (0.07, 0.055, 0.04), 0.1, 0.36),
    "lamp": Mood((WARM, 0.5e5), (WARM, 1.5e5), (COOL, 4.0e5), (0.05, 0.05, 0.055), 0.25, 0.32),
    "mixed": Mood((WARM, 1.0e5), (COOL, 7.0e5), (WARM, 2.0e5), (0.08, 0.08, 0.085), 0.7, 0.40),
    "haze": Mood(
        (WHITE, 3.0e5),
        (COOL, 3.0e5),
        (WHITE, 0.0),
        (0.45, 0.46, 0.48),
        1.2,
        0.50,
        contrast="Very Low Contrast",
    ),
    "low-sun": Mood(
        (COOL, 0.3e5),
        (WARM, 9.0e5),
        (WHITE, 0.0),
        (0.04, 0.045, 0.06),
        1.0,
        0.38,
        side_height_cm=24,
        side_size_cm=8,
    ),
}
"""The valid values of `light` in a scenario."""


def _area(name: str, colour: RGB, power: float, size_cm: float, place: Vector, target: Vector) -> None:
    data = bpy.data.lights.new(name, "AREA")
    data.color, data.energy, data.size = colour, power, size_cm
    light = bpy.data.objects.new(name, data)
    light.matrix_world = (
        Matrix.Translation(place) @ (target - place).to_track_quat("-Z", "Y").to_matrix().to_4x4()
    )
    light.visible_camera = False
    bpy.context.scene.collection.objects.link(light)


def build(mood: Mood, table: tuple[float, float, float, float], rng: random.Random) -> None:
    """Adds the lights."""
    left, low, right, high = table
    centre = Vector(((left + right) / 2, (low + high) / 2, 0))
    half = Vector(((right - left) / 2, (high - low) / 2, 0))
    _area("ceiling", *mood.ceiling, 90.0, centre + Vector((0, 0, 170)), centre)
    turn = rng.uniform(0, 2 * math.pi)
    edge = Vector((math.cos(turn) * (half.x + 45), math.sin(turn) * (half.y + 45), mood.side_height_cm))
    _area("side", *mood.side, mood.side_size_cm, centre + edge, centre)
    spot = centre + Vector((rng.uniform(-0.6, 0.6) * half.x, rng.uniform(-0.4, 0.4) * half.y, 75))
    _area("lamp", *mood.lamp, 12.0, spot, spot - Vector((rng.uniform(-20, 20), rng.uniform(-20, 20), 75)))
    if pane := bpy.data.materials.get(PANE):
        pane.node_tree.nodes["Principled BSDF"].inputs["Emission Strength"].default_value = mood.outside
    world = bpy.data.worlds.new("world")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (*mood.ambient, 1)
    bpy.context.scene.world = world


def change(mood: Mood, position_cm: float) -> None:
    """Changes the light along the way: the lamp comes and goes, and clouds pass the window."""
    lights = bpy.data.lights
    lights["lamp"].energy = mood.lamp[1] * (0.65 + 0.6 * math.sin(position_cm / 45))
    lights["side"].energy = mood.side[1] * (0.75 + 0.35 * math.sin(position_cm / 70 + 1))
