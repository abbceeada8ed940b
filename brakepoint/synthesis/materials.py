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
        stickers: Whether yellow triangles stand on a road that mean nothing: so the base model learns to pass
            them by. Whoever is to find them on a track must not be taught that.
    """

    world: World = World.TRACK
    backgrounds: tuple[Path, ...] = ()
    cutouts: tuple[Cutout, ...] = ()
    stickers: bool = False

    def describe(self) -> dict[str, object]:
        """What tells this supply from another, for the manifest of a dataset."""
        backgrounds = [file.name for file in self.backgrounds]
        supply = {"backgrounds": backgrounds, "cutouts": len(self.cutouts), "stickers": self.stickers}
        return {"world": self.world.value, **supply}

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
            return random_rendered(rng, self._choice(self.cutouts), brightness, height_px, distractor)
        return random_drawn(rng, self._choice(plates().values()), brightness, height_px, distractor)

    def _choice(self, signs: Iterable[Kind]) -> Choice[Kind]:
        """Sorts signs by what they mean in this world; of the other one at most stickers are left."""
        fronts, distractors = [], []
        for sign in signs:
            of_other_world = sign.sign_class is SignClass.DANGER_AHEAD and (
                sign.kind.startswith("road-") != (self.world is World.ROAD)
            )
            if sign.sign_class is not None and not of_other_world:
                fronts.append(sign)
            elif not of_other_world or self.stickers:
                distractors.append(sign)
        return Choice(tuple(fronts), tuple(distractors))
