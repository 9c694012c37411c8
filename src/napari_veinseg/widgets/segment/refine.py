"""Threshold and smallest component of a mask, changed from the kept probability alone."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from napari.layers import Labels

from napari_veinseg.segmentation.masks import mask_from_probability
from napari_veinseg.widgets.masks.records import record_of
from napari_veinseg.widgets.masks.undo import write_pixels


class Changes(NamedTuple):
    """Pixels that differ from a mask.

    Parameters
    ----------
    positions : ndarray of int
        Where they are in the flattened mask.
    values : ndarray of uint8
        Their new labels.
    """

    positions: npt.NDArray[np.intp]
    values: npt.NDArray[np.uint8]


def changes_to(
    mask: npt.NDArray[Any],
    probability: npt.NDArray[np.float32],
    threshold: float,
    min_size: int,
) -> Changes:
    """Find what has to change for a mask to be what the probability says.

    Parameters
    ----------
    mask : ndarray
        The mask as it is; only read, so this may run beside the viewer.
    probability : ndarray of float32
        Of the mask's shape.
    threshold : float
        The probability from which a pixel is vein.
    min_size : int
        The smallest component to keep, in px.

    Returns
    -------
    Changes
        The differing pixels, edited ones included.
    """
    return differences(mask, mask_from_probability(probability, threshold, min_size))


def differences(mask: npt.NDArray[Any], wanted: npt.NDArray[np.uint8]) -> Changes:
    """Find what has to change for a mask to become another.

    Parameters
    ----------
    mask : ndarray
        The mask as it is.
    wanted : ndarray of uint8
        What it is to be, of the same shape.

    Returns
    -------
    Changes
        The differing pixels, edited ones included.
    """
    positions = np.flatnonzero(wanted != mask)
    return Changes(positions, wanted.ravel()[positions])


def apply_changes(layer: Labels, changes: Changes, join: object | None = None) -> object | None:
    """Write changes into a mask layer, leaving out every pixel that is the user's.

    Parameters
    ----------
    layer : Labels
        A mask layer of the plugin.
    changes : Changes
        What differs.
    join : object or None
        The undo step that this one continues, see `undo.write_pixels`.

    Returns
    -------
    object or None
        The undo step.
    """
    free = ~record_of(layer).edits.edited.ravel()[changes.positions]
    where = np.unravel_index(changes.positions[free], layer.data.shape)
    return write_pixels(layer, where, changes.values[free], by_user=False, join=join)
