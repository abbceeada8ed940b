"""Synthetic pictures of signs with exact labels: the fixed parts behind step 2."""

from pathlib import Path

from brakepoint.synthesis.backgrounds import background
from brakepoint.synthesis.camera import photograph
from brakepoint.synthesis.picture import Box, Label, Picture, Placed
from brakepoint.synthesis.scene import random_height, random_occluder, random_sign
from brakepoint.synthesis.sprites import Look, Pose, Sprite, draw_sign
from brakepoint.synthesis.textures import random_shapes

Backgrounds = tuple[Path, ...]
"""Files of pictures without signs."""

__all__ = [
    "Backgrounds",
    "Box",
    "Label",
    "Look",
    "Picture",
    "Placed",
    "Pose",
    "Sprite",
    "background",
    "draw_sign",
    "photograph",
    "random_height",
    "random_occluder",
    "random_shapes",
    "random_sign",
]
