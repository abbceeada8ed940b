"""Sign plates on black posts with a grey foot."""

import math

import bpy
import numpy as np
from mathutils import Matrix

from footage.artwork import PLATES, Plate, rasterise
from footage.scene.materials import plain, printed
from footage.scene.shapes import add, put, solid

PLATE_THICKNESS_CM = 0.22
POST_DIAMETER_CM = 0.42
FOOT_CM = (1.6, 1.6, 0.32)
PICTURE_PX = 256


def _opaque(picture: np.ndarray) -> np.ndarray:
    """Fills the transparent rim with the colour nearest to it, so that no fringe shows at the edge."""
    filled = picture.copy()
    for row in filled:
        inside = np.flatnonzero(row[:, 3] > 250)
        if inside.size:
            row[: inside[0]] = row[inside[0]]
            row[inside[-1] :] = row[inside[-1]]
    rows = np.flatnonzero((picture[:, :, 3] > 250).any(axis=1))
    filled[: rows[0]], filled[rows[-1] :] = filled[rows[0]], filled[rows[-1]]
    return filled


def _front(plate: Plate) -> bpy.types.Mesh:
    """The printed face: local x to the right, y up, seen from +z."""
    if found := bpy.data.meshes.get(f"front {plate.kind}"):
        return found
    outline = [(x, y, 0.0) for x, y in plate.outline]
    mesh = solid(f"front {plate.kind}", outline, [tuple(range(len(outline)))])
    layer = mesh.uv_layers.new()
    for loop, uv in zip(mesh.loops, layer.data, strict=True):
        x, y, _ = mesh.vertices[loop.vertex_index].co
        uv.uv = (x / plate.width_cm + 0.5, y / plate.height_cm + 0.5)
    return mesh


def _body(plate: Plate) -> bpy.types.Mesh:
    """Rim and back."""
    count = len(plate.outline)
    vertices = [(x, y, z) for z in (-0.004, -PLATE_THICKNESS_CM) for x, y in plate.outline]
    rim = [(i, (i + 1) % count, count + (i + 1) % count, count + i) for i in range(count)]
    return solid(f"body {plate.kind}", vertices, [*rim, tuple(range(2 * count - 1, count - 1, -1))])


def build(kind: str, plate_matrix: Matrix) -> None:
    """Puts a sign up.

    Args:
        kind: A key of `PLATES`.
        plate_matrix: Where the plate is: x to the viewer's right, y up, z towards the viewer; centimetres.
    """
    plate = PLATES[kind]
    black = plain("post black", (0.008, 0.008, 0.009), roughness=0.32)
    grey = plain("foot grey", (0.22, 0.23, 0.24), roughness=0.4)
    print_ = printed(f"print {kind}", _opaque(rasterise(kind, PICTURE_PX)), roughness=0.28)
    put(bpy.data.objects.new("plate", _front(plate)), plate_matrix, print_)
    put(bpy.data.objects.new("plate body", _body(plate)), plate_matrix, black)

    centre = plate_matrix.translation
    x, y = centre.x, centre.y
    behind = -(PLATE_THICKNESS_CM + POST_DIAMETER_CM / 2)
    heading = math.atan2(plate_matrix[1][2], plate_matrix[0][2])
    post = Matrix.Translation((x, y, 0)) @ Matrix.Rotation(heading, 4, "Z")
    top = centre.z + plate.height_cm * 0.1
    thickness = (POST_DIAMETER_CM, POST_DIAMETER_CM)
    add("cylinder", (*thickness, top), (behind, 0, top / 2), black, frame=post)
    add("cylinder", (0.62, 0.62, 0.5), (behind, 0, centre.z - plate.height_cm / 2 - 0.1), black, frame=post)
    add("cylinder", (0.62, 0.62, 0.6), (behind, 0, 0.6), black, frame=post)
    add("cube", FOOT_CM, (behind, 0, FOOT_CM[2] / 2), grey, frame=post)
