"""Sign plates on black posts with a grey foot."""

import math
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix

from brakepoint.scenery.artwork import PLATES, PlateArtwork, rasterise
from brakepoint.scenery.plate_parts import TRIANGLE_INCENTRE_Y, UNITS_PER_CM
from footage.scene.materials import plain, printed
from footage.scene.shapes import add, put, solid

PLATE_THICKNESS_CM = 0.22
POST_DIAMETER_CM = 0.42
FOOT_HEIGHT_CM = 0.32
PICTURE_PX = 256
BLACK = (0.008, 0.008, 0.009)
YELLOW_PLASTIC, WHITE_PLASTIC = (0.85, 0.50, 0.01), (0.75, 0.75, 0.72)


@dataclass(frozen=True)
class Make:
    """How a sign is moulded and printed, which differs between toy sets.

    Attributes:
        coloured: Whether rim and back are yellow or white plastic; otherwise they are black.
        thickness_cm: Thickness of the plate.
        foot_cm: Side of the foot.
        margin: Share of the plate that is not printed, and has the rim's colour.
    """

    coloured: bool = False
    thickness_cm: float = PLATE_THICKNESS_CM
    foot_cm: float = 1.6
    margin: float = 0.0


ON_THE_FEEDS = Make()


def _opaque(picture: np.ndarray) -> np.ndarray:
    """Fills the transparent rim with the nearest colour, so that no fringe is visible at the edge."""
    filled = picture.copy()
    for row in filled:
        inside = np.flatnonzero(row[:, 3] > 250)
        if inside.size:
            row[: inside[0]] = row[inside[0]]
            row[inside[-1] :] = row[inside[-1]]
    rows = np.flatnonzero((picture[:, :, 3] > 250).any(axis=1))
    filled[: rows[0]], filled[rows[-1] :] = filled[rows[0]], filled[rows[-1]]
    return filled


def _front(plate: PlateArtwork, margin: float) -> bpy.types.Mesh:
    """The printed face: local x to the right, y up, seen from +z."""
    name = f"front {plate.kind} {margin}"
    if found := bpy.data.meshes.get(name):
        return found
    outline = [(x, y, 0.0) for x, y in plate.outline]
    mesh = solid(name, outline, [tuple(range(len(outline)))])
    middle = -TRIANGLE_INCENTRE_Y / UNITS_PER_CM if plate.shape == "triangle" else 0.0
    layer = mesh.uv_layers.new()
    for loop, uv in zip(mesh.loops, layer.data, strict=True):
        x, y, _ = mesh.vertices[loop.vertex_index].co
        x, y = x / (1 - margin), middle + (y - middle) / (1 - margin)
        uv.uv = (x / plate.width_cm + 0.5, y / plate.height_cm + 0.5)
    return mesh


def _body(plate: PlateArtwork, thickness_cm: float) -> bpy.types.Mesh:
    """Rim and back."""
    count = len(plate.outline)
    vertices = [(x, y, z) for z in (-0.004, -thickness_cm) for x, y in plate.outline]
    rim = [(i, (i + 1) % count, count + (i + 1) % count, count + i) for i in range(count)]
    faces = [*rim, tuple(range(2 * count - 1, count - 1, -1))]
    return solid(f"body {plate.kind} {thickness_cm}", vertices, faces)


def _plastic(plate: PlateArtwork, make: Make) -> bpy.types.Material:
    if not make.coloured:
        return plain("post black", BLACK, roughness=0.32)
    if plate.kind.startswith("danger-"):
        return plain("yellow plastic", YELLOW_PLASTIC, roughness=0.35)
    return plain("white plastic", WHITE_PLASTIC, roughness=0.35)


def build(kind: str, plate_matrix: Matrix, make: Make = ON_THE_FEEDS) -> list[bpy.types.Object]:
    """Adds a sign.

    Args:
        kind: A key of `PLATES`.
        plate_matrix: Pose of the plate: x to the viewer's right, y up, z towards the viewer; centimetres.
        make: How the sign is moulded and printed.

    Returns:
        The sign's parts.
    """
    plate = PLATES[kind]
    black = plain("post black", BLACK, roughness=0.32)
    grey = plain("foot grey", (0.22, 0.23, 0.24), roughness=0.4)
    print_ = printed(f"print {kind}", _opaque(rasterise(kind, PICTURE_PX)), roughness=0.28)
    front = put(bpy.data.objects.new("plate", _front(plate, make.margin)), plate_matrix, print_)
    body_mesh = _body(plate, make.thickness_cm)
    body = put(bpy.data.objects.new("plate body", body_mesh), plate_matrix, _plastic(plate, make))

    centre = plate_matrix.translation
    x, y = centre.x, centre.y
    behind = -(make.thickness_cm + POST_DIAMETER_CM / 2)
    heading = math.atan2(plate_matrix[1][2], plate_matrix[0][2])
    post = Matrix.Translation((x, y, 0)) @ Matrix.Rotation(heading, 4, "Z")
    top = centre.z + plate.height_cm * 0.1
    thickness = (POST_DIAMETER_CM, POST_DIAMETER_CM)
    collar_z = centre.z - plate.height_cm / 2 - 0.1
    foot = (make.foot_cm, make.foot_cm, FOOT_HEIGHT_CM)
    return [
        front,
        body,
        add("cylinder", (*thickness, top), (behind, 0, top / 2), black, frame=post),
        add("cylinder", (0.62, 0.62, 0.5), (behind, 0, collar_z), black, frame=post),
        add("cylinder", (0.62, 0.62, 0.6), (behind, 0, 0.6), black, frame=post),
        add("cube", foot, (behind, 0, FOOT_HEIGHT_CM / 2), grey, frame=post),
    ]
