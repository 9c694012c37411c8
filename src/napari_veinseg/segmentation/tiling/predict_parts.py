"""The probability of an image or a stack, part by part: some slices at a time, tile after tile.

It is the mean of what the network answers when the veins are told to be of several widths.  Each
scale predicts the same tiles of the image, with a halo of its own: tiled equals whole for each of
them, and so for their mean.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from napari_veinseg.data.array_types import ProbabilityStack, Px
from napari_veinseg.errors import Cancelled
from napari_veinseg.model.card import ModelCard
from napari_veinseg.segmentation.runtimes.runtime import Runtime
from napari_veinseg.segmentation.tiling.image_source import ImageSource
from napari_veinseg.segmentation.tiling.normalisation import Normaliser
from napari_veinseg.segmentation.tiling.resampling import Factor
from napari_veinseg.segmentation.tiling.tiled_prediction import (
    NormalisedPlane,
    Tile,
    TiledPrediction,
    usual_tile_side,
)

Progress = Callable[[int, int], None]

_BATCH = 1_500_000  # working px of slices that go through the network together ...
_READ = 2**26  # ... and px of them that are read for it


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
        planes: Sequence[NormalisedPlane],
        looked: Callable[[], None] = lambda: None,
    ) -> Iterator[Tile]:
        """Predict the tiles of a batch of planes in rows from the top left.

        `looked` is called after each look.
        """
        first, *others = (scale.tiles(planes) for scale in self.scales)
        for tile in first:
            mean = tile.probability  # gathered in place: two answers are held at most
            looked()
            for other in others:
                np.add(mean, next(other).probability, out=mean)
                looked()
            if others:
                np.divide(mean, len(self.scales), out=mean)
            yield tile


def predict_parts(
    source: ImageSource,
    vein_width: Px,
    card: ModelCard,
    runtime: Runtime,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[tuple[tuple[Any, ...], ProbabilityStack]]:
    """Give each part's place and its probability; slices that show nothing have none.

    Progress is told the number of looks at tiles done and of all, of all scales; after each look
    it is asked whether to stop.
    """
    factors = [seen / vein_width for seen in card.seen_widths]
    rows, columns = source.shape[-2:]
    prediction = MultiScalePrediction((rows, columns), factors, runtime)
    batch = max(1, int(min(_BATCH / max(factors) ** 2, _READ) / (rows * columns)))
    starts = range(0, len(source), batch)
    done, total = 0, len(starts) * len(prediction)
    if progress:
        progress(0, total)

    def looked() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total)
        if cancelled and cancelled():
            raise Cancelled("The segmentation was cancelled.")

    for start in starts:
        planes = _planes(source, range(start, min(start + batch, len(source))), card)
        for tile in prediction.tiles(list(planes.values()), looked):
            if len(source.shape) == 3:
                yield (list(planes), tile.rows, tile.columns), tile.probability
            elif planes:
                yield (tile.rows, tile.columns), tile.probability[0]


def _planes(source: ImageSource, wanted: range, card: ModelCard) -> dict[int, NormalisedPlane]:
    """Read slices, by index, without those that show nothing: constant, or lost in a stack."""
    planes = {}
    for index in wanted:
        plane = source.plane(index)
        if len(source) > 1 and not np.isfinite(plane.sample).any():
            continue
        normaliser = Normaliser.from_image(plane.sample, *card.normalisation.percentiles)
        if not normaliser.constant:
            planes[index] = plane, normaliser
    return planes
