"""Objects built from a few unit meshes, so that Cycles shares their geometry."""

import math
from collections.abc import Callable, Sequence

import bpy
from mathutils import Euler, Matrix, Vector

Triple = Sequence[float]


def _mesh(
    name: str, vertices: Sequence[Triple], faces: Sequence[Sequence[int]], smooth: bool = False
) -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices, [], faces)
    if smooth:
        mesh.shade_smooth()
    mesh.materials.append(None)
    return mesh


def _cube() -> bpy.types.Mesh:
    corners = [(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    return _mesh("cube", corners, faces)


def _cylinder(top: float, name: str, sides: int = 24) -> bpy.types.Mesh:
    """A cylinder with radius 0.5 at the bottom, `top` times that at the top, and height 1."""
    angles = [2 * math.pi * side / sides for side in range(sides)]
    ring = [(0.5 * math.cos(a), 0.5 * math.sin(a)) for a in angles]
    vertices = [(x, y, -0.5) for x, y in ring] + [(x * top, y * top, 0.5) for x, y in ring]
    walls = [(i, (i + 1) % sides, sides + (i + 1) % sides, sides + i) for i in range(sides)]
    return _mesh(name, vertices, [*walls, tuple(reversed(range(sides))), tuple(range(sides, 2 * sides))])


def _ball(rings: int = 16, sides: int = 24) -> bpy.types.Mesh:
    vertices = [
        (
            0.5 * math.sin(math.pi * ring / rings) * math.cos(2 * math.pi * side / sides),
            0.5 * math.sin(math.pi * ring / rings) * math.sin(2 * math.pi * side / sides),
            0.5 * math.cos(math.pi * ring / rings),
        )
        for ring in range(rings + 1)
        for side in range(sides)
    ]
    faces = [
        (r * sides + s, (r + 1) * sides + s, (r + 1) * sides + (s + 1) % sides, r * sides + (s + 1) % sides)
        for r in range(rings)
        for s in range(sides)
    ]
    return _mesh("ball", vertices, faces, smooth=True)


_MAKERS: dict[str, Callable[[], bpy.types.Mesh]] = {
    "cube": _cube,
    "cylinder": lambda: _cylinder(1.0, "cylinder"),
    "cone": lambda: _cylinder(0.02, "cone"),
    "cup": lambda: _cylinder(1.3, "cup"),
    "ball": _ball,
}


def add(
    shape: str,
    size: Triple,
    place: Triple,
    material: bpy.types.Material,
    rotation: Triple = (0, 0, 0),
    frame: Matrix | None = None,
) -> bpy.types.Object:
    """Adds a shape to the scene.

    Args:
        shape: `cube`, `cylinder`, `cone`, `cup` (wider at the top) or `ball`; each fits a unit cube.
        size: The shape's extent in x, y and z, in centimetres.
        place: The shape's centre.
        material: The shape's material.
        rotation: Euler angles in radians.
        frame: Reference frame of place and rotation; by default the world.
    """
    mesh = bpy.data.meshes.get(shape) or _MAKERS[shape]()
    thing = bpy.data.objects.new(shape, mesh)
    local = Matrix.LocRotScale(Vector(place), Euler(rotation), Vector(size))
    return put(thing, (frame or Matrix()) @ local, material)


def put(thing: bpy.types.Object, matrix: Matrix, material: bpy.types.Material) -> bpy.types.Object:
    """Links an object at a place, with its own material on a shared mesh."""
    thing.matrix_world = matrix
    bpy.context.scene.collection.objects.link(thing)
    thing.material_slots[0].link = "OBJECT"
    thing.material_slots[0].material = material
    return thing


def solid(name: str, vertices: Sequence[Triple], faces: Sequence[Sequence[int]]) -> bpy.types.Mesh:
    """A custom mesh with one material slot."""
    return bpy.data.meshes.get(name) or _mesh(name, vertices, faces)
