"""Least-squares fits, with the accuracy of each parameter."""

from collections.abc import Callable

import numpy as np

STEPS = 60
SMALL = 1e-3
"""The fit ends when a step reduces the sum by no more than this, which is far below the noise."""


def least_squares(
    residuals: Callable[[np.ndarray], np.ndarray], start: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the parameters whose residuals have the smallest sum of squares, by Levenberg–Marquardt.

    Args:
        residuals: Function of parameters, shape `(n,)`; each residual is in units of its own standard
            deviation.
        start: Initial parameters, shape `(n,)`.
        low: Lower bounds.
        high: Upper bounds.

    Returns:
        The parameters, and one standard deviation of each, both of shape `(n,)`.
    """
    found = np.clip(start, low, high).astype(float)
    error = residuals(found)
    damping = 1e-3
    for _ in range(STEPS):
        slope = _slope(residuals, found, error)
        normal, pull = slope.T @ slope, slope.T @ error
        tried = np.clip(
            found - np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-12), pull), low, high
        )
        tried_error = residuals(tried)
        if tried_error @ tried_error >= error @ error:
            damping *= 8
            if damping > 1e8:
                break
            continue
        gained = error @ error - tried_error @ tried_error
        found, error, damping = tried, tried_error, damping / 4
        if gained < SMALL:
            break
    slope = _slope(residuals, found, error)
    spread = max(float(error @ error) / max(len(error) - len(found), 1), 1.0)
    return found, np.sqrt(np.diag(np.linalg.pinv(slope.T @ slope)) * spread)


def _slope(residuals: Callable[[np.ndarray], np.ndarray], at: np.ndarray, error: np.ndarray) -> np.ndarray:
    """The Jacobian of the residuals, shape `(residuals, n)`."""
    columns = []
    for index, value in enumerate(at):
        step = 1e-4 * max(abs(float(value)), 0.1)
        moved = at.copy()
        moved[index] += step
        columns.append((residuals(moved) - error) / step)
    return np.stack(columns, axis=1)
