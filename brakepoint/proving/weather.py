"""Effects of a real room and a real camera on a picture: light, air, lens, sensor, radio and mounting.

Weather is a pure function of a picture and a random source. `mounted` moves signs in the picture: it is a
camera whose mounting or lens differs from what the autopilot assumes. The strengths are those at which
photographs of a real room proved difficult, and slightly beyond.
"""

import dataclasses
import zlib
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np

from brakepoint.messages import Frame, TrainState
from brakepoint.ports import Camera

Weather = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""`weather(picture, random)`: maps `(height, width, 3)` uint8, BGR, to a different picture of that size."""

HAZE_GREY = 200
"""Brightness of haze, 0 to 255."""


def light(picture: np.ndarray, _: np.random.Generator, gain: float = 1.0, warmth: float = 0.0) -> np.ndarray:
    """Changes the brightness and colour of the light.

    Args:
        picture: The picture.
        gain: Factor for every level, above 0; the result is clipped at white.
        warmth: Fraction by which red is raised and blue lowered, -1 to 1.
    """
    gains = np.array([1 - warmth, 1.0, 1 + warmth]) * gain
    levels = np.arange(256)[:, None] * gains
    return cv2.LUT(picture, levels.clip(0, 255).round().astype(np.uint8)[None])


def haze(picture: np.ndarray, _: np.random.Generator, strength: float) -> np.ndarray:
    """A light haze over everything: invisible at strength 0, opaque at 1."""
    return cv2.convertScaleAbs(picture, alpha=1 - strength, beta=strength * HAZE_GREY)


def soft(picture: np.ndarray, _: np.random.Generator, sigma_px: float) -> np.ndarray:
    """A lens out of focus: Gaussian blur with this standard deviation in pixels, above 0."""
    return cv2.GaussianBlur(picture, (0, 0), sigma_px)


def motion(picture: np.ndarray, _: np.random.Generator, length_px: int) -> np.ndarray:
    """Sideways camera shake while the shutter is open, over this many pixels, at least 1."""
    return cv2.blur(picture, (length_px, 1))


def noise(picture: np.ndarray, random: np.random.Generator, sigma: float) -> np.ndarray:
    """A sensor in low light: noise with this standard deviation in grey levels, at least 0."""
    grain = np.empty(picture.shape, np.int16)
    cv2.setRNGSeed(int(random.integers(2**31)))
    return cv2.add(picture, cv2.randn(grain, np.zeros(3), np.full(3, sigma)), dtype=cv2.CV_8U)


def jpeg(picture: np.ndarray, _: np.random.Generator, quality: int) -> np.ndarray:
    """A picture sent over a slow link: compressed with this JPEG quality, 1 to 100."""
    packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))


def low_resolution(picture: np.ndarray, _: np.random.Generator, scale: float) -> np.ndarray:
    """A sensor with fewer pixels, whose picture is scaled up again; scale is above 0 and at most 1."""
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def mounted(
    picture: np.ndarray,
    _: np.random.Generator,
    tilt_deg: float = 0.0,
    right_px: float = 0.0,
    down_px: float = 0.0,
    zoom: float = 1.0,
) -> np.ndarray:
    """A camera that is tilted or shifted, or has another lens; edge pixels fill the gaps.

    Args:
        picture: The picture.
        tilt_deg: Counter-clockwise rotation of the picture about its centre.
        right_px: Shift to the right.
        down_px: Shift downwards.
        zoom: Focal length as a multiple of the recorded camera's focal length, above 0.
    """
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), tilt_deg, zoom)
    matrix[:, 2] += np.array([right_px, down_px])
    return cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


def together(*several: Weather) -> Weather:
    """Applies several weather conditions in order."""
    return partial(_one_after_the_other, several)


def _one_after_the_other(
    several: tuple[Weather, ...], picture: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    for weather in several:
        picture = weather(picture, random)
    return picture


_DIM, _BRIGHT = partial(light, gain=0.5), partial(light, gain=2.0)
_SOFT, _MOTION, _TILT = (
    partial(soft, sigma_px=1.5),
    partial(motion, length_px=7),
    partial(mounted, tilt_deg=4.0),
)

WEATHERS: dict[str, Weather] = {
    "clear": together(),
    "dim": _DIM,
    "bright": _BRIGHT,
    "warm": partial(light, warmth=0.25),
    "cold": partial(light, warmth=-0.25),
    "haze": partial(haze, strength=0.4),
    "soft": _SOFT,
    "motion": _MOTION,
    "shaking": partial(motion, length_px=11),
    "noise": partial(noise, sigma=20.0),
    "jpeg": partial(jpeg, quality=20),
    "blocks": partial(jpeg, quality=10),
    "low-resolution": partial(low_resolution, scale=0.5),
    "tilt": _TILT,
    "shift": partial(mounted, right_px=-20.0, down_px=12.0),
    "wide": partial(mounted, zoom=0.75),
    "long": partial(mounted, zoom=1.25),
    "dusk": together(partial(light, gain=0.6, warmth=0.2), partial(noise, sigma=12.0)),
    "fog": together(partial(haze, strength=0.5), partial(soft, sigma_px=1.0)),
    "dim-motion": together(_DIM, _MOTION),
    "dim-soft-jpeg": together(_DIM, _SOFT, partial(jpeg, quality=30)),
    "bright-tilt-wide": together(partial(light, gain=1.6), partial(mounted, tilt_deg=4.0, zoom=0.9)),
    "cold-haze-motion": together(partial(light, warmth=-0.2), partial(haze, strength=0.3), _MOTION),
    "cheap": together(
        partial(low_resolution, scale=0.6), partial(noise, sigma=8.0), partial(jpeg, quality=40)
    ),
}
"""The weather conditions by name; `clear` changes nothing."""
MOVING = frozenset(("tilt", "shift", "wide", "long", "bright-tilt-wide"))
"""The weather conditions in which signs are elsewhere in the picture than in clear weather."""


def random_for(weather: str, seed: int = 0) -> np.random.Generator:
    """The random source of a weather condition: each has its own."""
    return np.random.default_rng([seed, zlib.crc32(weather.encode())])


class WeatheredCamera:
    """A camera whose pictures are changed by a weather condition.

    Args:
        camera: Source of the pictures; it is closed with this one.
        weather: A name in `WEATHERS`.
        seed: Seed of the random source, together with the weather's name.
    """

    def __init__(self, camera: Camera, weather: str, seed: int = 0) -> None:
        self._camera, self._weather = camera, WEATHERS[weather]
        self._random = random_for(weather, seed)

    def read(self, train_state: TrainState) -> Frame | None:
        """Captures a picture and applies the weather."""
        frame = self._camera.read(train_state)
        return frame and dataclasses.replace(frame, image=self._weather(frame.image, self._random))

    def close(self) -> None:
        """Closes the camera."""
        self._camera.close()
