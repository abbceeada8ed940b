"""What the camera sees, from geometry alone: poses, projection, and the ground truth of a scenario.

The table is the plane z = 0, in the centimetres of `brakepoint.track`; z points up. The renderer uses the
same camera and plates, so that pictures and ground truth cannot disagree.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from brakepoint.rules import PLATE_CENTRE_CM
from brakepoint.scenery.artwork import PLATES
from brakepoint.scenery.scenario import Scenario, ScenarioSign
from brakepoint.track import Track
from brakepoint.truth import CameraModel, GroundTruth, TruthFrame, TruthSign, VisibleSign

Visibility = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""`visibility(camera_cm, points_cm)`: for each of N points, shape (N, 3), whether the point is unobstructed.

The points are on a plate's front face, which must not count as hiding itself."""

SHAKE_DEG = 0.3
"""Amplitude of the camera's vibration in yaw, pitch and roll."""
SHAKE_CM = 0.05
"""Amplitude of the camera's vibration in height."""
CROOKED_SIGMA_DEG = np.array([2.5, 7.0])
"""Standard deviation of signs' default tilt and turn, which are limited to twice this value."""

GRAZING_COS = float(np.cos(np.radians(90 - 12)))
"""A plate within 12 degrees of edge-on shows no front."""
NEAREST_CM = 2.0
"""Nothing nearer than this can be projected."""
SMALLEST_PX = 3.0
"""Signs below this height in the picture are not listed."""
SAMPLES_ACROSS = 24

_SHAKE, _CROOKED = 1, 2  # Independent streams of random numbers.


class CameraPose(NamedTuple):
    """Position and orientation of the camera, in centimetres and radians.

    Attributes:
        x_cm: Position along the table.
        y_cm: Position across the table.
        z_cm: Height above the table.
        yaw: Direction of view, counter-clockwise from +x.
        pitch: Upward angle.
        roll: Tilt to the camera's right.
    """

    x_cm: float
    y_cm: float
    z_cm: float
    yaw: float
    pitch: float
    roll: float

    @property
    def place(self) -> np.ndarray:
        """Position `(x, y, z)` in centimetres."""
        return np.array(self[:3])

    @property
    def axes(self) -> np.ndarray:
        """Unit vectors to the camera's right, upward, and forward: the rows of a (3, 3) array."""
        return _axes(self.yaw, self.pitch, self.roll)


@lru_cache(maxsize=16)  # All signs of a frame need the same axes.
def _axes(yaw: float, pitch: float, roll: float) -> np.ndarray:
    cos_yaw, sin_yaw = np.cos(yaw), np.sin(yaw)
    cos_pitch, sin_pitch = np.cos(pitch), np.sin(pitch)
    forward = np.array([cos_pitch * cos_yaw, cos_pitch * sin_yaw, sin_pitch])
    level = np.array([sin_yaw, -cos_yaw, 0.0])
    upright = np.cross(level, forward)
    right = np.cos(roll) * level - np.sin(roll) * upright
    return np.stack([right, np.cross(right, forward), forward])


class PlatePose(NamedTuple):
    """Pose of a plate: its centre, and unit vectors to the right and upward, seen from its front."""

    centre: np.ndarray
    right: np.ndarray
    up: np.ndarray

    @property
    def normal(self) -> np.ndarray:
        """The outward normal of the front."""
        return np.cross(self.right, self.up)

    def place(self, points: np.ndarray) -> np.ndarray:
        """Converts points of the plate, (N, 2) in centimetres, x right and y up, to world points (N, 3)."""
        placed: np.ndarray = self.centre + points @ np.stack([self.right, self.up])
        return placed


def camera_pose(
    scenario: Scenario,
    track: Track,
    position_cm: float,
    model: CameraModel = CameraModel(),  # noqa: B008 — it is frozen
) -> CameraPose:
    """The camera at a position along the track, with its vibration there.

    The vibration is drawn from the scenario's seed and the position: every call for a position gives the same
    pose, whatever the spacing of the frames.
    """
    place = max(round(position_cm * 100), 0)
    shake = np.random.default_rng([scenario.seed, _SHAKE, place]).uniform(-1, 1, 4)
    yaw, pitch, roll = np.radians(SHAKE_DEG) * shake[:3]
    here = track.pose(position_cm)
    return CameraPose(
        here.x_cm,
        here.y_cm,
        model.height_cm + SHAKE_CM * float(shake[3]),
        here.heading + float(yaw),
        float(np.radians(model.pitch_deg) + pitch),
        float(roll),
    )


def _crooked_deg(scenario: Scenario, index: int) -> tuple[float, float]:
    """Tilt of a sign, clockwise as seen from the train, and its turn to the train's right, in degrees."""
    sign = scenario.signs[index]
    drawn = np.random.default_rng([scenario.seed, _CROOKED, index]).normal(0, CROOKED_SIGMA_DEG)
    tilt, turn = np.clip(drawn, -2 * CROOKED_SIGMA_DEG, 2 * CROOKED_SIGMA_DEG).tolist()
    return tilt if sign.tilt_deg is None else sign.tilt_deg, turn if sign.turn_deg is None else sign.turn_deg


def plate_pose(scenario: Scenario, track: Track, index: int) -> PlatePose:
    """Pose of a sign's plate: perpendicular to the track, but slightly crooked.

    Args:
        scenario: The scenario.
        track: The scenario's track.
        index: Number of the sign.
    """
    sign = scenario.signs[index]
    tilt, turn = np.radians(_crooked_deg(scenario, index))
    place = track.pose(sign.at_cm).beside(sign.right_cm)
    heading = place.heading - turn
    across = np.array([np.sin(heading), -np.cos(heading), 0.0])
    upright = np.array([0.0, 0.0, 1.0])
    right = np.cos(tilt) * across - np.sin(tilt) * upright
    up = np.cos(tilt) * upright + np.sin(tilt) * across
    centre = np.array([place.x_cm, place.y_cm, PLATE_CENTRE_CM])
    return PlatePose(centre, right if sign.facing else -right, up)


@cache
def plate_points(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Points of a plate, in centimetres from its centre, x right and y up.

    Returns:
        The plate's silhouette and a regular grid inside it, each of shape (N, 2). Silhouettes are convex.
    """
    outline = np.array(PLATES[kind].outline)
    low, high = outline.min(axis=0), outline.max(axis=0)
    steps = (np.arange(SAMPLES_ACROSS) + 0.5) / SAMPLES_ACROSS
    grid = np.stack(np.meshgrid(*(low + np.outer(steps, high - low)).T), axis=-1).reshape(-1, 2)
    edges = np.roll(outline, -1, axis=0) - outline
    offsets = grid[:, None, :] - outline
    inside = edges[:, 0] * offsets[..., 1] - edges[:, 1] * offsets[..., 0] >= 0
    return outline, grid[inside.all(axis=1)]


def project(camera: CameraPose, model: CameraModel, points_cm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Projects points of the world into the picture.

    Args:
        camera: Pose of the camera.
        model: Model of the camera.
        points_cm: Shape (N, 3).

    Returns:
        Pixels, shape (N, 2), x right and y down from the top left corner; and depths along the optical axis
        in centimetres, shape (N,). Pixels of points nearer than `NEAREST_CM` are meaningless.
    """
    right, up, depth = camera.axes @ (points_cm - camera.place).T
    scale = model.focal_px / np.maximum(depth, NEAREST_CM)
    pixels = np.stack([model.width_px / 2 + scale * right, model.height_px / 2 - scale * up], axis=1)
    return pixels, depth


def _box(pixels: np.ndarray, model: CameraModel) -> tuple[float, float, float, float] | None:
    """The box around the points in the frame, extended to each frame edge beyond which there are points."""
    size = np.array([model.width_px, model.height_px], dtype=float)
    inside = ((pixels >= 0) & (pixels <= size)).all(axis=1)
    if not inside.any():
        return None
    low, high = pixels[inside].min(axis=0), pixels[inside].max(axis=0)
    low = np.where(pixels.min(axis=0) < 0, 0.0, low)
    high = np.where(pixels.max(axis=0) > size, size, high)
    left, top, right, bottom = (round(float(edge), 2) for edge in (*low, *high))
    if right <= left or bottom - top < SMALLEST_PX:
        return None
    return left, top, right, bottom


class _StandingSign(NamedTuple):
    """A placed sign: its plate, the number of points on its outline, and all its points, outline first."""

    plate: PlatePose
    outline: int
    points: np.ndarray


@lru_cache(maxsize=16)  # The standing signs are the same in every frame.
def _standing_signs(scenario: Scenario) -> list[_StandingSign]:
    track, standing = scenario.line, []
    for index, sign in enumerate(scenario.signs):
        plate = plate_pose(scenario, track, index)
        outline, area = plate_points(sign.kind)
        points = plate.place(np.concatenate([outline, area]))
        standing.append(_StandingSign(plate, len(outline), points))
    return standing


def _visible_sign(
    camera: CameraPose,
    index: int,
    sign: ScenarioSign,
    standing: _StandingSign,
    visibility: Visibility | None,
    model: CameraModel,
) -> VisibleSign | None:
    """One sign as the camera sees it; None if the camera does not see it."""
    plate, outline, points = standing
    pixels, depth = project(camera, model, points)
    if depth.min() < NEAREST_CM:
        return None
    seen = np.ones(len(points), bool) if visibility is None else visibility(camera.place, points)
    box = _box(pixels[seen], model)
    if box is None:
        return None
    in_frame = ((pixels >= 0) & (pixels <= (model.width_px, model.height_px))).all(axis=1)
    to_camera = camera.place - plate.centre
    distance_cm = float(np.linalg.norm(to_camera))
    front = float(plate.normal @ to_camera) / distance_cm > GRAZING_COS
    return VisibleSign(
        id=index,
        sign_class=sign.sign_class if front else None,
        kind=sign.kind,
        box=box,
        distance_cm=round(distance_cm, 2),
        visible=round(float((seen & in_frame)[outline:].mean()), 3),
    )


def visible_signs(
    scenario: Scenario,
    frame_number: int,
    visibility: Visibility | None = None,
    model: CameraModel = CameraModel(),  # noqa: B008 — it is frozen
) -> tuple[VisibleSign, ...]:
    """Every sign that one frame shows.

    Backs, and fronts seen almost edge-on, are listed without a class.

    Args:
        scenario: The scenario.
        frame_number: The frame, whose camera is at `frame_number * spacing_cm`.
        visibility: Determines which points are hidden; by default none are.
        model: The camera; by default the one of the recorded feeds.
    """
    camera = camera_pose(scenario, scenario.line, frame_number * scenario.spacing_cm, model)
    found = (
        _visible_sign(camera, index, sign, standing, visibility, model)
        for index, (sign, standing) in enumerate(zip(scenario.signs, _standing_signs(scenario), strict=True))
    )
    return tuple(sign for sign in found if sign is not None)


def truth_signs(scenario: Scenario) -> tuple[TruthSign, ...]:
    """Every sign of a scenario, in the form of the ground truth."""
    return tuple(
        TruthSign(
            id=index,
            kind=sign.kind,
            sign_class=sign.sign_class,
            at_cm=sign.at_cm,
            offset_cm=sign.right_cm,
            facing=sign.facing,
            height_cm=PLATES[sign.kind].height_cm,
        )
        for index, sign in enumerate(scenario.signs)
    )


def ground_truth(
    scenario: Scenario, frames: list[tuple[VisibleSign, ...]], command: str, video_sha256: str
) -> GroundTruth:
    """Assembles the ground truth of a feed.

    Args:
        scenario: The feed's scenario.
        frames: The visible signs of each frame, from `visible_signs`.
        command: The command that rendered the feed.
        video_sha256: Hash of the video.
    """
    return GroundTruth(
        feed=scenario.name,
        command=command,
        seed=scenario.seed,
        camera=CameraModel(),
        spacing_cm=scenario.spacing_cm,
        track=scenario.track,
        signs=truth_signs(scenario),
        frames=tuple(
            TruthFrame(position_cm=round(number * scenario.spacing_cm, 4), signs=signs)
            for number, signs in enumerate(frames)
        ),
        video_sha256=video_sha256,
    )


def synthetic_truth(scenario: Scenario) -> GroundTruth:
    """The ground truth of a scenario in which nothing hides a sign, without a video."""
    frames = [visible_signs(scenario, number) for number in range(scenario.frame_count)]
    return ground_truth(scenario, frames, command="", video_sha256="")
