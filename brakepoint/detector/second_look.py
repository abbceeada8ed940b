"""A second look at what the network was unsure of: its surroundings, enlarged.

A sign of 20 pixels may be clear to a person while the network is unsure of it: scores estimate overlaps of
boxes, and small boxes overlap less. Enlarged, the same sign gets a clear score. The second look can raise
the confidence of a detection, but never lowers it: blur, noise and JPEG blocks, enlarged, are unlike
anything in the network's training, so a sign that is lost in them keeps its first score.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from brakepoint.detector.backs import is_darker
from brakepoint.detector.boxes import intersection_over_union
from brakepoint.detector.decode import Candidates
from brakepoint.detector.letterbox import GREY

UNSURE = (0.25, 0.75)
"""Only detections with a confidence in this range are examined again: most of the others are clear."""
ENLARGED = (2.0, 2.5)
"""How many times larger than in the first look. With one size, more backs of signs are taken for fronts."""
TILE_PX = 192
"""Side of the square that shows a detection and its surroundings; a multiple of every network's stride."""
SHEET_PX = (TILE_PX * len(ENLARGED), TILE_PX)
"""Width and height of the smallest input for a detection's tiles."""
SIDES_PX = (15.0, 57.5)
"""Longest side, in the network's first picture, of what is examined again. Smaller signs are too far away to
matter; larger ones are clear at the first look."""
DARK = 0.7
"""Brightness, as a share of the surroundings' brightness, below which a plate is not examined again: the
network takes the enlarged black back of a sign for a danger sign."""
SAME_SIGN_IOU = 0.5
"""Least overlap of a sign's two boxes."""
EXAMINED_MOST = 6
"""How many detections of a picture are examined again, the surest first."""

FindIn = Callable[[np.ndarray], Candidates]
"""Finds signs in a picture that has exactly the size of a network's input."""


@dataclass(frozen=True)
class Tile:
    """The place of a tile, an enlarged region of the picture, in the network's input.

    Attributes:
        corner_px: Its `(left, top)` in the network's input.
        offset_px: Position of the picture's origin in the tile, `(x, y)`.
        scale: Pixels of the tile for each pixel of the picture.
    """

    corner_px: tuple[int, int]
    offset_px: np.ndarray
    scale: float

    def draw(self, image: np.ndarray, sheet: np.ndarray) -> None:
        """Draws the enlarged region; grey beyond the picture's edges."""
        import cv2

        left, top = self.corner_px
        # OpenCV counts from the middle of the first pixel, boxes from its corner.
        offset_px = self.offset_px + (self.scale - 1) / 2
        matrix = np.hstack([np.eye(2) * self.scale, offset_px[:, None]])
        sheet[top : top + TILE_PX, left : left + TILE_PX] = cv2.warpAffine(
            image, matrix, (TILE_PX, TILE_PX), borderMode=cv2.BORDER_CONSTANT, borderValue=(GREY,) * 3
        )

    def to_picture(self, boxes: np.ndarray) -> np.ndarray:
        """Maps `(n, 4)` boxes from pixels of the network's input to pixels of the picture."""
        mapped: np.ndarray = (boxes - np.tile(self.corner_px + self.offset_px, 2)) / self.scale
        return mapped


class SecondLook:
    """Examines detections again.

    Args:
        find: The network.
        input_size_px: `(width, height)` of the pictures that the network takes. If they are large, several
            tiles share one.
    """

    def __init__(self, find: FindIn, input_size_px: tuple[int, int]) -> None:
        self._find = find
        width, height = input_size_px
        self._sheet = np.full((height, width, 3), GREY, np.uint8)
        self._corners = [
            (left, top)
            for top in range(0, height - TILE_PX + 1, TILE_PX)
            for left in range(0, width - TILE_PX + 1, TILE_PX)
        ]

    def examine(self, image: np.ndarray, first: Candidates, scale: float) -> Candidates:
        """Replaces each unsure detection with the least sure of its enlarged ones, if all are surer.

        Args:
            image: `(height, width, 3)` uint8.
            first: What the first look found, in pixels of the picture, the surest first.
            scale: Pixels of the network's input for each pixel of the picture, in the first look.

        Returns:
            As many detections, in the same order.
        """
        seen = Candidates(first.boxes.copy(), first.scores.copy(), first.class_ids.copy())
        unsure, at_once = self._unsure(image, first, scale), len(self._corners)
        if not unsure or not at_once:
            return seen
        boxes = [(first.boxes[index], scale * times) for index in unsure for times in ENLARGED]
        looks: list[Candidates] = []
        for start in range(0, len(boxes), at_once):
            looks += self._look(image, boxes[start : start + at_once])
        for number, index in enumerate(unsure):
            _confirm(seen, index, looks[number * len(ENLARGED) :][: len(ENLARGED)])
        return seen

    def _unsure(self, image: np.ndarray, first: Candidates, scale: float) -> list[int]:
        """Which detections are examined again."""
        sides_px = (first.boxes[:, 2:] - first.boxes[:, :2]).max(axis=1, initial=0) * scale
        is_unsure = (first.scores >= UNSURE[0]) & (first.scores < UNSURE[1])
        fits = (sides_px >= SIDES_PX[0]) & (sides_px <= SIDES_PX[1])
        candidates = np.flatnonzero(is_unsure & fits).tolist()
        fronts = (index for index in candidates if not is_darker(image, first.boxes[index], DARK))
        return list(islice(fronts, EXAMINED_MOST))

    def _look(self, image: np.ndarray, boxes: Sequence[tuple[np.ndarray, float]]) -> list[Candidates]:
        """What the network finds in the area of each box, enlarged to a given scale: a sign, or none."""
        tiles = [
            Tile(corner_px, TILE_PX / 2 - (box[:2] + box[2:]) / 2 * scale, scale)
            for corner_px, (box, scale) in zip(self._corners, boxes, strict=False)
        ]
        self._sheet[:] = GREY
        for tile in tiles:
            tile.draw(image, self._sheet)
        found, size_px = self._find(self._sheet), np.tile(image.shape[1::-1], 2)
        return [
            _same_sign(box, replace(found, boxes=np.clip(tile.to_picture(found.boxes), 0, size_px)))
            for (box, _), tile in zip(boxes, tiles, strict=True)
        ]


def _same_sign(box: np.ndarray, found: Candidates) -> Candidates:
    """The surest of the detections that overlap a box, if any."""
    same = np.flatnonzero(intersection_over_union(box[None], found.boxes)[0] >= SAME_SIGN_IOU)
    return found.select(same[np.argsort(-found.scores[same], kind="stable")][:1])


def _confirm(seen: Candidates, index: int, looks: Sequence[Candidates]) -> None:
    """Replaces a detection with its least sure second look, if all agree on the class and are surer."""
    if not all(len(look.scores) for look in looks) or len({int(look.class_ids[0]) for look in looks}) > 1:
        return
    least = min(looks, key=lambda look: float(look.scores[0]))
    if least.scores[0] > seen.scores[index]:
        seen.boxes[index], seen.scores[index] = least.boxes[0], least.scores[0]
        seen.class_ids[index] = least.class_ids[0]
