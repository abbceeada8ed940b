"""Draws the random contents of a picture: a sign's plate, pose, light and occluder."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import cv2
import numpy as np

from brakepoint.messages import SignClass
from brakepoint.synthesis.cutouts import Cutout
from brakepoint.synthesis.plates import VARIANTS, PrintedPlate
from brakepoint.synthesis.sprites import Look, Pose, Sprite, draw_cutout, draw_sign
from brakepoint.synthesis.textures import colour

SMALLEST_PX, LARGEST_PX = 9.0, 130.0
BACK_SHARE = 0.4
"""Share of the drawn distractors that are backs of signs."""
BACK_SHADES = ((0.0, 0.15), (0.1, 0.7), (0.7, 1.0))
"""Lightness of a back, in three equally frequent kinds: black, in between, or plate-coloured."""
STEEP_DEG = 50.0
"""Beyond this angle, ink may shine."""
EDGE_ON_DEG = 86.0
"""Beyond this angle, a sign's front is not visible."""

DECEIVERS = (
    *("stop", "no-entry", "no-horn", "crossing", "back-disc", "back-triangle", "ball-yellow", "duck"),
    *(
        "road-no-overtaking",
        "road-no-overtaking-lorries",
        "road-no-vehicles",
        "road-no-cars",
        "road-no-lorries",
    ),
    *("road-limit-end", "road-give-way"),
)
"""Look-alikes of target signs, which are drawn more often than other distractors."""


def random_height(rng: np.random.Generator) -> float:
    """Draws a plate's height in pixels, log-uniformly: between 9 and 18 as often as between 60 and 120."""
    return float(np.exp(rng.uniform(np.log(SMALLEST_PX), np.log(LARGEST_PX))))


WEIGHTS = {SignClass.DANGER_AHEAD: 0.55, SignClass.SPEED_LIMIT: 0.45}
"""Weights of the classes; danger signs vary more."""

Kind = TypeVar("Kind", PrintedPlate, Cutout)
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Choice(Generic[Kind]):
    """The available signs: target signs and distractors."""

    fronts: tuple[Kind, ...]
    distractors: tuple[Kind, ...]

    def offers(self, distractor: bool) -> bool:
        """Whether there is a distractor, or a front of every class: a folder of cut-outs may lack some."""
        classes = {sign.sign_class for sign in self.fronts}
        return bool(self.distractors) if distractor else classes.issuperset(SignClass)

    def front(self, rng: np.random.Generator) -> Kind:
        """Picks a class, then one of its signs."""
        classes = list(SignClass)
        weights = np.array([WEIGHTS[sign_class] for sign_class in classes])
        wanted = classes[rng.choice(len(classes), p=weights / weights.sum())]
        return _any(rng, [sign for sign in self.fronts if sign.sign_class is wanted])

    def distractor(self, rng: np.random.Generator) -> Kind:
        """Picks a kind, look-alikes more often than others, then a sign of that kind."""
        kinds = sorted({thing.kind for thing in self.distractors})
        weights = np.array([3.0 if kind in DECEIVERS else 1.0 for kind in kinds])
        kind = kinds[rng.choice(len(kinds), p=weights / weights.sum())]
        return _any(rng, [thing for thing in self.distractors if thing.kind == kind])


def _any(rng: np.random.Generator, things: Sequence[Thing]) -> Thing:
    return things[int(rng.integers(len(things)))]


def random_drawn(
    rng: np.random.Generator,
    choice: Choice[PrintedPlate],
    brightness: float,
    height_px: float,
    distractor: bool,
    light: float = 1.0,
) -> Sprite:
    """Draws a sign from its plate.

    Args:
        rng: Random source.
        choice: Plates; backs of target signs are added to the distractors.
        brightness: Mean of the picture at the sign's place, 0 to 255; signs are mostly about as bright.
        height_px: Height of the sign's plate.
        distractor: Whether the sign must be a distractor, which must not be detected.
        light: Share of the sign's light that reaches the side facing the camera, 0 to 1.
    """
    back = distractor and rng.random() < BACK_SHARE
    plate = choice.distractor(rng) if distractor and not back else choice.front(rng)
    pose = _pose(rng, height_px, back)
    look = _look(rng, brightness, height_px, steep=abs(pose.yaw_deg) > STEEP_DEG)
    sprite = draw_sign(plate, pose, replace(look, gain=look.gain * light))
    return replace(sprite, sign_class=None) if distractor else sprite


def random_rendered(
    rng: np.random.Generator, choice: Choice[Cutout], brightness: float, height_px: float, distractor: bool
) -> Sprite:
    """Picks a rendered sign; arguments as for `random_drawn`."""
    cutout = choice.distractor(rng) if distractor else choice.front(rng)
    roll_deg = rng.normal(0, 4) if rng.random() < 0.75 else rng.normal(0, 22)
    sprite = draw_cutout(cutout, height_px, float(roll_deg), _look(rng, brightness, height_px))
    return replace(sprite, sign_class=None) if distractor else sprite


def _pose(rng: np.random.Generator, height_px: float, back: bool) -> Pose:
    yaw = rng.normal(0, 22) if rng.random() < 0.7 else rng.uniform(-EDGE_ON_DEG, EDGE_ON_DEG)
    yaw = float(np.clip(yaw, -EDGE_ON_DEG, EDGE_ON_DEG))
    if back:
        yaw = 180 + float(np.clip(rng.normal(0, 35), -75, 75))
    roll = rng.normal(0, 5) if rng.random() < 0.75 else rng.normal(0, 22)
    distance = float(np.clip(900 / height_px, 10, 80))
    return Pose(height_px, yaw, float(rng.normal(4, 7)), float(roll), distance)


def _look(rng: np.random.Generator, brightness: float, height_px: float, steep: bool = False) -> Look:
    matched = (max(brightness, 8) / 110) ** rng.uniform(0.2, 0.8) * np.exp(rng.normal(0, 0.3))
    gain = matched if rng.random() < 0.7 else rng.uniform(0.3, 1.5)
    shiny = rng.random() < 0.3
    return Look(
        gain=float(np.clip(gain, 0.22, 1.7)),
        tint=tuple(rng.uniform(0.88, 1.12, 3).tolist()),
        gloss=float(rng.uniform(0.1, 0.85)) if shiny else 0.0,
        gloss_deg=float(rng.uniform(0, 360)),
        wash=_wash(rng, steep),
        shade=float(rng.uniform(0, 0.5)),
        variant=int(rng.integers(len(VARIANTS))),
        back=float(rng.uniform(*_any(rng, BACK_SHADES))),
        blur_px=float(rng.uniform(0, 0.03) * height_px) if rng.random() < 0.35 else 0.0,
    )


def _wash(rng: np.random.Generator, steep: bool) -> float:
    """Draws the strength of a sheen, which is mostly 0."""
    share, most = (0.5, 1.5) if steep else (0.22, 0.75)
    return float(rng.uniform(0.1, most)) if rng.random() < share else 0.0


def random_occluder(rng: np.random.Generator, height_px: float) -> Sprite:
    """Draws a plain object that may hide a part of a sign of that height."""
    width, height = (height_px * rng.uniform(0.15, 0.9, 2) * (1, 2)).astype(int) + 3
    shape = np.zeros((height, width), np.float32)
    if rng.random() < 0.5:
        shape[1:-1, 1:-1] = 1
    else:
        cv2.ellipse(shape, (width // 2, height // 2), (width // 2 - 1, height // 2 - 1), 0, 0, 360, 1, -1)
    shape = cv2.GaussianBlur(shape, (0, 0), 0.6)
    shade = np.array(colour(rng, saturation=rng.uniform(0, 0.6)), np.float32)
    return Sprite(shape[..., None] * shade, shape, np.zeros_like(shape), (0, 0, 0, 0), None)
