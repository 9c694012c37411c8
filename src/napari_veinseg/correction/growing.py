"""Whole veins out of the image: one grown from a click, or all drawn anew as wide as they are."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.correction.change import Change, Points, between, painted
from napari_veinseg.correction.lines import vein_region
from napari_veinseg.correction.profile import centred, widths_along
from napari_veinseg.correction.tracing import WINDOW, Cost, snapped
from napari_veinseg.data.labels import BACKGROUND, VEIN
from napari_veinseg.measurement.skeleton import centreline, trace
from napari_veinseg.measurement.spurs import without_spurs

# A vein is followed while its evidence is at least this part of that under the click.
_FADED = 0.4

_ROUND = np.ones((3, 3))


def grown_vein(
    mask: NDArray[Any],
    grey: NDArray[Any],
    cost: Cost,
    point: tuple[float, float],
    vein_width: float,
    label: int = VEIN,
) -> Change:
    """Draw the missing vein under a click, both ways and with its branches.

    It ends where it meets the mask or fades, and at most half of `tracing.WINDOW` from the click.

    Parameters
    ----------
    mask : NDArray
        `(Y, X)`, vein where it equals 1.
    grey : NDArray
        `(Y, X)` image; veins are dark.
    cost : NDArray[np.float32]
        `(Y, X)`, as `tracing.path_cost` gives it.
    point : tuple of float
        The click, (row, column).
    vein_width : float
        Typical vein width in px.
    label : int
        What the vein becomes: 1 vein or 2 unsure.

    Returns
    -------
    Change
        Empty when the mask has the vein already.
    """
    row, column = snapped(cost, point, max(vein_width / 2, 2))
    top, left = max(row - WINDOW // 2, 0), max(column - WINDOW // 2, 0)
    box = np.s_[top : top + WINDOW, left : left + WINDOW]
    here = (row - top, column - left)
    is_vein = np.asarray(mask)[box] == VEIN
    line = _missing_line(cost[box], here, is_vein)
    paths = [branch.path + np.array([top, left]) for branch in trace(line).branches]
    return painted(mask, _drawn(np.shape(mask), grey, paths, vein_width), label)


def redrawn_as_measured(mask: NDArray[Any], grey: NDArray[Any], vein_width: float) -> Change:
    """Draw all veins of a mask anew, in the middle and in the width that the image shows.

    Parameters
    ----------
    mask : NDArray
        `(Y, X)`, vein where it equals 1; label 2 stays.
    grey : NDArray
        `(Y, X)` image; veins are dark.
    vein_width : float
        Typical vein width in px.

    Returns
    -------
    Change
        The pixels along the borders of the veins.
    """
    is_vein = np.asarray(mask) == VEIN
    line = without_spurs(centreline(is_vein), is_vein)
    paths = [branch.path for branch in trace(line).branches]
    drawn = _drawn(is_vein.shape, grey, paths, vein_width)
    decided = is_vein | (np.asarray(mask) == BACKGROUND)
    return between(mask, np.where(decided, drawn, mask))


def _missing_line(cost: Cost, click: tuple[int, int], is_vein: NDArray[np.bool_]) -> Any:
    """Find the middles of what is like the vein under the click and outside the mask."""
    evidence = 1 / cost - 1
    pieces, _ = ndimage.label(evidence >= _FADED * evidence[click], _ROUND)
    piece = pieces == pieces[click]
    line = without_spurs(centreline(piece), piece) & ~is_vein
    strands, count = ndimage.label(line, _ROUND)
    if not count or is_vein[click]:
        return np.zeros_like(line)
    places = np.argwhere(line)
    nearest = places[np.argmin(np.linalg.norm(places - np.array(click), axis=1))]
    return strands == strands[tuple(nearest)]


def _drawn(
    shape: tuple[int, ...], grey: NDArray[Any], paths: Iterable[Any], vein_width: float
) -> NDArray[np.bool_]:
    drawn = np.zeros(shape, np.bool_)
    for pixels in paths:
        path: Points = centred(grey, pixels.astype(np.float64), vein_width)
        drawn |= vein_region((shape[0], shape[1]), path, widths_along(grey, path, vein_width))
    return drawn
