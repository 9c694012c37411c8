"""From the image's own pixels to the working scale, and back.

Everything here is a function of the *whole* image's grid, evaluated on any part of it, so that a
tile gets exactly the pixels that it would get within the whole.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

import numpy as np
from scipy import sparse

from napari_veinseg.data.array_types import Field

Factor = Annotated[float, "working px per image px"]


@dataclass(frozen=True)
class Resampling:
    """Change of the number of pixels along one axis, by linear interpolation.

    When there get fewer pixels the interpolating triangle widens with them (antialiasing).
    """

    source: int
    target: int
    """Pixels along the axis before and after; both grids span the same length."""

    def needs(self, start: int, stop: int) -> tuple[int, int]:
        """Return which source pixels, half open, some target pixels are made of.

        Target pixels at or beyond `target` repeat the last one.
        """
        last = min(stop, self.target) - 1
        first = int(np.floor(self._centre(min(start, last)) - self._reach))
        end = int(np.ceil(self._centre(last) + self._reach)) + 1
        return max(0, min(first, self.source - 1)), min(self.source, max(end, 1))

    def matrix(self, start: int, stop: int) -> "sparse.csr_array[Any]":
        """Return the weights of the source pixels `needs(start, stop)` in some target pixels.

        It is sparse, `(stop - start, number of source pixels)` of float32; each row sums to one.
        """
        return _weights(self, start, stop)

    @property
    def _reach(self) -> float:
        return max(1.0, self.source / self.target)

    def _centre(self, target: Any) -> Any:
        return (target + 0.5) * (self.source / self.target) - 0.5


@lru_cache(maxsize=256)
def _weights(axis: Resampling, start: int, stop: int) -> "sparse.csr_array[Any]":
    first, end = axis.needs(start, stop)
    centres = axis._centre(np.minimum(np.arange(start, stop), axis.target - 1))[:, None]
    taps = np.arange(int(2 * axis._reach) + 2)
    pixels = np.floor(centres - axis._reach).astype(int) + taps
    weights = np.maximum(0, 1 - np.abs(pixels - centres) / axis._reach)
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.broadcast_to(np.arange(stop - start)[:, None], pixels.shape)
    columns = np.clip(pixels, first, end - 1) - first  # beyond the image its border goes on
    entries = (weights.astype(np.float32).ravel(), (rows.ravel(), columns.ravel()))
    matrix = sparse.csr_array(entries, shape=(stop - start, end - first))
    matrix.eliminate_zeros()
    return matrix


def resample(
    image: Field, rows: "sparse.csr_array[Any]", columns: "sparse.csr_array[Any]"
) -> Field:
    """Resample the part of an image that `Resampling.matrix` of rows and columns needs."""
    return (columns @ (rows @ image).T).T
