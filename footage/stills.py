"""Labelled stills that are not from the feeds: random tracks, rooms, lights and signs, several views of each.

The stills are written as `images/*.jpg` with YOLO labels in `labels/*.txt`; one scene in four has no signs.
"""

import random
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from brakepoint.files import write_whole
from brakepoint.messages import SignClass
from brakepoint.scenery.artwork import PLATES
from brakepoint.scenery.geometry import visible_signs
from brakepoint.scenery.scenario import LIGHTS, Scenario, ScenarioSign
from brakepoint.track import Curve, Segment, Straight
from brakepoint.truth import VISIBLE_MIN, CameraModel, VisibleSign
from footage.finish import CameraLook

VIEWS = 6
"""Number of pictures of one scene."""
LABEL_HEIGHT_MIN_PX = 12.0
"""Smaller signs are not labelled, because people cannot distinguish them from other signs, either."""
JPEG_QUALITY = 90
DANGERS = ("danger-exclamation", "danger-children", "danger-train", "danger-worker")
LIMITS = ("limit-30", "limit-50")
DISTRACTORS = tuple(sorted(kind for kind, plate in PLATES.items() if plate.sign_class is None))


def random_track(rng: random.Random) -> tuple[Segment, ...]:
    """A random track of two or three metres that does not cross itself."""
    turn = rng.choice(("left", "right"))
    return (
        Straight(straight_cm=rng.uniform(40, 140)),
        Curve(curve=turn, radius_cm=rng.choice((32.0, 83.2)), angle_deg=rng.uniform(15, 80)),
        Straight(straight_cm=rng.uniform(30, 100)),
        Curve(curve=rng.choice(("left", "right")), radius_cm=83.2, angle_deg=rng.uniform(10, 40)),
    )


def _random_sign(rng: random.Random, at_cm: float) -> ScenarioSign:
    kinds = rng.choices((DANGERS, LIMITS, DISTRACTORS), weights=(5, 4, 3))[0]
    return ScenarioSign(
        kind=rng.choice(kinds),
        at_cm=at_cm,
        side=rng.choice(("left", "right")),
        offset_cm=rng.choice((rng.uniform(5, 10), rng.uniform(5, 30))),
        facing=rng.random() < 0.9,
        turn_deg=max(min(rng.gauss(0, 18), 60.0), -60.0) if rng.random() < 0.7 else rng.uniform(-60, 60),
    )


def random_scenario(seed: int) -> Scenario:
    """A different scene for each seed."""
    rng = random.Random(f"still {seed}")
    track = random_track(rng)
    length_cm = sum(segment.length_cm for segment in track)
    signs: list[ScenarioSign] = []
    at_cm = rng.uniform(15, 40)
    while seed % 4 and at_cm < length_cm and len(signs) < 30:
        signs.append(_random_sign(rng, at_cm))
        at_cm += rng.uniform(4, 22)
    return Scenario(
        name=f"still-{seed:04d}",
        seed=seed,
        track=track,
        signs=tuple(signs),
        light=rng.choice(LIGHTS),
        clutter=rng.uniform(0.2, 1.0),
    )


def yolo_lines(signs: tuple[VisibleSign, ...], camera: CameraModel) -> str:
    """The labels of one picture, a line each: class, then centre and size as fractions of the picture."""
    classes = list(SignClass)
    lines = []
    for sign in signs:
        left, top, right, bottom = sign.box
        if sign.sign_class is None or sign.visible < VISIBLE_MIN or bottom - top < LABEL_HEIGHT_MIN_PX:
            continue
        centre_x, centre_y = (left + right) / 2 / camera.width_px, (top + bottom) / 2 / camera.height_px
        width, height = (right - left) / camera.width_px, (bottom - top) / camera.height_px
        lines.append(
            f"{classes.index(sign.sign_class)} {centre_x:.6f} {centre_y:.6f} {width:.6f} {height:.6f}\n"
        )
    return "".join(lines)


def render_stills(out: Path, first_seed: int, scenes: int, progress: Callable[[int, int], None]) -> None:
    """Renders scenes in order; existing ones are kept.

    Args:
        out: Receives `images/` and `labels/`.
        first_seed: Seed of the first scene; the next scenes have the next seeds.
        scenes: Number of scenes.
        progress: Called with the number of scenes done and the total.
    """
    (out / "images").mkdir(parents=True, exist_ok=True)
    (out / "labels").mkdir(parents=True, exist_ok=True)
    for done in range(scenes):
        progress(done, scenes)
        _render_scene(random_scenario(first_seed + done), out)
    progress(scenes, scenes)


def _render_scene(scenario: Scenario, out: Path) -> None:
    from footage.scene.stage import Stage

    rng = random.Random(f"views {scenario.seed}")
    names = [f"{scenario.name}-{view}" for view in range(VIEWS)]
    if all((out / "labels" / f"{name}.txt").exists() for name in names):
        return
    camera = CameraModel()
    stage = Stage(scenario, camera)
    stage.expose()
    look = CameraLook(scenario.seed, camera.width_px, camera.height_px)
    raw = out / f"{scenario.name}.part.png"
    numbers = rng.sample(range(scenario.frame_count * 3 // 4), VIEWS)
    for name, number in zip(names, numbers, strict=True):
        stage.look_from(number * scenario.spacing_cm)
        stage.picture(raw)
        signs = visible_signs(scenario, number, visibility=stage.visible)
        picture = look(np.asarray(cv2.imread(str(raw))))
        _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        write_whole(out / "images" / f"{name}.jpg", jpeg.tobytes())
        write_whole(out / "labels" / f"{name}.txt", yolo_lines(signs, camera).encode())
    raw.unlink()
