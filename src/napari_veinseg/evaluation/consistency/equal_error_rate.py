"""How well scores of genuine pairs stand apart from those of impostors."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.array_types import Share

Scores = Annotated[NDArray[np.float64], "`(n,)`, one a pair of masks, at least one"]
Weights = Annotated[NDArray[np.float64], "`(n,)`, how often each score counts"]


def equal_error_rate(
    genuine: Scores,
    impostor: Scores,
    genuine_weights: Weights | None = None,
    impostor_weights: Weights | None = None,
) -> Share:
    """Find the rate at which as many genuine pairs are refused as impostors are accepted.

    It is the mean of both rates at the threshold where they differ least.
    """
    levels = np.unique(np.concatenate([genuine, impostor]))
    refused = _share_below(levels, genuine, genuine_weights)
    accepted = 1 - _share_below(levels, impostor, impostor_weights)
    best = int(np.argmin(np.abs(refused - accepted)))
    return float((refused[best] + accepted[best]) / 2)


def _share_below(levels: Scores, scores: Scores, weights: Scores | None) -> Scores:
    """Give the share of scores below each level, and as the last value below no level: all."""
    at = np.bincount(np.searchsorted(levels, scores), weights, minlength=len(levels))
    return np.append(0.0, np.cumsum(at)) / at.sum()


def d_prime(
    genuine: Scores,
    impostor: Scores,
    genuine_weights: Weights | None = None,
    impostor_weights: Weights | None = None,
) -> float:
    """Measure the distance of the mean scores in their standard deviations.

    It is divided by the root mean square of both (at least a millionth, so that scores without
    spread give a large number, not infinity).
    """
    higher, spread = _moments(genuine, genuine_weights)
    lower, other_spread = _moments(impostor, impostor_weights)
    return float((higher - lower) / max(np.sqrt((spread + other_spread) / 2), 1e-6))


def _moments(scores: Scores, weights: Scores | None) -> tuple[float, float]:
    mean = np.average(scores, weights=weights)
    return float(mean), float(np.average((scores - mean) ** 2, weights=weights))
