"""Threshold and smallest component of a mask, changed from the kept probability alone."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from napari.layers import Labels

from napari_veinseg.correction.merging import merged_with_edits
from napari_veinseg.segmentation.masks import mask_from_probability
from napari_veinseg.widgets.masks.layer_metadata import record_of
from napari_veinseg.widgets.masks.undo import write_pixels


class Changes(NamedTuple):
    """Pixels that differ from a mask."""

    positions: npt.NDArray[np.intp]
    values: npt.NDArray[np.uint8]


def changes_to(
    mask: npt.NDArray[Any],
    probability: npt.NDArray[np.float32],
    threshold: float,
    min_size: int,
    edited: npt.NDArray[np.bool_],
) -> Changes:
    """Find what has to change for a mask to be what the probability says around the edits."""
    if not edited.any():
        return differences(mask, mask_from_probability(probability, threshold, min_size))
    return differences(mask, merged_with_edits(mask, probability >= threshold, edited, min_size))


def differences(mask: npt.NDArray[Any], wanted: npt.NDArray[np.uint8]) -> Changes:
    """Find what has to change for a mask to become another."""
    positions = np.flatnonzero(wanted != mask)
    return Changes(positions, wanted.ravel()[positions])


def apply_changes(layer: Labels, changes: Changes, join: object | None = None) -> object | None:
    """Write changes into a mask layer, leaving out every pixel that is the user's."""
    free = ~record_of(layer).edits.edited.ravel()[changes.positions]
    where = np.unravel_index(changes.positions[free], layer.data.shape)
    return write_pixels(layer, where, changes.values[free], by_user=False, join=join)
