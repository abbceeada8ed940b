"""Synthetic pictures of signs with exact labels: the fixed parts behind step 2."""

from brakepoint.synthesis.camera import photograph
from brakepoint.synthesis.materials import Materials
from brakepoint.synthesis.picture import Box, Label, Picture, Placed
from brakepoint.synthesis.scene import random_height, random_occluder
from brakepoint.synthesis.sprites import Look, Pose, Sprite, draw_sign
from brakepoint.synthesis.textures import random_shapes

__all__ = [
    "Box",
    "Label",
    "Look",
    "Materials",
    "Picture",
    "Placed",
    "Pose",
    "Sprite",
    "draw_sign",
    "photograph",
    "random_height",
    "random_occluder",
    "random_shapes",
]
