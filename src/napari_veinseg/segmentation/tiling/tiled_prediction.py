"""The forward pass over an image of any size, tile by tile, as if it were in one piece.

A tile of the answer is traced back to all that it depends on: the working pixels that it is
interpolated from, their receptive field snapped to the network's stride grid, and the image pixels
that those are made of.  Nothing is blended, and nothing depends on how the image was cut; so what
does not fit into memory is simply cut again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from napari_veinseg.data.array_types import Field
from napari_veinseg.data.grey import is_constant
from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.runtimes.runtime import OutOfMemory, Runtime
from napari_veinseg.segmentation.tiling.image_source import ImagePlane
from napari_veinseg.segmentation.tiling.normalisation import Normaliser
from napari_veinseg.segmentation.tiling.resampling import Factor, resample
from napari_veinseg.segmentation.tiling.tile_halo import Axis, Span, spans

NormalisedPlane = tuple[ImagePlane, Normaliser]
"""A plane, and the normaliser that was made of the whole of it."""

TILE_SIDE = 1280
"""Working px that a tile of a large image keeps; its halo comes on top."""

_ONE_PIECE = 1600 * 1600  # working px: up to here tiles would only repeat halos
_LARGEST_PIECE = 2**26  # px of the image, whose grey values take a quarter of a GB
_LARGEST_TILE = 4096  # px of the image, where veins are so wide that the working image is small
_SMALLEST_TILE = 64  # px of the image: below, the halo is all that costs memory


def usual_tile_side(shape: tuple[int, int], factor: Factor) -> int:
    """Choose how large tiles of planes are, in px of the image; one of usual size is one tile."""
    rows, columns = _working_shape(shape, factor)
    if rows * columns <= _ONE_PIECE and shape[0] * shape[1] <= _LARGEST_PIECE:
        return max(shape)
    return min(max(1, int(np.ceil(TILE_SIDE / factor))), _LARGEST_TILE)


def _working_shape(shape: tuple[int, int], factor: float) -> tuple[int, int]:
    rows, columns = (max(1, round(side * factor)) for side in shape)
    return rows, columns


@dataclass(frozen=True)
class Tile:
    """A part of the answer."""

    rows: slice
    columns: slice
    """Its place, in px of the image."""
    probability: Field
    """Of each plane of the batch."""


class TiledPrediction:
    """The tiles of planes of one shape `(Y, X)`, predicted one after the other.

    See `usual_tile_side` for their side.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        factor: Factor,
        predictor: Runtime,
        tile_side: int | None = None,
    ) -> None:
        tile = tile_side or usual_tile_side(shape, factor)
        self._predictor = predictor
        self._rows, self._columns = (
            Axis(side, small, predictor.geometry)
            for side, small in zip(shape, _working_shape(shape, factor), strict=True)
        )
        self._row_spans, self._column_spans = spans(self._rows, tile), spans(self._columns, tile)
        self._constants: dict[tuple[float, int, int], Field] = {}

    def __len__(self) -> int:
        return len(self._row_spans) * len(self._column_spans)

    @property
    def working_shape(self) -> tuple[int, int]:
        """Size in px that the network sees of the whole."""
        return self._rows.padded, self._columns.padded

    def tiles(self, planes: Sequence[NormalisedPlane]) -> Iterator[Tile]:
        """Predict the tiles of a batch of planes in rows from the top left."""
        for rows in self._row_spans:
            for columns in self._column_spans:
                probability = self._fitting(rows, columns, planes)
                yield Tile(slice(*rows.tile), slice(*columns.tile), probability)

    def _fitting(self, rows: Span, columns: Span, batch: Sequence[NormalisedPlane]) -> Field:
        """Predict a tile, in as many parts as memory asks for: fewer planes, smaller tiles, CPU."""
        if len(batch) * rows.length * columns.length <= self._predictor.limit:
            try:
                return self._tile(rows, columns, batch)
            except (OutOfMemory, MemoryError):
                pass
        if len(batch) > 1:
            half = len(batch) // 2
            parts = [self._fitting(rows, columns, part) for part in (batch[:half], batch[half:])]
            return np.concatenate(parts)
        if max(_side(rows), _side(columns)) > _SMALLEST_TILE:
            return np.block(
                [
                    [self._fitting(upper, left, batch) for left in self._columns.halves(columns)]
                    for upper in self._rows.halves(rows)
                ]
            )
        if self._predictor.move_to_cpu():
            return self._fitting(rows, columns, batch)
        self._predictor.limit = float("inf")  # there may be memory when this is tried again
        raise VeinSegError(
            "The memory is too small to segment this image: close other programs, or make the "
            "image smaller."
        )

    def _tile(self, rows: Span, columns: Span, batch: Sequence[NormalisedPlane]) -> Field:
        if not batch:
            return np.empty((0, _side(rows), _side(columns)), np.float32)
        parts = [
            normalise(plane.read(slice(*rows.read), slice(*columns.read)))
            for plane, normalise in batch
        ]
        if all(map(is_constant, parts)):
            seen = rows.length, columns.length
            answers = np.stack([self._constant(float(part.flat[0]), *seen) for part in parts])
        else:
            small = [resample(part, rows.shrink, columns.shrink) for part in parts]
            answers = self._predictor(np.stack(small))
        kept = answers[:, rows.kept_of_seen, columns.kept_of_seen]
        return np.stack([resample(part, rows.enlarge, columns.enlarge) for part in kept])

    def _constant(self, value: float, height: int, width: int) -> Field:
        """Answer for a constant input, computed once: empty ground costs nothing."""
        key = (value, height, width)
        if key not in self._constants:
            if len(self._constants) >= 4:
                self._constants.pop(next(iter(self._constants)))
            ground = np.full((1, height, width), value, np.float32)
            self._constants[key] = self._predictor(ground)[0]
        return self._constants[key]


def _side(span: Span) -> int:
    return span.tile[1] - span.tile[0]
