"""Materials, each created once and reused by name."""

from collections.abc import Sequence

import bpy
import numpy as np

RGB = Sequence[float]


def _new(name: str) -> tuple[bpy.types.Material, bpy.types.NodeTree, bpy.types.Node]:
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    return material, material.node_tree, material.node_tree.nodes["Principled BSDF"]


def plain(name: str, colour: RGB, roughness: float = 0.5, metallic: float = 0.0) -> bpy.types.Material:
    """A single colour (linear RGB, 0 to 1)."""
    if found := bpy.data.materials.get(name):
        return found
    material, _, shader = _new(name)
    shader.inputs["Base Color"].default_value = (*colour, 1)
    shader.inputs["Roughness"].default_value = roughness
    shader.inputs["Metallic"].default_value = metallic
    return material


def glowing(name: str, colour: RGB, strength: float) -> bpy.types.Material:
    """A luminous surface: a window pane, a lamp shade."""
    if found := bpy.data.materials.get(name):
        return found
    material, _, shader = _new(name)
    shader.inputs["Base Color"].default_value = (*colour, 1)
    shader.inputs["Emission Color"].default_value = (*colour, 1)
    shader.inputs["Emission Strength"].default_value = strength
    return material


def _ramp(tree: bpy.types.NodeTree, colours: Sequence[RGB], constant: bool) -> bpy.types.Node:
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    ramp.color_ramp.interpolation = "CONSTANT" if constant else "LINEAR"
    elements = ramp.color_ramp.elements
    while len(elements) < len(colours):
        elements.new(0.5)
    for index, colour in enumerate(colours):
        elements[index].position = (
            0.3 + 0.4 * index / len(colours) if constant else index / (len(colours) - 1)
        )
        elements[index].color = (*colour, 1)
    return ramp


def wood(
    name: str, dark: RGB, light: RGB, scale: float = 0.02, roughness: float = 0.4, bump: float = 0.0
) -> bpy.types.Material:
    """Grain along x: noise stretched twenty times."""
    if found := bpy.data.materials.get(name):
        return found
    material, tree, shader = _new(name)
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    mapping = tree.nodes.new("ShaderNodeMapping")
    mapping.inputs["Scale"].default_value = (scale, scale * 20, scale * 20)
    noise = tree.nodes.new("ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value = 3.0
    noise.inputs["Detail"].default_value = 3.0
    ramp = _ramp(tree, (dark, light), constant=False)
    tree.links.new(coordinates.outputs["Object"], mapping.inputs["Vector"])
    tree.links.new(mapping.outputs["Vector"], noise.inputs["Vector"])
    tree.links.new(noise.outputs["Fac"], ramp.inputs["Fac"])
    tree.links.new(ramp.outputs["Color"], shader.inputs["Base Color"])
    shader.inputs["Roughness"].default_value = roughness
    if bump:
        relief = tree.nodes.new("ShaderNodeBump")
        relief.inputs["Strength"].default_value = bump
        tree.links.new(noise.outputs["Fac"], relief.inputs["Height"])
        tree.links.new(relief.outputs["Normal"], shader.inputs["Normal"])
    return material


def patterned(name: str, colours: Sequence[RGB], scale: float, kind: str = "blobs") -> bpy.types.Material:
    """Printed cloth in strong colours: blobs, or woven stripes."""
    if found := bpy.data.materials.get(name):
        return found
    material, tree, shader = _new(name)
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    pattern = tree.nodes.new("ShaderNodeTexNoise" if kind == "blobs" else "ShaderNodeTexWave")
    pattern.inputs["Scale"].default_value = scale
    if kind != "blobs":
        pattern.inputs["Distortion"].default_value = 4.0
    ramp = _ramp(tree, colours, constant=True)
    tree.links.new(coordinates.outputs["Object"], pattern.inputs["Vector"])
    tree.links.new(pattern.outputs["Fac"], ramp.inputs["Fac"])
    tree.links.new(ramp.outputs["Color"], shader.inputs["Base Color"])
    shader.inputs["Roughness"].default_value = 0.9
    return material


def printed(name: str, picture: np.ndarray, roughness: float = 0.3) -> bpy.types.Material:
    """A picture on plastic, laid out by the mesh's UV map.

    Args:
        name: Name of the material.
        picture: `(height, width, 4)` uint8, red-green-blue-alpha, first row at the top.
        roughness: From 0, a mirror, to 1, chalk.
    """
    if found := bpy.data.materials.get(name):
        return found
    height, width = picture.shape[:2]
    image = bpy.data.images.new(name, width, height, alpha=True)
    image.pixels.foreach_set((np.flipud(picture).astype(np.float32) / 255).ravel())
    image.pack()
    material, tree, shader = _new(name)
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.image = image
    texture.extension = "EXTEND"
    tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    shader.inputs["Roughness"].default_value = roughness
    return material
