"""Where to look next: the places, and the images, at which a model could not decide."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Map = NDArray[np.float32]

_NEARLY = 0.6  # of the most likely pixel's probability


class Place(NamedTuple):
    """One place to look at."""

    row: int
    column: int
    """Both in px."""
    doubt: float
    """In [0, 1]."""


def doubt_map(probability: NDArray[Any], vein_width: float = 6.0, threshold: float = 0.5) -> Map:
    """Say how undecided a model was around each pixel.

    The border of a certain vein passes through every probability, too, so each pixel is judged
    by the most certain vein within a vein's width.

    Parameters
    ----------
    probability : NDArray
        `(Y, X)`, vein probability in [0, 1].
    vein_width : float
        Typical vein width in px.
    threshold : float
        The probability from which a pixel counts as vein, in (0, 1).

    Returns
    -------
    NDArray[np.float32]
        `(Y, X)`: 1 where the strongest vein nearby is just at the threshold, 0 where it is certain
        or where there is certainly none.
    """
    size = max(round(vein_width) | 1, 3)
    strongest = ndimage.maximum_filter(np.asarray(probability, np.float32), size, mode="nearest")
    doubt = np.where(
        strongest < threshold, strongest / threshold, (1 - strongest) / (1 - threshold)
    )
    blurred: Map = ndimage.gaussian_filter(doubt.astype(np.float32), size, mode="nearest")
    return blurred


def doubtful_places(
    doubt: Map, distance: float = 40.0, count: int = 20, settled: NDArray[np.bool_] | None = None
) -> list[Place]:
    """List the most doubtful places, worst first, with a doubt of at least 0.2.

    Parameters
    ----------
    doubt : NDArray[np.float32]
        `(Y, X)`, as `doubt_map` gives it.
    distance : float
        Smallest distance between two places in px.
    count : int
        How many at most.
    settled : NDArray[np.bool_], optional
        `(Y, X)`, True where a person has decided: not to be asked again.
    """
    open_doubt = np.array(doubt, np.float32)
    if settled is not None:
        open_doubt[settled] = 0
    # A peak of a grid of cells is found without sorting every pixel of a large image.
    size = max(int(distance) // 2 * 2 + 1, 3)
    peaks = (open_doubt >= ndimage.maximum_filter(open_doubt, size, mode="constant")) & (
        open_doubt >= 0.2
    )
    rows, columns = np.nonzero(peaks)
    order = np.argsort(-open_doubt[rows, columns], kind="stable")
    chosen: list[Place] = []
    for index in order:
        row, column = int(rows[index]), int(columns[index])
        if all(np.hypot(row - p.row, column - p.column) >= distance for p in chosen):
            chosen.append(Place(row, column, float(open_doubt[row, column])))
        if len(chosen) == count:
            break
    return chosen


def candidate_at(
    probability: NDArray[Any], place: Place, vein_width: float = 6.0
) -> NDArray[np.bool_]:
    """Find what may be vein at a doubtful place: what a person is asked about there.

    Parameters
    ----------
    probability : NDArray
        `(Y, X)`, vein probability in [0, 1].
    place : Place
        The place.
    vein_width : float
        Typical vein width in px.

    Returns
    -------
    NDArray[np.bool_]
        `(Y, X)`: the connected pixels around the most likely one within two vein widths that are
        nearly as likely, up to three vein widths and at least 20 px away.
    """
    rows, columns = np.ogrid[: probability.shape[0], : probability.shape[1]]
    away = np.hypot(rows - place.row, columns - place.column)
    near = np.where(away <= max(2 * vein_width, 4), probability, -1.0)
    peak = np.unravel_index(np.argmax(near), near.shape)
    likely = (probability >= _NEARLY * probability[peak]) & (away <= max(3 * vein_width, 20))
    pieces, _ = ndimage.label(likely, np.ones((3, 3)))
    candidate: NDArray[np.bool_] = pieces == pieces[peak]
    return candidate


def image_doubt(
    probability: NDArray[Any], vein_width: float = 6.0, threshold: float = 0.5
) -> float:
    """Average the doubt, in [0, 1], over what may be vein of an image.

    Parameters
    ----------
    probability : NDArray
        `(Y, X)`, vein probability in [0, 1].
    vein_width : float
        Typical vein width in px.
    threshold : float
        The probability from which a pixel counts as vein, in (0, 1).
    """
    doubt = doubt_map(probability, vein_width, threshold)
    weight = np.maximum(doubt, np.asarray(probability, np.float32))
    total = float(weight.sum())
    return float((doubt * weight).sum()) / total if total > 0 else 0.0


def by_doubt(doubts: Iterable[float], reviewed: Iterable[bool]) -> list[int]:
    """Order the numbers of images for reviewing: the doubtful first, those already reviewed last.

    Parameters
    ----------
    doubts : iterable of float
        The doubt of each image.
    reviewed : iterable of bool
        Whether a person has looked at it.
    """
    rows = list(zip(reviewed, doubts, strict=True))
    return sorted(range(len(rows)), key=lambda i: (rows[i][0], -rows[i][1], i))
