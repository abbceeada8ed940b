"""Noise in a picture, as from a sensor in low light: measured, and smoothed where there is much of it.

The network has been trained with noise, but not with as much as a cheap camera adds in a dim room. Smoothing
costs sharpness, so a picture with little noise stays as it is.
"""

import numpy as np

NOISY = 8.0
"""Least standard deviation, in grey levels, of noise that is smoothed. Recorded feeds have less than 1."""
CURVATURE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
"""A filter: zero on even and sloping surfaces and along straight edges, so that mostly noise is left
(Immerkær, "Fast Noise Variance Estimation", 1996)."""
CURVATURE_GAIN = 6.0
"""The filter's response to noise with a standard deviation of 1: the root of the sum of its squares."""
MEDIAN_OF_NORMAL = 0.6745
"""Median of the absolute values of a normal distribution with a standard deviation of 1."""
STEP_PX = 3
"""Of the picture's middle third, in both directions, only every third row is counted: enough, and faster."""
DIAMETER_PX, REACH_PX = 5, 1.5
"""Diameter of the bilateral filter, and the standard deviation of its weights."""
EDGE = 3.0
"""Multiple of the noise beyond which a difference between two pixels is an edge, which stays sharp."""


def noise_level(image: np.ndarray) -> float:
    """The standard deviation of a picture's noise, in grey levels of green.

    Args:
        image: `(height, width, 3)` uint8, of at least one pixel.
    """
    import cv2

    rows, columns = (slice(side // 3, -(-2 * side // 3)) for side in image.shape[:2])
    middle = image[rows, columns, 1]
    curvature = cv2.filter2D(middle, cv2.CV_16S, CURVATURE)[::STEP_PX]
    return float(np.median(np.abs(curvature))) / CURVATURE_GAIN / MEDIAN_OF_NORMAL


def without_noise(image: np.ndarray) -> np.ndarray:
    """A picture without most of its noise; the picture itself if there is little.

    Args:
        image: `(height, width, 3)` uint8, of at least one pixel.
    """
    import cv2

    level = noise_level(image)
    if level < NOISY:
        return image
    return cv2.bilateralFilter(image, DIAMETER_PX, EDGE * level, REACH_PX)
