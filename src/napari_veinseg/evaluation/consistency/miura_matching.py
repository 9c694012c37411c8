"""Miura matching: how well two vein masks overlap at their best shift."""

from collections.abc import Sequence

import numpy as np
from scipy import fft

from napari_veinseg.data.array_types import Mask, Share
from napari_veinseg.data.labels import VEIN
from napari_veinseg.evaluation.consistency.equal_error_rate import Scores
from napari_veinseg.evaluation.consistency.pairs import Pairs

SHIFT = 0.15
"""Share of the height and of the width by which two shots may be shifted either way."""


class Matcher:
    """Miura matching of masks, all prepared once.

    The score of two masks is their overlap over the sum of their vein areas, at the shift, of at
    most that share of height and width, with the largest overlap: 0.5 for masks that agree, 0 for
    masks without common pixel or without veins.  Masks of several sizes are laid on each other by
    their middles, at their own scale; there are no veins beyond a mask's border.

    References
    ----------
    N. Miura, A. Nagasaka and T. Miyatake, "Feature extraction of finger-vein patterns based on
    repeated line tracking and its application to personal identification", Machine Vision and
    Applications 15, 194-203 (2004).
    """

    def __init__(self, masks: Sequence[Mask], shift: Share = SHIFT) -> None:
        height, width = np.max([mask.shape for mask in masks], axis=0).tolist()
        veins = np.zeros((len(masks), height, width), np.float32)
        inner = np.zeros_like(veins)
        self._reach, self._inner_box = [], []
        for mask, whole, middle in zip(masks, veins, inner, strict=True):
            top, left = (height - mask.shape[0]) // 2, (width - mask.shape[1]) // 2
            whole[top : top + mask.shape[0], left : left + mask.shape[1]] = mask == VEIN
            rows, columns = (max(1, round(shift * side)) for side in mask.shape)
            bottom, right = top + mask.shape[0] - rows, left + mask.shape[1] - columns
            box = (top + rows, bottom, left + columns, right)
            place = (slice(*box[:2]), slice(*box[2:]))
            middle[place] = whole[place]
            self._reach.append((rows, columns))
            self._inner_box.append(box)
        # No shift carries the middle of a mask beyond the canvas, so that nothing wraps around.
        self._size = (fft.next_fast_len(height, real=True), fft.next_fast_len(width, real=True))
        self._inner_area = inner.sum(axis=(1, 2))
        self._inner = np.conj(fft.rfft2(inner, s=self._size))
        self._whole = fft.rfft2(veins, s=self._size)
        self._sums = np.pad(veins.cumsum(axis=1).cumsum(axis=2), ((0, 0), (1, 0), (1, 0)))

    def scores(self, pairs: Pairs) -> Scores:
        """Match pairs of masks: the middle of the second is looked for in the first.

        Scores lie in [0, 0.5].
        """
        return np.array([self._score(first, second) for first, second in pairs.tolist()])

    def _score(self, first: int, second: int) -> float:
        rows, columns = self._reach[second]
        overlap = fft.irfft2(self._whole[first] * self._inner[second], s=self._size)
        # Shifts to the left and upwards stand at the far end of the transform.
        overlap = np.roll(overlap, (rows, columns), axis=(0, 1))[: 2 * rows + 1, : 2 * columns + 1]
        best = np.unravel_index(int(overlap.argmax()), overlap.shape)
        area = self._area(first, second, int(best[0]) - rows, int(best[1]) - columns)
        area += float(self._inner_area[second])
        return float(np.clip(overlap[best] / area, 0, 0.5)) if area else 0.0

    def _area(self, first: int, second: int, down: int, right: int) -> float:
        """Count the vein of the first mask in the window in which the second's middle lies."""
        top, bottom, left, end = self._inner_box[second]
        sums = self._sums[first]
        rows, columns = (top + down, bottom + down), (left + right, end + right)
        return float(
            sums[rows[1], columns[1]]
            - sums[rows[0], columns[1]]
            - sums[rows[1], columns[0]]
            + sums[rows[0], columns[0]]
        )
