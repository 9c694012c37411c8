"""The mean of what a network answers when the veins are told to be of several widths.

Each scale predicts the same tiles of the image, with a halo of its own: tiled equals whole for each
of them, and so for their mean.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from napari_veinseg.segmentation.runtimes.runtime import Runtime
from napari_veinseg.segmentation.tiling.image_source import ImagePlane
from napari_veinseg.segmentation.tiling.normalisation import Normaliser
from napari_veinseg.segmentation.tiling.resampling import Factor
from napari_veinseg.segmentation.tiling.tiled_prediction import (
    Tile,
    TiledPrediction,
    usual_tile_side,
)


class MultiScalePrediction:
    """The tiles of planes of one shape `(Y, X)`, each looked at at every scale before the next one.

    A tile has by default the side that suits the finest scale.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        factors: Sequence[Factor],
        predictor: Runtime,
        tile_side: int | None = None,
    ) -> None:
        side = tile_side or usual_tile_side(shape, max(factors))
        self.scales = [TiledPrediction(shape, factor, predictor, side) for factor in factors]
        """One a factor."""

    def __len__(self) -> int:
        """Count the looks: each tile at each scale."""
        return sum(map(len, self.scales))

    def tiles(
        self,
        planes: Sequence[ImagePlane],
        normalisers: Sequence[Normaliser],
        looked: Callable[[], None] = lambda: None,
    ) -> Iterator[Tile]:
        """Predict the tiles of a batch of planes in rows from the top left.

        Each plane comes with a normaliser from the whole of it; `looked` is called after each look.
        """
        first, *others = (scale.tiles(planes, normalisers) for scale in self.scales)
        for tile in first:
            mean = tile.probability  # gathered in place: two answers are held at most
            looked()
            for other in others:
                np.add(mean, next(other).probability, out=mean)
                looked()
            if others:
                np.divide(mean, len(self.scales), out=mean)
            yield tile
