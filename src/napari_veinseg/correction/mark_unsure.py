"""Label 2: what a person leaves open, so that a partly corrected image can be trained on."""

from collections.abc import Iterable
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.correction.change import Change, painted
from napari_veinseg.data.array_types import Binary, Mask, Points, Px
from napari_veinseg.data.labels import UNSURE

Corners = Annotated[Points, "two opposite corners of a rectangle"]


def unsure_box(mask: Mask, corners: Corners) -> Change:
    """Make a rectangle unsure; what lies outside the image is cut off."""
    return painted(mask, _within(np.shape(mask), corners), UNSURE)


def all_but_boxes_unsure(mask: Mask, boxes: Iterable[Corners]) -> Change:
    """Make unsure all that lies outside the rectangles that somebody has reviewed."""
    reviewed = np.zeros(np.shape(mask), np.bool_)
    for corners in boxes:
        reviewed |= _within(np.shape(mask), corners)
    return painted(mask, ~reviewed, UNSURE)


def rest_unsure(mask: Mask, edited: Binary, reach: Px) -> Change:
    """Make unsure what lies farther than `reach` from what a person has edited.

    Whoever traces a vein has seen what lies beside it: without that background a model would
    learn from veins alone.
    """
    if not edited.any():
        return painted(mask, np.ones(np.shape(mask), np.bool_), UNSURE)
    return painted(mask, ndimage.distance_transform_edt(~edited) > reach, UNSURE)


def _within(shape: tuple[int, ...], corners: NDArray[np.float64]) -> NDArray[np.bool_]:
    low = np.maximum(np.ceil(corners.min(axis=0) - 0.5), 0).astype(int)
    high = np.maximum(np.floor(corners.max(axis=0) + 0.5) + 1, 0).astype(int)
    box = np.zeros(shape, np.bool_)
    box[low[0] : high[0], low[1] : high[1]] = True
    return box
