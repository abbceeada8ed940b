"""What synthetic pictures are made of: a world with its signs, and pictures to lay them onto."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brakepoint.messages import SignClass
from brakepoint.synthesis.backgrounds import background
from brakepoint.synthesis.cutouts import Cutout
from brakepoint.synthesis.plates import plates
from brakepoint.synthesis.scene import Choice, Kind, random_drawn, random_rendered
from brakepoint.synthesis.sprites import Sprite
from brakepoint.worlds import World

RENDERED_SHARE = 0.5
"""How many signs are rendered ones, where there are any: those have real light but few views."""


@dataclass(frozen=True)
class Materials:
    """The supply that pictures are made from.

    Attributes:
        world: Whose signs are to be found.
        backgrounds: Files of pictures without signs; where there are none, backgrounds are invented.
        cutouts: Rendered signs; where there are none, all signs are drawn.
    """

    world: World = World.TRACK
    backgrounds: tuple[Path, ...] = ()
    cutouts: tuple[Cutout, ...] = ()

    def describe(self) -> dict[str, object]:
        """What tells this supply from another, for the manifest of a dataset."""
        backgrounds = [file.name for file in self.backgrounds]
        return {"world": self.world.value, "backgrounds": backgrounds, "cutouts": len(self.cutouts)}

    def background(self, rng: np.random.Generator) -> np.ndarray:
        """Makes one background, `(480, 640, 3)` uint8 blue-green-red.

        Raises:
            UserError: A given picture does not decode.
        """
        return background(rng, self.backgrounds, streets=self.world is World.ROAD)

    def sign(self, rng: np.random.Generator, brightness: float, height_px: float, distractor: bool) -> Sprite:
        """Makes a sign.

        Args:
            rng: Source of all chance.
            brightness: Mean of the picture where it will stand, 0 to 255: signs mostly match it.
            height_px: Height of its plate.
            distractor: Whether it is one that must not be found.
        """
        if self.cutouts and rng.random() < RENDERED_SHARE:
            return random_rendered(rng, _choice(self.cutouts, self.world), brightness, height_px, distractor)
        return random_drawn(rng, _choice(plates().values(), self.world), brightness, height_px, distractor)


def _choice(signs: Iterable[Kind], world: World) -> Choice[Kind]:
    """Sorts signs by what they mean in a world: on a road a yellow triangle means nothing."""
    fronts, distractors = [], []
    for sign in signs:
        of_other_world = sign.sign_class is SignClass.DANGER_AHEAD and (
            sign.kind.startswith("road-") != (world is World.ROAD)
        )
        if sign.sign_class is not None and not of_other_world:
            fronts.append(sign)
        elif not of_other_world or world is World.ROAD:
            distractors.append(sign)
    return Choice(tuple(fronts), tuple(distractors))
