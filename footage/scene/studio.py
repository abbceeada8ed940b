"""Takes pictures of one object at a time, in the light of a room in which nothing else is visible."""

import math
import random
from pathlib import Path

import bpy
import cv2
import numpy as np
from mathutils import Matrix, Vector

from brakepoint.rules import PLATE_CENTRE_CM
from brakepoint.scenery.artwork import PLATES
from brakepoint.scenery.geometry import CameraPose, project
from brakepoint.scenery.scenario import Scenario
from brakepoint.track import Straight
from brakepoint.truth import CameraModel
from footage.scene import signs, things
from footage.scene.stage import Stage, matrix_of
from footage.views import BACKS, LightSetup, View

SAMPLES = 16
MARGIN_PX = 3
"""Margin around the object, so that its soft edge is complete."""
EXPOSURE_SIGMA_STOPS = 0.3
TRACK_CM = 120.0
STANDS_ALONG_CM, STANDS_BESIDE_CM = (30.0, 90.0), (5.0, 11.0)
LAMP_DISTANCE_CM, GLARE_POWERS = 45.0, (0.6e4, 2.5e4)
LAMP_LOWEST_CM = 4.0
THICKNESSES_CM, FEET_CM, MARGINS = (0.22, 0.28, 0.34), (1.6, 1.9, 2.2), (0.0, 0.05, 0.1)
COLOURED_SHARE = 0.75
OUTLINE_TOLERANCE_PX = 0.1


def random_make(rng: random.Random) -> signs.Make:
    """A random way of making signs."""
    return signs.Make(
        coloured=rng.random() < COLOURED_SHARE,
        thickness_cm=rng.choice(THICKNESSES_CM),
        foot_cm=rng.choice(FEET_CM),
        margin=rng.choice(MARGINS),
    )


class Studio:
    """A room in one light, in which everything is hidden from the camera.

    Args:
        setup: The light.
        seed: Seed of the room.
    """

    def __init__(self, setup: LightSetup, seed: int) -> None:
        track = (Straight(straight_cm=TRACK_CM),)
        scenario = Scenario(name="cutouts", seed=seed, track=track, light=setup.light, clutter=0.6)
        self._setup = setup
        self._stage = Stage(scenario, CameraModel())
        self._stage.expose()
        scene = bpy.context.scene
        for thing in scene.objects:
            thing.visible_camera = False
        scene.render.film_transparent = True
        scene.render.image_settings.color_mode = "RGBA"
        scene.render.resolution_percentage = 100
        scene.cycles.samples = SAMPLES
        self._exposure = scene.view_settings.exposure + setup.stops

    def photograph(self, view: View) -> tuple[np.ndarray, np.ndarray]:
        """Adds an object, takes its picture and removes it.

        Returns:
            The picture, `(h, w, 4)` uint8, blue-green-red-alpha and not premultiplied; and the outline of the
            plate, or else of the whole object, `(n, 2)` in pixels of the picture.
        """
        rng = random.Random(f"studio {view.chance}")
        heading = rng.uniform(0, math.tau)
        side = rng.choice((-1, 1)) * rng.uniform(*STANDS_BESIDE_CM)
        place = np.array([rng.uniform(*STANDS_ALONG_CM), side, 0.0])
        parts, outline, centre, high_cm = _put_up(view, place, heading, rng)
        camera = _camera_pose(view, centre, heading)
        if self._setup.glare:
            self._shine(camera, centre, heading, rng.uniform(*GLARE_POWERS))
        scene = bpy.context.scene
        scene.view_settings.exposure = self._exposure + rng.gauss(0, EXPOSURE_SIGMA_STOPS)
        scene.cycles.seed = rng.randrange(2**31)
        corner, model = self._frame(camera, np.vstack([_points(part) for part in parts]), view, high_cm)
        image = self._picture()
        for part in parts:
            bpy.data.objects.remove(part)
        pixels = project(camera, model, outline)[0] - corner
        hull = cv2.convexHull(pixels.astype(np.float32))
        return image, cv2.approxPolyDP(hull, OUTLINE_TOLERANCE_PX, True)[:, 0].clip(0, image.shape[1::-1])

    def _frame(
        self, camera: CameraPose, points: np.ndarray, view: View, high_cm: float
    ) -> tuple[np.ndarray, CameraModel]:
        """Adjusts Blender's camera so that the picture is just large enough.

        Returns:
            The picture's top left corner, in pixels of the camera that is returned with it.
        """
        focal_px = view.height_px * view.distance_cm / high_cm
        model = CameraModel(focal_px=focal_px)
        pixels = project(camera, model, points)[0]
        corner = np.floor(pixels.min(axis=0)) - MARGIN_PX
        width, height = (np.ceil(pixels.max(axis=0)) + MARGIN_PX - corner).astype(int).tolist()
        off_axis = corner + np.array([width - model.width_px, height - model.height_px]) / 2
        render, thing = bpy.context.scene.render, bpy.context.scene.camera
        render.resolution_x, render.resolution_y = width, height
        thing.data.lens = focal_px / width * thing.data.sensor_width
        thing.data.shift_x, thing.data.shift_y = off_axis[0] / width, -off_axis[1] / width
        right, up, forward = camera.axes
        thing.matrix_world = matrix_of(right, up, -forward, camera.place)
        return corner, model

    def _picture(self) -> np.ndarray:
        path = Path(bpy.app.tempdir) / "cutout.png"
        self._stage.picture(path)
        return np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))

    def _shine(self, camera: CameraPose, centre: np.ndarray, heading: float, power: float) -> None:
        """Moves the lamp to where the plate reflects it into the camera."""
        normal = np.array([math.cos(heading), math.sin(heading), 0.0])
        to_camera = camera.place - centre
        to_camera /= np.linalg.norm(to_camera)
        mirrored = 2 * (normal @ to_camera) * normal - to_camera
        lamp = bpy.data.objects["lamp"]
        place = centre + LAMP_DISTANCE_CM * mirrored
        place[2] = max(place[2], LAMP_LOWEST_CM)
        aim = Vector(centre - place).to_track_quat("-Z", "Y").to_matrix().to_4x4()
        lamp.matrix_world = Matrix.Translation(place) @ aim
        lamp.data.energy = power


def _put_up(
    view: View, place: np.ndarray, heading: float, rng: random.Random
) -> tuple[list[bpy.types.Object], np.ndarray, np.ndarray, float]:
    """Returns the object's parts; its plate's outline, or else all its points; its centre; its height."""
    kind = BACKS.get(view.kind, view.kind)
    if kind not in PLATES:
        parts = things.build(kind, Matrix.Translation(place) @ Matrix.Rotation(heading, 4, "Z"), rng)
        bpy.context.view_layer.update()
        points = np.vstack([_points(part) for part in parts])
        low, high = points.min(axis=0), points.max(axis=0)
        return parts, points, (low + high) / 2, float((high - low).max())
    make = random_make(rng)
    right = np.array([-math.sin(heading), math.cos(heading), 0.0])
    up, normal = np.array([0.0, 0.0, 1.0]), np.array([math.cos(heading), math.sin(heading), 0.0])
    centre = place + PLATE_CENTRE_CM * up
    parts = signs.build(kind, matrix_of(right, up, normal, centre), make)
    bpy.context.view_layer.update()
    front = centre + np.array(PLATES[kind].outline) @ np.stack([right, up])
    return parts, np.vstack([front, front - make.thickness_cm * normal]), centre, PLATES[kind].height_cm


def _camera_pose(view: View, centre: np.ndarray, heading: float) -> CameraPose:
    """The camera that shows an object facing `heading` as the view requires."""
    azimuth, pitch = heading - math.radians(view.yaw_deg), math.radians(view.pitch_deg)
    level = math.cos(pitch)
    towards = np.array([level * math.cos(azimuth), level * math.sin(azimuth), math.sin(pitch)])
    x, y, z = (centre + view.distance_cm * towards).tolist()
    return CameraPose(x, y, z, azimuth + math.pi, -pitch, math.radians(view.roll_deg))


def _points(part: bpy.types.Object) -> np.ndarray:
    """The corners of an object in the world, `(n, 3)`."""
    corners = np.array([vertex.co for vertex in part.data.vertices])
    world = np.array(part.matrix_world)
    placed: np.ndarray = corners @ world[:3, :3].T + world[:3, 3]
    return placed
