"""The pixels that one edit changes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.array_types import Binary, Mask
from napari_veinseg.data.labels import BACKGROUND, VEIN


@dataclass(frozen=True)
class Change:
    """What an edit writes into a `(Y, X)` mask: nothing is written by making one.

    Every tool returns one of these, so that a caller can write it as a single undo step.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    """`(n,)` both, the pixels; each is changed, none is named twice."""
    values: NDArray[Any]
    """`(n,)`, the new labels (0 background, 1 vein, 2 unsure, or others that the mask holds)."""

    def __len__(self) -> int:
        return len(self.rows)

    def applied_to(self, mask: Mask) -> Mask:
        """Return a changed copy of a mask."""
        changed = np.array(mask)
        changed[self.rows, self.columns] = self.values
        return changed


def between(before: Mask, after: Mask) -> Change:
    """Name the pixels in which two masks differ."""
    rows, columns = np.nonzero(np.asarray(before) != np.asarray(after))
    return Change(rows, columns, np.asarray(after)[rows, columns])


def with_veins(mask: Mask, veins: Binary) -> Change:
    """Put veins in the place of those of a mask; what is neither vein nor background stays."""
    decided = (np.asarray(mask) == VEIN) | (np.asarray(mask) == BACKGROUND)
    return between(mask, np.where(decided, veins, mask))


def painted(mask: Mask, where: Binary, label: int) -> Change:
    """Give a label to a region."""
    rows, columns = np.nonzero(where & (np.asarray(mask) != label))
    return Change(rows, columns, np.full(len(rows), label, np.uint8))


def disk_union(shape: tuple[int, int], centres: Iterable[Any], radii: Any) -> Binary:
    """Cover the pixels of a plane `(Y, X)` whose middle lies in a disk, as a round brush does.

    Neighbouring centres, (row, column), should be less than a pixel apart for a line without
    notches; radii in px are one, or one a disk.
    """
    covered = np.zeros(shape, np.bool_)
    points = np.asarray(centres, np.float64).reshape(-1, 2)
    reach = np.broadcast_to(np.asarray(radii, np.float64), (len(points),))
    # Distances to all points at once would need a plane a point: take a few dozen at a time, in
    # the box that they reach.
    for first in range(0, len(points), 32):
        some, radius = points[first : first + 32], reach[first : first + 32]
        low = np.maximum(np.floor(some.min(axis=0) - radius.max()), 0).astype(int)
        high = np.minimum(np.ceil(some.max(axis=0) + radius.max()) + 1, shape).astype(int)
        if (low >= high).any():
            continue
        rows = np.arange(low[0], high[0])[None, :, None] - some[:, 0, None, None]
        columns = np.arange(low[1], high[1])[None, None, :] - some[:, 1, None, None]
        inside = (rows**2 + columns**2 <= radius[:, None, None] ** 2).any(axis=0)
        covered[low[0] : high[0], low[1] : high[1]] |= inside
    return covered
