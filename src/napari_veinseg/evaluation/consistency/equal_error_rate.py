"""How well scores of genuine pairs stand apart from those of impostors."""

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


def equal_error_rate(
    genuine: Scores,
    impostor: Scores,
    genuine_weights: Scores | None = None,
    impostor_weights: Scores | None = None,
) -> float:
    """Find the rate at which as many genuine pairs are refused as impostors are accepted.

    Parameters
    ----------
    genuine, impostor : NDArray[np.float64]
        Scores, at least one of each.
    genuine_weights, impostor_weights : NDArray[np.float64] or None
        How often each counts; once by default.

    Returns
    -------
    float
        In [0, 1]: mean of both rates at the threshold where they differ least.
    """
    levels = np.unique(np.concatenate([genuine, impostor]))
    refused = _share_below(levels, genuine, genuine_weights)
    accepted = 1 - _share_below(levels, impostor, impostor_weights)
    best = int(np.argmin(np.abs(refused - accepted)))
    return float((refused[best] + accepted[best]) / 2)


def _share_below(levels: Scores, scores: Scores, weights: Scores | None) -> Scores:
    """Give the share of scores below each level, and as the last value below no level: all."""
    at = np.bincount(np.searchsorted(levels, scores), weights, minlength=len(levels))
    below: Scores = np.append(0.0, np.cumsum(at)) / at.sum()
    return below


def d_prime(
    genuine: Scores,
    impostor: Scores,
    genuine_weights: Scores | None = None,
    impostor_weights: Scores | None = None,
) -> float:
    """Measure the distance of the mean scores in their standard deviations.

    Parameters
    ----------
    genuine, impostor : NDArray[np.float64]
        Scores, at least one of each.
    genuine_weights, impostor_weights : NDArray[np.float64] or None
        How often each counts; once by default.

    Returns
    -------
    float
        Difference of the means over the root mean square of both standard deviations (at least a
        millionth, so that scores without spread give a large number, not infinity).
    """
    means, variances = zip(
        *(
            _moments(scores, weights)
            for scores, weights in ((genuine, genuine_weights), (impostor, impostor_weights))
        ),
        strict=True,
    )
    return float((means[0] - means[1]) / max(np.sqrt(sum(variances) / 2), 1e-6))


def _moments(scores: Scores, weights: Scores | None) -> tuple[float, float]:
    mean = np.average(scores, weights=weights)
    return float(mean), float(np.average((scores - mean) ** 2, weights=weights))
