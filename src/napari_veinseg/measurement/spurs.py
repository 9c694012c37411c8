"""Side branches that only show a bump of a vein's border."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.data.labels import VEIN
from napari_veinseg.measurement.skeleton import Mask, centreline, trace


def without_spurs(line: Mask, mask: NDArray[Any]) -> Mask:
    """Remove the side branches that end inside the vein that they leave.

    Parameters
    ----------
    line : NDArray[np.bool_]
        `(Y, X)`, the centreline of `mask`.
    mask : NDArray
        `(Y, X)`, vein where it equals 1 (or True).

    Returns
    -------
    NDArray[np.bool_]
        The centreline without branches that have one free end and do not reach beyond the
        vein's border, twice its radius at the bifurcation.
    """
    radius = ndimage.distance_transform_edt(mask == VEIN)
    skeleton = trace(line)
    kept = line.copy()
    for branch in skeleton.branches:
        if (branch.start is None) == (branch.end is None):
            continue
        meeting = branch.path[-1] if branch.start is None else branch.path[0]
        away = branch.path - meeting
        if np.hypot(*away.T).max() <= 2 * radius[tuple(meeting)]:
            kept[tuple(branch.path.T)] = False
            kept[tuple(meeting)] = True
    # Thinning again straightens the corner that a spur leaves behind.
    return centreline(kept)
