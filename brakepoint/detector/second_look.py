"""A second look at what the network was unsure of: its surroundings, enlarged.

A sign of 20 pixels may be clear to a person while the network is unsure of it: its scores are overlaps of
boxes, and small boxes overlap less. Enlarged, the same sign gets a clear score. The second look can only make
a detection surer. Blur, noise and JPEG blocks, enlarged, are unlike anything in the network's training, so a
sign that is lost in them keeps its first score.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from brakepoint.detector.boxes import intersection_over_union
from brakepoint.detector.decode import Candidates
from brakepoint.detector.letterbox import GREY

UNSURE = (0.1, 0.8)
"""Only detections with a confidence in this range are examined again: most of the others are clear."""
ENLARGED = 2.5
"""How many times larger than in the first look.

Chosen by synthetic pictures: 1.5 and 2 made more false alarms, 3 found fewer small signs.
"""
TILE_PX = 192
"""Side of the square that shows a detection and its surroundings; a multiple of every network's stride."""
FILLS_MOST = 0.75
"""Share of that side that an enlarged sign may fill; larger signs are clear at the first look."""
SAME_SIGN_IOU = 0.5
"""Least overlap of a sign's two boxes."""
LOOKS_MOST = 8
"""How many detections of a picture are examined again, the surest first."""

FindIn = Callable[[np.ndarray], Candidates]
"""Finds signs in a picture that has exactly the size of a network's input."""


@dataclass(frozen=True)
class Tile:
    """The place of enlarged surroundings.

    Attributes:
        corner_px: Its `(left, top)` in the network's input.
        offset_px: `(x, y)` in the tile of the picture's origin.
        scale: Pixels of the tile for each pixel of the picture.
    """

    corner_px: tuple[int, int]
    offset_px: np.ndarray
    scale: float

    def draw(self, image: np.ndarray, sheet: np.ndarray) -> None:
        """Draws the surroundings; grey where the picture ends."""
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
            detections share one.
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
        """Replaces each unsure detection that an enlarged look confirms.

        Args:
            image: `(height, width, 3)` uint8.
            first: What the first look found, in pixels of the picture, the surest first.
            scale: Pixels of the network's input for each pixel of the picture, in the first look.

        Returns:
            As many detections, in the same order.
        """
        unsure, at_once = self._unsure(first, scale), len(self._corners)
        seen = Candidates(first.boxes.copy(), first.scores.copy(), first.class_ids.copy())
        for start in range(0, len(unsure) if at_once else 0, at_once or 1):
            self._examine(image, seen, unsure[start : start + at_once], scale)
        return seen

    def _examine(self, image: np.ndarray, seen: Candidates, unsure: list[int], scale: float) -> None:
        """Examines as many detections as the network takes at once."""
        pairs = zip(self._corners, seen.boxes[unsure], strict=False)
        tiles = [self._tile(corner_px, box, scale) for corner_px, box in pairs]
        self._sheet[:] = GREY
        for tile in tiles:
            tile.draw(image, self._sheet)
        found = self._find(self._sheet)
        size_px = image.shape[1], image.shape[0]
        for index, tile in zip(unsure, tiles, strict=True):
            boxes = np.clip(tile.to_picture(found.boxes), 0, np.tile(size_px, 2))
            _confirm(seen, index, replace(found, boxes=boxes))

    def _unsure(self, first: Candidates, scale: float) -> list[int]:
        """Which detections are examined again."""
        sides_px = (first.boxes[:, 2:] - first.boxes[:, :2]).max(axis=1, initial=0) * scale
        least, most = UNSURE
        is_unsure = (first.scores >= least) & (first.scores < most)
        fits = sides_px * ENLARGED <= TILE_PX * FILLS_MOST
        return np.flatnonzero(is_unsure & fits)[:LOOKS_MOST].tolist()

    @staticmethod
    def _tile(corner_px: tuple[int, int], box: np.ndarray, scale: float) -> Tile:
        """The tile with the middle of a box in its middle."""
        scale *= ENLARGED
        return Tile(corner_px, TILE_PX / 2 - (box[:2] + box[2:]) / 2 * scale, scale)


def _confirm(seen: Candidates, index: int, found: Candidates) -> None:
    """Puts the surest of the enlarged look's detections of a sign in place of a less sure one."""
    overlap = intersection_over_union(seen.boxes[[index]], found.boxes)[0]
    same = np.flatnonzero((overlap >= SAME_SIGN_IOU) & (found.scores > seen.scores[index]))
    if len(same):
        best = same[found.scores[same].argmax()]
        for mine, other in zip(vars(seen).values(), vars(found).values(), strict=True):
            mine[index] = other[best]
