"""The confidence interval of a mean average precision: a bootstrap over pictures."""

from collections.abc import Sequence

import numpy as np

from brakepoint.evaluation.mean_average_precision import Match, average_precision, sorted_by_confidence
from brakepoint.messages import SignClass

RESAMPLES = 1000
SHARE = 0.95
"""Share of the resamples within the interval."""


def map50_interval(
    matches: Sequence[Match], resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """The interval of mAP50 under repeated resampling of the pictures, with replacement.

    Signs of one picture are alike, so whole pictures are drawn. The same matches give the same interval.

    Args:
        matches: One per picture; at least one contains a true sign.
        resamples: Number of resamples.
        seed: Seed of the resampling.

    Returns:
        Lower and upper end of the interval that contains the middle 95 % of the resamples.
    """
    rng = np.random.default_rng(seed)
    times = rng.multinomial(len(matches), np.full(len(matches), 1 / len(matches)), resamples)
    per_class = np.stack([_resampled(matches, sign_class, times) for sign_class in SignClass])
    drawn = per_class[:, ~np.isnan(per_class).all(axis=0)]
    low, high = np.quantile(np.nanmean(drawn, axis=0), [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return float(low), float(high)


def _resampled(matches: Sequence[Match], sign_class: SignClass, times: np.ndarray) -> np.ndarray:
    """The average precision of a class in each resample; NaN if the resample has none of its signs.

    Args:
        matches: One per picture.
        sign_class: The class.
        times: `(resamples, pictures)`, how often each picture was drawn.
    """
    correct, _, picture = sorted_by_confidence(matches, sign_class)
    truths = np.array([(match.truth_classes == sign_class).sum() for match in matches])
    hits = correct[:, 0]
    last = np.flatnonzero(hits).max(initial=-1) + 1  # Anything after the last hit does not change the area.
    hits, picture = hits[:last], picture[:last]
    return np.array(
        [
            average_precision(np.repeat(hits, drawn[picture]), int(truths @ drawn))
            if truths @ drawn
            else np.nan
            for drawn in times
        ]
    )
