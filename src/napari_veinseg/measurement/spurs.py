"""Side branches that only show a bump of a vein's border."""

import numpy as np
from scipy import ndimage

from napari_veinseg.data.array_types import Binary, Mask
from napari_veinseg.data.labels import VEIN
from napari_veinseg.measurement.skeleton import centreline, trace


def without_spurs(line: Binary, mask: Mask) -> Binary:
    """Remove the side branches of a mask's centreline that end inside the vein that they leave.

    They have one free end and do not reach beyond the vein's border, twice its radius at the
    bifurcation.
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
