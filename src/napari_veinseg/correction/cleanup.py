"""Putting a whole mask in order: specks, holes, rough borders and stroke width."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.correction.change import Change, with_veins
from napari_veinseg.correction.lines import centreline_to_border, vein_region
from napari_veinseg.correction.vein_profile import centred, widths_along
from napari_veinseg.data.array_types import Grey, Mask, Px
from napari_veinseg.data.labels import VEIN
from napari_veinseg.measurement.skeleton import centreline, trace

_CROSS = ndimage.generate_binary_structure(2, 1)
_SQUARE = ndimage.generate_binary_structure(2, 2)
_STRENGTH = 1.5  # px, of smoothing


def drop_specks(mask: Mask, size: int) -> Change:
    """Take away connected pieces of vein of fewer px; diagonal neighbours are connected."""
    return with_veins(mask, _large(_veins(mask), size, _SQUARE))


def fill_holes(mask: Mask, size: int) -> Change:
    """Fill holes of fewer px in veins; background at the image's border is no hole."""
    veins = _veins(mask)
    holes = ndimage.binary_fill_holes(veins) & ~veins
    return with_veins(mask, veins | (holes & ~_large(holes, size, _CROSS)))


def smooth(mask: Mask) -> Change:
    """Smooth the borders of the veins without breaking a thin one."""
    veins = _veins(mask)
    blurred = ndimage.gaussian_filter(veins.astype(np.float32), _STRENGTH, mode="nearest")
    return with_veins(mask, (blurred > 0.5) | centreline(veins))


def thicken(mask: Mask) -> Change:
    """Widen the veins by one px on each side."""
    return with_veins(mask, ndimage.binary_dilation(_veins(mask), _CROSS))


def thin(mask: Mask) -> Change:
    """Narrow the veins by one px on each side, down to their centreline."""
    veins = _veins(mask)
    # The image's border is not the vein's.
    eroded = ndimage.binary_erosion(veins, _CROSS, border_value=1)
    return with_veins(mask, eroded | centreline(veins))


def redrawn_as_measured(mask: Mask, grey: Grey, vein_width: Px) -> Change:
    """Draw all veins of a mask anew, in the middle and in the width that the image shows.

    A vein that leaves the image still does; label 2 stays.
    """
    veins = _veins(mask)
    drawn = np.zeros_like(veins)
    for branch in trace(centreline_to_border(veins)).branches:
        path = centred(grey, branch.path.astype(np.float64), vein_width)
        drawn |= vein_region(drawn.shape, path, widths_along(grey, path, vein_width))
    return with_veins(mask, drawn)


def _veins(mask: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(mask) == VEIN


def _large(region: NDArray[np.bool_], size: int, structure: NDArray[np.bool_]) -> NDArray[np.bool_]:
    pieces, _ = ndimage.label(region, structure)
    is_large = np.bincount(pieces.ravel()) >= size
    is_large[0] = False
    return is_large[pieces]
