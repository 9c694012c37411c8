"""From grey values to the range that the network knows, by percentiles of the whole image."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.array_types import GreyArray
from napari_veinseg.data.grey import percentiles
from napari_veinseg.errors import VeinSegError

ENOUGH_SAMPLES = 10_000  # pixels: the percentiles then err by about 0.1 percentage points
CLIP = 3.0  # normalised grey value: hot pixels and reflections carry no information beyond it


@dataclass(frozen=True)
class Normaliser:
    """Linear map of grey values that sends `low` to -1 and `high` to 1."""

    low: float
    high: float
    """Both are grey values; where they are equal the image is constant."""

    @classmethod
    def from_image(
        cls, sample: NDArray[np.floating[Any]], low_percentile: float, high_percentile: float
    ) -> "Normaliser":
        """Take the range from an image or a sample of it.

        What is not finite is ignored, and the extremes stand in where the two percentiles coincide.
        """
        values = sample.ravel()
        # Every k-th pixel; a `k` without a divisor in common with usual widths samples all columns.
        thinned = values[:: max(1, values.size // ENOUGH_SAMPLES) | 1]
        thinned = thinned[np.isfinite(thinned)]
        if thinned.size:
            low, high = percentiles(thinned, low_percentile, high_percentile)
            if low < high:
                return cls(low, high)
        values = values[np.isfinite(values)]
        if not values.size:
            raise VeinSegError(
                "The image holds no finite value (only NaN or infinity): check how it was made."
            )
        return cls(float(values.min()), float(values.max()))

    @property
    def constant(self) -> bool:
        """Whether there is nothing to see."""
        return not self.low < self.high

    def __call__(self, grey: GreyArray) -> GreyArray:
        """Bring grey values to [-3, 3], -1 to 1 between the percentiles, and gaps to 0."""
        if self.constant:
            return np.zeros(grey.shape, np.float32)
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        with np.errstate(over="ignore", invalid="ignore"):  # infinities are clipped
            values: GreyArray = np.subtract(grey, np.float32(middle), dtype=np.float32)
            values /= np.float32(half)
        np.clip(values, -CLIP, CLIP, out=values)
        np.copyto(values, np.float32(0), where=np.isnan(values))
        return values
