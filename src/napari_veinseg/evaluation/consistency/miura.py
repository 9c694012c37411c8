"""Miura matching: how well two vein masks overlap at their best shift."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from napari_veinseg.data.labels import VEIN
from napari_veinseg.evaluation.consistency.verification import Scores

SHIFT = 0.15
"""Share of the height and of the width by which two shots may be shifted either way."""

Pairs = NDArray[np.intp]


class Matcher:
    """Miura matching of masks of one shape, all prepared once.

    The score of two masks is their overlap over the sum of their vein areas, at the shift with the
    largest overlap: 0.5 for masks that agree, 0 for masks without common pixel or without veins.

    Parameters
    ----------
    masks : sequence of NDArray
        `(Y, X)` masks of one shape, vein where they equal 1.
    shift : float
        Largest shift as a share of height and width, in (0, 0.5).

    References
    ----------
    N. Miura, A. Nagasaka and T. Miyatake, "Feature extraction of finger-vein patterns based on
    repeated line tracking and its application to personal identification", Machine Vision and
    Applications 15, 194-203 (2004).
    """

    def __init__(self, masks: Sequence[NDArray[Any]], shift: float = SHIFT) -> None:
        veins = np.stack([mask == VEIN for mask in masks]).astype(np.float32)
        height, width = veins.shape[1:]
        rows, columns = max(1, round(shift * height)), max(1, round(shift * width))
        self._shifts = (2 * rows + 1, 2 * columns + 1)
        self._size = (fft.next_fast_len(height, real=True), fft.next_fast_len(width, real=True))
        inner = veins[:, rows : height - rows, columns : width - columns]
        self._inner_area = inner.sum(axis=(1, 2))
        self._inner = np.conj(fft.rfft2(inner, s=self._size))
        self._whole = fft.rfft2(veins, s=self._size)
        sums = np.pad(veins.cumsum(axis=1).cumsum(axis=2), ((0, 0), (1, 0), (1, 0)))
        bottom, right = inner.shape[1:]
        tall = sums[:, bottom:] - sums[:, :-bottom]
        self._window_area = tall[:, :, right:] - tall[:, :, :-right]

    def scores(self, pairs: Pairs) -> Scores:
        """Match pairs of masks.

        Parameters
        ----------
        pairs : NDArray[np.intp]
            `(n, 2)`, the numbers of two masks; the middle of the second is looked for in the first.

        Returns
        -------
        NDArray[np.float64]
            `(n,)`, in [0, 0.5].
        """
        return np.array([self._score(first, second) for first, second in pairs.tolist()])

    def _score(self, first: int, second: int) -> float:
        # The inner part never wraps around at these shifts, so that no padding is needed.
        overlap = fft.irfft2(self._whole[first] * self._inner[second], s=self._size)
        overlap = overlap[: self._shifts[0], : self._shifts[1]]
        best = np.unravel_index(int(overlap.argmax()), overlap.shape)
        area = self._window_area[first][best] + self._inner_area[second]
        return float(np.clip(overlap[best] / area, 0, 0.5)) if area else 0.0
