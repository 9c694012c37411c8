"""Label images: each piece has a number of its own, where a mask says vein or unsure."""

import numpy as np
from skimage.measure import label

from napari_veinseg.data.array_types import AnyImage


def numbered_pieces(values: AnyImage) -> int:
    """Count the pieces of a label image, 0 where it is none.

    Programs that number what they find give each connected piece the next number: the values are
    0 (somewhere), 1, 2 and so on, two or more, each in one piece that touches no other.
    """
    if values.dtype.kind not in "ui" or values.min(initial=0) < 0 or _some_touch(values):
        return 0
    numbers = np.unique(values)
    count = len(numbers) - 1
    if count < 2 or not np.array_equal(numbers, np.arange(count + 1)):
        return 0
    pieces = label(values, background=0, connectivity=values.ndim)
    return count if pieces.max() == count else 0


def _some_touch(values: AnyImage) -> bool:
    """Whether pieces of different values share an edge of pixels, as in every photograph."""
    for axis in range(values.ndim):
        lines = np.moveaxis(values, axis, 0)
        one, next_one = lines[:-1], lines[1:]
        if ((one != next_one) & (one != 0) & (next_one != 0)).any():
            return True
    return False
