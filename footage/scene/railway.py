"""Grey rails on studded sleepers. Dimensions are those of the common toy track: a stud is 0.8 cm."""

import math

import bpy
from mathutils import Matrix

from brakepoint.track import Track
from footage.scene.materials import plain
from footage.scene.shapes import put, solid

SLEEPER_SPACING_CM = 3.2
SLEEPER_CM = (1.6, 6.4, 0.64)
RAIL_OFFSET_CM = 2.0
RAIL_PROFILE_CM = ((-0.4, 0.64), (-0.22, 0.8), (-0.22, 1.28), (0.22, 1.28), (0.22, 0.8), (0.4, 0.64))
"""Points of the rail's cross-section: to the side, and up from the table."""
LEAD_CM = 40.0
"""The track extends beyond its start and end by this length, because the camera sees that far."""

Corner = tuple[float, float, float]
Face = tuple[int, ...]
Solid = tuple[list[Corner], list[Face]]


def _box(length: float, width: float, bottom: float, top: float) -> Solid:
    corners = [
        (x, y, z) for x in (-length / 2, length / 2) for y in (-width / 2, width / 2) for z in (bottom, top)
    ]
    return corners, [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


def _stud(x: float, y: float, bottom: float, sides: int = 12) -> Solid:
    ring = [
        (x + 0.24 * math.cos(2 * math.pi * i / sides), y + 0.24 * math.sin(2 * math.pi * i / sides))
        for i in range(sides)
    ]
    vertices = [(a, b, bottom) for a, b in ring] + [(a, b, bottom + 0.18) for a, b in ring]
    walls = [(i, (i + 1) % sides, sides + (i + 1) % sides, sides + i) for i in range(sides)]
    return vertices, [*walls, tuple(range(sides, 2 * sides))]


def _sleeper() -> bpy.types.Mesh:
    """Two rows of studs, except for those under the rails."""
    length, width, height = SLEEPER_CM
    parts = [_box(length, width, 0.0, height)]
    for x in (-0.4, 0.4):
        parts += [_stud(x, y, height) for y in (-2.8, -1.2, -0.4, 0.4, 1.2, 2.8)]
    vertices: list[Corner] = []
    faces: list[Face] = []
    for part_vertices, part_faces in parts:
        faces += [tuple(len(vertices) + index for index in face) for face in part_faces]
        vertices += part_vertices
    return solid("sleeper", vertices, faces)


def _rail(
    track: Track, offset_cm: float, start_cm: float, end_cm: float, step_cm: float = 1.6
) -> bpy.types.Mesh:
    """The profile swept along the track."""
    count = int((end_cm - start_cm) / step_cm) + 1
    sides = len(RAIL_PROFILE_CM)
    vertices = []
    for index in range(count):
        pose = track.pose(start_cm + index * step_cm)
        for across, up in RAIL_PROFILE_CM:
            place = pose.beside(offset_cm + across)
            vertices.append((place.x_cm, place.y_cm, up))
    faces = [
        (i * sides + k, (i + 1) * sides + k, (i + 1) * sides + k + 1, i * sides + k + 1)
        for i in range(count - 1)
        for k in range(sides - 1)
    ]
    return solid(f"rail {offset_cm}", vertices, faces)


def build(track: Track) -> None:
    """Lays the track on the table."""
    grey = plain("track grey", (0.14, 0.15, 0.16), roughness=0.38)
    steel = plain("rail grey", (0.20, 0.21, 0.22), roughness=0.3)
    start_cm, end_cm = -LEAD_CM, track.length_cm + LEAD_CM
    for index in range(int((end_cm - start_cm) / SLEEPER_SPACING_CM)):
        pose = track.pose(start_cm + index * SLEEPER_SPACING_CM)
        matrix = Matrix.Translation((pose.x_cm, pose.y_cm, 0)) @ Matrix.Rotation(pose.heading, 4, "Z")
        put(bpy.data.objects.new("sleeper", _sleeper()), matrix, grey)
    for offset_cm in (-RAIL_OFFSET_CM, RAIL_OFFSET_CM):
        put(bpy.data.objects.new("rail", _rail(track, offset_cm, start_cm, end_cm)), Matrix(), steel)
