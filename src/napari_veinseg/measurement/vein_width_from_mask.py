"""How wide the veins of a mask are."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.data.array_types import Binary, Mask, Px, Spacing
from napari_veinseg.data.labels import UNSURE, VEIN
from napari_veinseg.measurement.skeleton import centreline

# Distances run between pixel centres: twice the distance is too much by one pixel in a level bar of
# odd width, by none in one of even width, by 0.15 in oblique ones.  This halves the largest error.
_EXCESS = 0.25
_ALONG = 10.0  # a vein runs along the frame where it touches it over five times its width

Widths = Annotated[NDArray[np.float64], "`(Y, X)`, in the unit of the spacing"]


def widths(mask: Mask, line: Binary, spacing: Spacing = (1.0, 1.0)) -> Widths:
    """Measure the width of the vein along its centreline: twice the distance to its border.

    It is NaN off the centreline and where label 2 is as near as the vein's border (or a pixel
    farther) and may hide it.
    """
    is_vein = mask == VEIN
    distance = _distance_to_border(is_vein, spacing)
    known = line
    if (mask == UNSURE).any():
        to_unsure = ndimage.distance_transform_edt(mask != UNSURE, sampling=spacing)
        known = line & (to_unsure > distance + max(spacing))
    pixel = float(np.sqrt(spacing[0] * spacing[1]))
    return np.where(known, 2 * distance - _EXCESS * pixel, np.nan)


def _distance_to_border(is_vein: Binary, spacing: Spacing) -> NDArray[np.float64]:
    """Measure how far the veins' border is; of a vein along the frame, the frame is its border.

    A vein that leaves the frame has no border there: it goes on.
    """
    within = ndimage.distance_transform_edt(is_vein, sampling=spacing)
    framed = np.pad(is_vein, 1, constant_values=True)
    for axis in (0, 1):  # the first and last row, then the first and last column
        for place in (0, -1):
            side = np.take(is_vein, place, axis)
            runs, count = ndimage.label(side)
            if not count:
                continue
            numbers = np.arange(1, count + 1)
            length = np.bincount(runs)[1:] * spacing[1 - axis]
            deepest = ndimage.maximum(np.take(within, place, axis), runs, numbers)
            along = np.isin(runs, numbers[length > _ALONG * deepest])
            outside = framed[place] if axis == 0 else framed[:, place]
            outside[1:-1] &= ~along
    distance: NDArray[np.float64] = ndimage.distance_transform_edt(framed, sampling=spacing)
    return distance[1:-1, 1:-1]


def median_width(mask: Mask, line: Binary | None = None) -> Px:
    """Measure the median width of the veins of a mask, along the centreline, which may be given.

    It is NaN where the mask holds no vein (or no vein whose border is known).
    """
    line = centreline(mask) if line is None else line
    measured = widths(mask, line)[line]
    measured = measured[np.isfinite(measured)]
    return float(np.median(measured)) if measured.size else float("nan")
