"""Classical vein extractors, written from their papers, as company for the networks.

They know of no finger border, get the same vein width as a network would, and call the strongest
tenth of the pixels vein (Otsu's threshold, tried first, is lost in their skewed strengths).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.data.array_types import Binary, Field, Grey, Probability, Px
from napari_veinseg.measurement.ridge_filter import valley_strength

Strength = Annotated[Field, "vein strength in arbitrary units, 0 where there is no vein"]

# Rows by columns of the four directions in which profiles run.
_DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))


def maximum_curvature(grey: Grey, vein_width: Px) -> Strength:
    """Find vein centres as the points of largest curvature of profiles in four directions.

    Each dent of a profile, where its curvature is positive, votes at its deepest point with
    curvature times length; votes are then connected along each direction.  Profiles are smoothed
    with a third of the vein width as sigma.

    References
    ----------
    N. Miura, A. Nagasaka and T. Miyatake, "Extraction of finger-vein patterns using maximum
    curvature points in image profiles", IAPR Conference on Machine Vision Applications, 347-350
    (2005).
    """
    # The paper's curvature is that of 8-bit profiles.
    low, high = float(np.min(grey)), float(np.max(grey))
    image = (np.asarray(grey, np.float32) - low) * np.float32(255 / max(high - low, 1e-12))
    sigma = vein_width / 3

    def derivative(rows: int, columns: int) -> Strength:
        return ndimage.gaussian_filter(image, sigma, (rows, columns), mode="nearest")

    dy, dx = derivative(1, 0), derivative(0, 1)
    dyy, dxy, dxx = derivative(2, 0), derivative(1, 1), derivative(0, 2)
    votes = np.zeros(image.shape, np.float32)
    for direction in _DIRECTIONS:
        y, x = np.array(direction, np.float32) / np.float32(np.hypot(*direction))
        slope = y * dy + x * dx
        bend = y * y * dyy + 2 * y * x * dxy + x * x * dxx
        _vote(votes, bend / (1 + slope * slope) ** 1.5, direction)
    return _connected(votes)


def _vote(votes: Strength, curvature: Strength, direction: tuple[int, int]) -> None:
    """Add curvature times length of each dent of the profiles at the dent's deepest point."""
    order, begins_profile = _profiles(curvature.shape, direction)
    profile = curvature.ravel()[order]
    dent = profile > 0
    begins = dent & (begins_profile | ~np.append(False, dent[:-1]))
    places = np.flatnonzero(dent)
    if not len(places):
        return
    first = np.flatnonzero(begins[places])
    deepest = np.maximum.reduceat(profile[places], first)
    length = np.diff(np.append(first, len(places)))
    number = np.cumsum(begins[places]) - 1
    at_deepest = np.flatnonzero(profile[places] == deepest[number])
    one_each = at_deepest[np.unique(number[at_deepest], return_index=True)[1]]
    votes.ravel()[order[places[one_each]]] += deepest * length


@lru_cache(maxsize=8)
def _profiles(
    shape: tuple[int, int], direction: tuple[int, int]
) -> tuple[NDArray[np.intp], Binary]:
    """Give all pixels profile by profile, and where a profile begins."""
    rows, columns = np.indices(shape).reshape(2, -1)
    profile = rows * direction[1] - columns * direction[0]
    order = np.lexsort((rows if direction[0] else columns, profile))
    begins = np.diff(profile[order], prepend=profile.min() - 1) != 0
    return order, begins


def _connected(votes: Strength) -> Strength:
    """Close gaps: a pixel is as strong as the weaker of its two sides, along the best direction."""
    padded = np.pad(votes, 2)
    height, width = votes.shape

    def beside(direction: tuple[int, int], steps: int) -> Strength:
        row, column = 2 + steps * direction[0], 2 + steps * direction[1]
        return padded[row : row + height, column : column + width]

    best = np.zeros_like(votes)
    for direction in _DIRECTIONS:
        after = np.maximum(beside(direction, 1), beside(direction, 2))
        before = np.maximum(beside(direction, -1), beside(direction, -2))
        np.maximum(best, np.minimum(after, before), out=best)
    return best


def _ridge_filter(name: str) -> Callable[[NDArray[Any], float], Strength]:
    def strength(grey: NDArray[Any], vein_width: float) -> Strength:
        from skimage import filters

        sigmas = [vein_width * share for share in (0.25, 0.35, 0.5)]
        image = np.asarray(grey, np.float32)
        return np.asarray(getattr(filters, name)(image, sigmas, black_ridges=True), np.float32)

    return strength


def _valleys(grey: NDArray[Any], vein_width: float) -> Strength:
    return valley_strength(grey, [vein_width * share for share in (0.7, 1, 1.4)])


BASELINES: dict[str, Callable[[NDArray[Any], float], Strength]] = {
    "maximum curvature": maximum_curvature,
    "Sato ridges": _ridge_filter("sato"),
    "Frangi ridges": _ridge_filter("frangi"),
    "Meijering ridges": _ridge_filter("meijering"),
    "valley strength": _valleys,
}
"""Vein strength of a grey image at a vein width, by name."""


def baseline_score(name: str, grey: Grey, vein_width: Px) -> Probability:
    """Turn the strength of one of `BASELINES` into a score that is thresholded like a probability.

    It is s / (s + t) of the strength s, where t is exceeded by a tenth of the pixels, so that they
    have at least 0.5.  It is ordered like the strength but is no probability: its calibration means
    nothing.
    """
    strength = BASELINES[name](grey, vein_width)
    tenth = max(float(np.quantile(strength, 0.9)), 1e-12)
    return strength / (strength + np.float32(tenth))
