"""The effects of a cheap camera on a picture: light, haze, blur, softness, noise."""

import cv2
import numpy as np


def photograph(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Passes a picture through a random camera.

    Args:
        rng: Random source.
        image: `(h, w, 3)` uint8, blue-green-red.

    Returns:
        A picture of the same size and type. Nothing moves, so labels stay valid.
    """
    if rng.random() < 0.5:
        image = _uneven_light(rng, image)
    image = _tone(rng, image)
    image = _soften(rng, image)
    return _noise(rng, image)


def _uneven_light(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Adds the light of lamps and windows, which is brighter, bluer or warmer in some places."""
    spread = rng.uniform(0.05, 0.45)
    cells = 1 + spread * rng.uniform(-1, 1, (3, 4, 1)) + spread * 0.35 * rng.uniform(-1, 1, (3, 4, 3))
    light = cv2.resize(cells.astype(np.float32), image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.multiply(image, light, dtype=cv2.CV_8U)


def _tone(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Changes saturation, exposure, white balance, gamma and haze, by a matrix and a table per channel."""
    colourful = rng.uniform(0.45, 1.25)
    grey = np.array([[0.114, 0.587, 0.299]]) * (1 - colourful)
    image = cv2.transform(image, np.eye(3) * colourful + np.repeat(grey, 3, 0))
    warmth = rng.normal(0.03, 0.15)
    balance = np.array([1 - warmth, 1 + rng.normal(0, 0.03), 1 + warmth])
    exposure, gamma = np.exp(rng.normal(0.08, 0.28)), np.exp(rng.normal(-0.05, 0.2))
    levels = np.linspace(0, 1, 256)[:, None] ** gamma * exposure * balance.clip(0.5, 1.6)
    levels = np.where(levels > 0.85, 1 - 0.15 * np.exp(-(levels - 0.85) / 0.15), levels)
    if rng.random() < 0.45:
        warm = rng.normal(0.04, 0.08)
        veil = rng.uniform(0.3, 0.9) + np.array([-2 * warm, -0.3 * warm, warm])
        haze = rng.uniform(0, 0.6)
        levels = levels * (1 - haze) + veil * haze
    return cv2.LUT(image, (levels.clip(0, 1) * 255).astype(np.uint8)[None])


def _soften(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Adds lens blur, camera shake, and the softness of an upscaled picture."""
    rows, columns = image.shape[:2]
    if rng.random() < 0.35:
        small = rng.uniform(0.45, 0.95)
        image = cv2.resize(image, (int(columns * small), int(rows * small)), interpolation=cv2.INTER_AREA)
        image = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.75:
        image = cv2.GaussianBlur(image, (0, 0), 0.3 + rng.exponential(0.4))
    if rng.random() < 0.3:
        image = cv2.filter2D(image, -1, _shake(rng))
    if rng.random() < 0.15:
        image = cv2.addWeighted(image, 1.8, cv2.GaussianBlur(image, (0, 0), 1.5), -0.8, 0)
    return image


def _shake(rng: np.random.Generator) -> np.ndarray:
    """A short straight path of the camera, mostly sideways, as a kernel of sum 1, centred."""
    length = rng.uniform(1.5, 9)
    angle = rng.normal(0, 0.4) if rng.random() < 0.7 else rng.uniform(0, np.pi)
    size = 2 * int(np.ceil(length / 2)) + 3
    middle = (size - 1) / 2
    reach = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    kernel = np.zeros((size, size), np.float32)
    for along in np.linspace(-1, 1, 41):
        x, y = middle + reach * along
        column, row = int(np.floor(x)), int(np.floor(y))
        part = np.outer([1 - (y - row), y - row], [1 - (x - column), x - column])
        kernel[row : row + 2, column : column + 2] += part
    kernel /= kernel.sum()
    return kernel


def _noise(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Adds noise: fine in brightness, and coarser in colour."""
    strength = min(rng.exponential(3.0), 14.0)
    if strength < 0.5:
        return image
    rows, columns = image.shape[:2]
    fine = rng.standard_normal((rows, columns), np.float32) * strength
    coarse = rng.standard_normal((rows // 3, columns // 3, 3), np.float32) * strength * rng.uniform(0, 0.7)
    grain = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_LINEAR) + cv2.merge([fine] * 3)
    return cv2.add(image, grain, dtype=cv2.CV_8U)
