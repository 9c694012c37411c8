"""What a model marks, merged with what a person decided: no rims around it, no crumbs beside it."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.data.array_types import MaskStack
from napari_veinseg.data.labels import BACKGROUND, VEIN

_TOUCHING = np.ones((3, 3), np.uint8)
Region = Annotated[NDArray[np.bool_], "of the mask's shape"]


def merged_with_edits(
    mask: MaskStack, model_veins: Region, edited: Region, min_size: int = 0
) -> MaskStack:
    """Take a model's veins into a mask or a stack, around the pixels that are a person's.

    A person's pixels keep their labels.  What would follow from the pixels alone, and is no one's
    wish, is left out: the rim of a removed vein, when a lower threshold marks it wider than it
    was, and small parts, of fewer px, that are left over, so that these are dropped last.  The
    merged mask is the same whatever thresholds came before.
    """
    shape = np.shape(mask)[-2:]
    planes = [np.asarray(each).reshape(-1, *shape) for each in (mask, model_veins, edited)]
    merged = [
        _merged(plane, veins, decided, min_size)
        for plane, veins, decided in zip(*planes, strict=True)
    ]
    return np.stack(merged).reshape(np.shape(mask))


def _merged(
    mask: MaskStack, model_veins: Region, edited: Region, min_size: int
) -> NDArray[np.uint8]:
    veins = model_veins.copy()
    if edited.any():
        half = max(round(_typical_width(model_veins) / 2), 1)
        veins &= ~_rims(veins & ~edited, edited & (mask != VEIN), half)
    merged = np.where(edited, mask, np.where(veins, VEIN, BACKGROUND)).astype(np.uint8)
    if min_size > 1:
        pieces, count = ndimage.label(merged == VEIN, _TOUCHING)
        small = np.bincount(pieces.ravel(), minlength=count + 1) < min_size
        small[np.unique(pieces[edited])] = False
        small[0] = False
        merged[small[pieces]] = BACKGROUND
    return merged


def _typical_width(veins: Region) -> float:
    """Estimate it quickly: a long stripe's area is half its border times its width."""
    inner = ndimage.minimum_filter(veins, 3, mode="nearest")
    border = np.count_nonzero(veins & ~inner)
    return 2 * np.count_nonzero(veins) / border if border else 1.0


def _rims(veins: Region, refused: Region, half: int) -> Region:
    """Find what lies beside refused pixels and is thinner than half a vein."""
    if not refused.any():
        return refused
    beside = ndimage.maximum_filter(refused, 2 * half + 1)
    size = half // 2 * 2 + 1 if half > 1 else 3
    thick = ndimage.minimum_filter(veins, size, mode="nearest")
    thick = ndimage.maximum_filter(thick, size, mode="nearest")
    return veins & beside & ~thick
