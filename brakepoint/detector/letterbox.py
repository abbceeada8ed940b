"""Letterbox: a frame of any size is scaled to fit the model's input, and the margins are filled with grey."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from brakepoint.detector.metadata import STRIDE_PX

GREY = 114
"""Grey level of the margins: the value with which ultralytics trains."""


def whole_strides(side_px: float, stride_px: int = STRIDE_PX) -> int:
    """The side of an input for this many pixels, rounded up to a multiple of the stride."""
    return stride_px * math.ceil(side_px / stride_px)


@dataclass(frozen=True)
class Letterbox:
    """The place of a frame inside a model's input.

    Attributes:
        frame_size_px: `(width, height)` of the frame.
        input_size_px: `(width, height)` of the model's input.
        inner_size_px: `(width, height)` of the scaled frame.
        margin_px: `(left, top)` margin before the scaled frame.
    """

    frame_size_px: tuple[int, int]
    input_size_px: tuple[int, int]
    inner_size_px: tuple[int, int]
    margin_px: tuple[int, int]

    @classmethod
    @lru_cache(maxsize=64)
    def fit(
        cls, frame_size_px: tuple[int, int], input_size_px: tuple[int, int], stride_px: int | None = None
    ) -> "Letterbox":
        """Centres the frame in the input, as large as possible; keeps its aspect ratio.

        Args:
            frame_size_px: `(width, height)` of the frame.
            input_size_px: `(width, height)` of the model's input.
            stride_px: Reduces the input's height to the smallest sufficient multiple of this; None keeps the
                height.

        Example:
            >>> Letterbox.fit((1280, 720), (640, 480)).margin_px
            (0, 60)
        """
        scale = min(inner / outer for inner, outer in zip(input_size_px, frame_size_px, strict=True))
        width, height = (max(1, round(side * scale)) for side in frame_size_px)
        if stride_px:
            input_size_px = input_size_px[0], min(input_size_px[1], whole_strides(height, stride_px))
        margin = (input_size_px[0] - width) // 2, (input_size_px[1] - height) // 2
        return cls(frame_size_px, input_size_px, (width, height), margin)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Scales and pads a `(height, width, 3)` uint8 picture; one that fits is returned unchanged."""
        if self.frame_size_px == self.input_size_px:
            return image
        import cv2

        left, top = self.margin_px
        right, bottom = (
            outer - inner - margin
            for outer, inner, margin in zip(
                self.input_size_px, self.inner_size_px, self.margin_px, strict=True
            )
        )
        scaled = cv2.resize(image, self.inner_size_px, interpolation=cv2.INTER_LINEAR)
        return cv2.copyMakeBorder(
            scaled, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(GREY, GREY, GREY)
        )

    def to_frame(self, boxes: np.ndarray) -> np.ndarray:
        """Maps `(n, 4)` boxes from pixels of the input to pixels of the frame, clipped at its edges."""
        mapped = (boxes - np.tile(self.margin_px, 2)) / self._scales
        clipped: np.ndarray = np.clip(mapped, 0, np.tile(self.frame_size_px, 2))
        return clipped

    def to_input(self, boxes: np.ndarray) -> np.ndarray:
        """Maps `(n, 4)` boxes from pixels of the frame to pixels of the input."""
        mapped: np.ndarray = boxes * self._scales + np.tile(self.margin_px, 2)
        return mapped

    @property
    def scale(self) -> float:
        """Pixels of the input for each pixel of the frame."""
        return self.inner_size_px[0] / self.frame_size_px[0]

    @property
    def _scales(self) -> np.ndarray:
        return np.tile(np.divide(self.inner_size_px, self.frame_size_px), 2)


def fill_tensor(image: np.ndarray, tensor: np.ndarray) -> None:
    """Writes a blue-green-red picture into a model's input, as red-green-blue from 0 to 1.

    Args:
        image: `(height, width, 3)` uint8.
        tensor: `(1, 3, height, width)` float32, overwritten.
    """
    import cv2

    # Plane by plane is ten times as fast as cv2.dnn.blobFromImage or a transpose.
    for channel, plane in enumerate(reversed(cv2.split(image))):
        np.multiply(plane, np.float32(1 / 255), out=tensor[0, channel])
