"""Arithmetic on boxes; a box is `(left, top, right, bottom)` in pixels."""

import numpy as np


def intersection_over_union(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The overlap of each box with each of the others.

    Args:
        boxes: `(n, 4)`.
        others: `(m, 4)`.

    Returns:
        `(n, m)`, from 0 (disjoint, or without area) to 1 (the same box).
    """
    left_top = np.maximum(boxes[:, None, :2], others[None, :, :2])
    right_bottom = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    intersection = np.clip(right_bottom - left_top, 0, None).prod(axis=2)
    union = _areas(boxes)[:, None] + _areas(others)[None, :] - intersection
    overlap: np.ndarray = np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)
    return overlap


def _areas(boxes: np.ndarray) -> np.ndarray:
    areas: np.ndarray = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    return areas
