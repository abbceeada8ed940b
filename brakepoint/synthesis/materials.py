"""The materials of synthetic pictures: a world with its signs, and backgrounds for these signs."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from brakepoint.messages import SignClass
from brakepoint.scenery.artwork import ROAD_PLATES
from brakepoint.synthesis.backgrounds import background
from brakepoint.synthesis.cutouts import Cutout
from brakepoint.synthesis.plates import plates
from brakepoint.synthesis.scene import Choice, Kind, random_drawn, random_rendered
from brakepoint.synthesis.sprites import Sprite
from brakepoint.worlds import World

RENDERED_SHARE = 0.5
"""Share of rendered signs, if there are any: these have realistic light but few views."""

SHADED_SHARE, SHADE = 0.25, (0.25, 0.8)
"""Share of the drawn road signs that are lit from behind, and how much of their light they keep."""
SKY, SHADED_BEFORE_SKY_SHARE = 170.0, 0.6
"""From this brightness on, what is behind a sign is probably the sky, and more signs are lit from behind."""


@dataclass(frozen=True)
class Materials:
    """The materials for pictures.

    Attributes:
        world: The world with the target signs.
        backgrounds: Files of pictures without signs; if empty, backgrounds are generated.
        cutouts: Rendered signs; if empty, all signs are drawn.
        stickers: Whether to place meaningless yellow triangles on roads, so that the base model learns to
            ignore them. A model that must find such triangles on a track must not learn this.
    """

    world: World = World.TRACK
    backgrounds: tuple[Path, ...] = ()
    cutouts: tuple[Cutout, ...] = ()
    stickers: bool = False

    def describe(self) -> dict[str, object]:
        """The properties that distinguish these materials from others, for the manifest of a dataset."""
        backgrounds = [file.name for file in self.backgrounds]
        supply = {"backgrounds": backgrounds, "cutouts": len(self.cutouts), "stickers": self.stickers}
        return {"world": self.world.value, **supply}

    def background(self, rng: np.random.Generator) -> np.ndarray:
        """Creates one background, `(480, 640, 3)` uint8 blue-green-red.

        Raises:
            UserError: A given picture cannot be decoded.
        """
        return background(rng, self.backgrounds, streets=self.world is World.ROAD)

    def sign(self, rng: np.random.Generator, brightness: float, height_px: float, distractor: bool) -> Sprite:
        """Creates a sign.

        Args:
            rng: Random source.
            brightness: Mean of the picture at the sign's place, 0 to 255; signs are mostly about as bright.
            height_px: Height of the sign's plate.
            distractor: Whether the sign must be a distractor, which must not be detected.
        """
        if self._rendered.offers(distractor) and rng.random() < RENDERED_SHARE:
            return random_rendered(rng, self._rendered, brightness, height_px, distractor)
        shaded_share = SHADED_BEFORE_SKY_SHARE if brightness > SKY else SHADED_SHARE
        own_shade = self.world is World.ROAD and rng.random() < shaded_share
        light = rng.uniform(*SHADE) if own_shade else 1.0
        return random_drawn(rng, self._choice(plates().values()), brightness, height_px, distractor, light)

    @cached_property
    def _rendered(self) -> Choice[Cutout]:
        """The cut-outs, of which there are hundreds, sorted once."""
        return self._choice(self.cutouts)

    def _choice(self, signs: Iterable[Kind]) -> Choice[Kind]:
        """Sorts signs by their meaning in this world; of the other world's signs, at most stickers stay."""
        fronts, distractors = [], []
        for sign in signs:
            if sign.kind in ROAD_PLATES and self.world is not World.ROAD:
                continue
            of_other_world = sign.sign_class is SignClass.DANGER_AHEAD and (
                sign.kind.startswith("road-") != (self.world is World.ROAD)
            )
            if sign.sign_class is not None and not of_other_world:
                fronts.append(sign)
            elif not of_other_world or self.stickers:
                distractors.append(sign)
        return Choice(tuple(fronts), tuple(distractors))
