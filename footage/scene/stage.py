"""Builds the scene of a scenario in Blender and takes pictures of it."""

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

from brakepoint.scenery.geometry import camera_pose, plate_pose
from brakepoint.scenery.scenario import Scenario
from brakepoint.truth import CameraModel
from footage.scene import clutter, light, railway, room, signs

TABLE_MARGIN_CM = 42.0
SAMPLES = 6
RESOLUTION_PERCENT = 80
"""Frames are rendered smaller than the video.

The lens of such a camera does not resolve more, and rendering takes a third less time.
"""


@contextmanager
def silence() -> Iterator[None]:
    """Keeps Blender's own messages off the standard output."""
    sys.stdout.flush()
    saved = os.dup(1)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(saved, 1)
            os.close(saved)


def matrix_of(x: np.ndarray, y: np.ndarray, z: np.ndarray, origin: np.ndarray) -> Matrix:
    """A pose in the world with these axes, each of shape (3,)."""
    return Matrix(np.vstack([np.stack([x, y, z, origin], axis=1), [0, 0, 0, 1]]).tolist())


class Stage:
    """The scene of one scenario, ready for rendering.

    Only one `Stage` can exist at a time: Blender has one scene per process.

    Args:
        scenario: The scenario to build.
        camera: The camera.
    """

    def __init__(self, scenario: Scenario, camera: CameraModel) -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.scenario = scenario
        self.track = scenario.line
        self.mood = light.MOODS[scenario.light]
        self._settings(camera)
        table = self._table()
        rng = random.Random(f"{scenario.name} {scenario.seed}")
        room.build(table, scenario.clutter, rng)
        clutter.build(self.track, table, scenario.clutter, rng)
        railway.build(self.track)
        light.build(self.mood, table, rng)
        for index, sign in enumerate(scenario.signs):
            plate = plate_pose(scenario, self.track, index)
            signs.build(sign.kind, matrix_of(plate.right, plate.up, plate.normal, plate.centre))
        self._camera = self._place_camera(camera)
        bpy.context.view_layer.update()

    def _table(self) -> tuple[float, float, float, float]:
        poses = [self.track.pose(position) for position in range(0, int(self.track.length_cm) + 1, 2)]
        xs, ys = [pose.x_cm for pose in poses], [pose.y_cm for pose in poses]
        return (
            min(xs) - TABLE_MARGIN_CM,
            min(ys) - TABLE_MARGIN_CM,
            max(xs) + TABLE_MARGIN_CM,
            max(ys) + TABLE_MARGIN_CM,
        )

    def _settings(self, camera: CameraModel) -> None:
        scene = bpy.context.scene
        scene.render.engine = "CYCLES"
        scene.render.resolution_x, scene.render.resolution_y = camera.width_px, camera.height_px
        scene.render.use_persistent_data = True
        scene.render.image_settings.file_format = "PNG"
        scene.render.image_settings.color_mode = "RGB"
        scene.render.image_settings.compression = 15
        scene.render.threads_mode = "FIXED"
        scene.render.threads = int(os.environ.get("BRAKEPOINT_RENDER_THREADS", os.cpu_count() or 1))
        scene.view_settings.view_transform = "Filmic"
        scene.view_settings.look = self.mood.contrast
        cycles = scene.cycles
        cycles.device = "CPU"
        cycles.samples = SAMPLES
        cycles.use_adaptive_sampling = False
        cycles.use_denoising = True
        cycles.denoiser = "OPENIMAGEDENOISE"
        cycles.denoising_prefilter = "FAST"
        cycles.denoising_quality = "FAST"
        cycles.use_fast_gi = True
        cycles.fast_gi_method = "REPLACE"
        cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 3, 1, 2
        cycles.transmission_bounces, cycles.transparent_max_bounces = 0, 2
        cycles.caustics_reflective = cycles.caustics_refractive = False
        cycles.sample_clamp_indirect = 4.0

    def _place_camera(self, camera: CameraModel) -> bpy.types.Object:
        data = bpy.data.cameras.new("camera")
        data.sensor_fit = "HORIZONTAL"
        data.sensor_width = 36.0
        data.lens = camera.focal_px / camera.width_px * data.sensor_width
        data.clip_start, data.clip_end = 0.5, 3000.0
        thing = bpy.data.objects.new("camera", data)
        bpy.context.scene.collection.objects.link(thing)
        bpy.context.scene.camera = thing
        return thing

    def look_from(self, position_cm: float) -> None:
        """Moves the camera to a position along the track, and updates the light."""
        pose = camera_pose(self.scenario, self.track, position_cm)
        right, up, forward = pose.axes
        self._camera.matrix_world = matrix_of(right, up, -forward, pose.place)
        if self.scenario.changing_light:
            light.change(self.mood, position_cm)
        bpy.context.scene.cycles.seed = round(position_cm * 100)

    def expose(self) -> None:
        """Sets the exposure once for the whole feed, from small pictures along the way."""
        scene = bpy.context.scene
        scene.render.resolution_percentage = 15
        for _ in range(2):
            means = []
            for part in (0.05, 0.35, 0.65, 0.95):
                self.look_from(part * self.track.length_cm)
                means.append(float(self._quick_picture().mean()))
            scene.view_settings.exposure += 2.2 * float(np.log2(self.mood.brightness / np.mean(means)))
        scene.render.resolution_percentage = RESOLUTION_PERCENT

    def _quick_picture(self) -> np.ndarray:
        path = Path(bpy.app.tempdir) / "quick.png"
        self.picture(path)
        image = bpy.data.images.load(str(path))
        pixels = np.empty(len(image.pixels), np.float32)
        image.pixels.foreach_get(pixels)
        bpy.data.images.remove(image)
        return pixels.reshape(-1, 4)[:, :3]

    def picture(self, path: Path) -> None:
        """Renders the camera's view to a PNG file."""
        bpy.context.scene.render.filepath = str(path)
        with silence():
            bpy.ops.render.render(write_still=True)

    def visible(self, camera_cm: np.ndarray, points_cm: np.ndarray) -> np.ndarray:
        """Which points of a plate's front are unobstructed.

        Args:
            camera_cm: `(3,)`, position of the camera.
            points_cm: `(n, 3)`, points on the plate's front.

        Returns:
            `(n,)` bool.
        """
        graph = bpy.context.evaluated_depsgraph_get()
        eye = Vector(camera_cm)
        result = np.ones(len(points_cm), bool)
        for index, point in enumerate(points_cm):
            ray = Vector(point) - eye
            reach = ray.length - signs.PLATE_THICKNESS_CM - 0.1  # A plate does not hide its own far side.
            hit = bpy.context.scene.ray_cast(graph, eye, ray.normalized(), distance=reach)
            result[index] = not hit[0]
        return result
