"""The planned cut-outs: pose, light and view of each object."""

import random
from dataclasses import dataclass

from brakepoint.messages import SignClass
from brakepoint.scenery.artwork import PLATES
from brakepoint.scenery.scenario import Lighting

YAW_MAX_DEG = 75.0
BACK_YAW_DEG = (120.0, 240.0)
PITCH_DEG = (-5.0, 20.0)
GLARE_YAW_MAX_DEG, GLARE_PITCH_DEG = 45.0, (-3.0, 6.0)
"""Limits for glare.

The source of the glare is not below the table, so the camera must not look down steeply; and from far to the
side, glare would hide the whole print.
"""
ROLL_SIGMA_DEG = 3.0
DISTANCE_CM = (12.0, 90.0)
HEIGHT_PX = (96.0, 128.0)
"""Least and greatest height of a plate, as if the plate faced the camera."""

BACKS = {"back-triangle": "danger-exclamation", "back-disc": "limit-30"}
"""Kinds of cut-outs that show a sign's back, with the kinds of their plates."""
THINGS = ("ball-red", "ball-yellow", "brick-red", "brick-yellow", "cone", "duck")
"""Yellow and red objects without a plate; each gets half as many views as a sign."""


@dataclass(frozen=True)
class LightSetup:
    """How the light of a cut-out is derived from the lights of the scene.

    Attributes:
        light: Name of the scene's light in scenarios.
        stops: Exposure relative to an automatic one, in stops.
        glare: Whether the plate reflects a lamp.
    """

    light: Lighting
    stops: float = 0.0
    glare: bool = False


LIGHT_SETUPS = {
    "day": LightSetup("day"),
    "overcast": LightSetup("overcast"),
    "evening": LightSetup("evening"),
    "lamp": LightSetup("lamp"),
    "mixed": LightSetup("mixed"),
    "dim": LightSetup("evening", stops=-1.0),
    "glare": LightSetup("overcast", glare=True),
}


@dataclass(frozen=True)
class View:
    """One cut-out to render.

    Attributes:
        name: Name of the picture's file, without the suffix.
        kind: A key of `PLATES` or of `BACKS`, or one of `THINGS`.
        light: A key of `LIGHT_SETUPS`.
        yaw_deg: Rotation about the post; see `CutoutRecord`.
        pitch_deg: Angle by which the camera looks down on the object.
        roll_deg: Tilt to the viewer's left.
        distance_cm: Distance from the camera to the plate.
        height_px: Height of the plate, as if the plate faced the camera.
        chance: Seed for everything else that is random.
    """

    name: str
    kind: str
    light: str
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    distance_cm: float
    height_px: float
    chance: str

    @property
    def sign_class(self) -> SignClass | None:
        """The object's class for a detector."""
        plate = PLATES.get(self.kind)
        return plate.sign_class if plate else None


def planned_views(views: int, seed: int) -> list[View]:
    """Every cut-out of a folder: each kind's angles and lights are spread evenly; everything else is random.

    Args:
        views: Number of views of each kind of sign.
        seed: Random seed.
    """
    counts = {**dict.fromkeys((*PLATES, *BACKS), views), **dict.fromkeys(THINGS, (views + 1) // 2)}
    return [view for kind, count in counts.items() for view in _views_of(kind, count, seed)]


def _views_of(kind: str, count: int, seed: int) -> list[View]:
    rng = random.Random(f"{seed} {kind}")
    parts = [(index + rng.random()) / count for index in range(count)]
    rng.shuffle(parts)
    lights = rng.sample(list(LIGHT_SETUPS), len(LIGHT_SETUPS))
    return [
        _view(kind, index, part, lights[index % len(lights)], f"{seed} {kind} {index}")
        for index, part in enumerate(parts)
    ]


def _view(kind: str, index: int, part: float, light: str, chance: str) -> View:
    rng = random.Random(chance)
    glare = LIGHT_SETUPS[light].glare
    return View(
        name=f"{kind}-{index:02d}",
        kind=kind,
        light=light,
        yaw_deg=_yaw_deg(kind, part, GLARE_YAW_MAX_DEG if glare else YAW_MAX_DEG),
        pitch_deg=rng.uniform(*GLARE_PITCH_DEG if glare else PITCH_DEG),
        roll_deg=max(min(rng.gauss(0, ROLL_SIGMA_DEG), 10.0), -10.0),
        distance_cm=DISTANCE_CM[0] * (DISTANCE_CM[1] / DISTANCE_CM[0]) ** rng.random(),
        height_px=rng.uniform(*HEIGHT_PX),
        chance=chance,
    )


def _yaw_deg(kind: str, part: float, most_deg: float) -> float:
    """The yaw at the fraction `part` of a kind's views; fronts are mostly seen from the front."""
    if kind in BACKS:
        low, high = BACK_YAW_DEG
        return (low + part * (high - low) + 180) % 360 - 180
    if kind in THINGS:
        return 360 * part - 180
    side = 2 * part - 1
    return float(most_deg * side * abs(side) ** 0.5)
