"""Random lines: signs in curves and close together, and signs of the neighbouring track.

Everything is derived from a seed, so that a line that was driven badly can be reproduced.
"""

import random

from strategies import COUNTING, DISTRACTORS

from brakepoint.scenery.scenario import Scenario, ScenarioSign
from brakepoint.track import Curve, Segment, Straight

LENGTH_CM = 420.0
FIRST_CM, LAST_CM = 85.0, 30.0
"""Signs that count are at least this far from the start and from the end."""
RADII_CM = (83.2, 83.2, 120.0)
"""Radii of the curves, all of them safe at full speed."""


def random_line(seed: int) -> Scenario:
    """The line of a seed."""
    rng = random.Random(seed)
    track = tuple(_pieces(rng))
    length_cm = sum(piece.length_cm for piece in track)
    signs = [*_own(rng, length_cm), *_of_no_concern(rng, length_cm)]
    return Scenario(name=f"line-{seed}", seed=seed, track=track, signs=tuple(signs))


def _pieces(rng: random.Random) -> list[Segment]:
    pieces: list[Segment] = [Straight(straight_cm=rng.uniform(20, 120))]
    while sum(piece.length_cm for piece in pieces) < LENGTH_CM:
        turn, radius_cm = rng.choice(("left", "right")), rng.choice(RADII_CM)
        pieces.append(Curve(curve=turn, radius_cm=radius_cm, angle_deg=rng.uniform(10, 60)))
        pieces.append(Straight(straight_cm=rng.uniform(10, 120)))
    return pieces


def _own(rng: random.Random, length_cm: float) -> list[ScenarioSign]:
    """Signs that count, some of them close together."""
    signs: list[ScenarioSign] = []
    at_cm = rng.uniform(FIRST_CM, 1.5 * FIRST_CM)
    while at_cm < length_cm - LAST_CM and len(signs) < 4:
        side, offset_cm = rng.choice(("left", "right")), rng.uniform(6, 9)
        signs.append(ScenarioSign(kind=rng.choice(COUNTING), at_cm=at_cm, side=side, offset_cm=offset_cm))
        at_cm += rng.choice((rng.uniform(40, 80), rng.uniform(100, 200)))
    return signs


def _of_no_concern(rng: random.Random, length_cm: float) -> list[ScenarioSign]:
    """Distractors and backs beside this track, and signs that count for the neighbouring one."""
    signs: list[ScenarioSign] = []
    for _ in range(rng.randint(2, 5)):
        at_cm, side = rng.uniform(20, length_cm - 5), rng.choice(("left", "right"))
        if rng.random() < 0.5:
            kind, offset_cm = rng.choice(DISTRACTORS), rng.uniform(6, 9)
            signs.append(ScenarioSign(kind=kind, at_cm=at_cm, side=side, offset_cm=offset_cm))
        else:
            kind, facing = rng.choice(((rng.choice(COUNTING), False), (rng.choice(COUNTING), True)))
            offset_cm = rng.uniform(26, 40) if facing else rng.uniform(6, 9)
            signs.append(ScenarioSign(kind=kind, at_cm=at_cm, side=side, offset_cm=offset_cm, facing=facing))
    return signs
