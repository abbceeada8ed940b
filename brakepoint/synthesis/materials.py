"""What synthetic pictures are made of: a world with its signs, and pictures to lay them onto."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brakepoint.messages import SignClass
from brakepoint.synthesis.backgrounds import background
from brakepoint.synthesis.plates import Plate, plates
from brakepoint.synthesis.scene import random_sign
from brakepoint.synthesis.sprites import Sprite
from brakepoint.worlds import World


@dataclass(frozen=True)
class Materials:
    """The supply that pictures are made from.

    Attributes:
        world: Whose signs are to be found.
        backgrounds: Files of pictures without signs; where there are none, backgrounds are invented.
    """

    world: World = World.TRACK
    backgrounds: tuple[Path, ...] = ()

    def describe(self) -> dict[str, object]:
        """What tells this supply from another, for the manifest of a dataset."""
        return {"world": self.world.value, "backgrounds": [file.name for file in self.backgrounds]}

    def background(self, rng: np.random.Generator) -> np.ndarray:
        """Makes one background, `(480, 640, 3)` uint8 blue-green-red.

        Raises:
            UserError: A given picture does not decode.
        """
        return background(rng, self.backgrounds, streets=self.world is World.ROAD)

    def sign(self, rng: np.random.Generator, brightness: float, height_px: float, distractor: bool) -> Sprite:
        """Draws a sign.

        Args:
            rng: Source of all chance.
            brightness: Mean of the picture where it will stand, 0 to 255: signs mostly match it.
            height_px: Height of its plate.
            distractor: Whether it is one that must not be found.
        """
        return random_sign(
            rng, _fronts(self.world), _distractors(self.world), brightness, height_px, distractor
        )


def _is_of_road(plate: Plate) -> bool:
    return plate.kind.startswith("road-")


def _fronts(world: World) -> tuple[Plate, ...]:
    """Plates that a detector should find."""
    return tuple(
        plate
        for plate in plates().values()
        if plate.sign_class is SignClass.SPEED_LIMIT
        or (plate.sign_class is SignClass.DANGER_AHEAD and _is_of_road(plate) == (world is World.ROAD))
    )


def _distractors(world: World) -> tuple[Plate, ...]:
    """Plates that mean nothing here; on a road that is also a yellow triangle."""
    return tuple(
        plate
        for plate in plates().values()
        if plate.sign_class is None
        or (world is World.ROAD and plate.sign_class is SignClass.DANGER_AHEAD and not _is_of_road(plate))
    )
