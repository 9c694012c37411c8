"""The forward pass over an image of any size, tile by tile, as if it were in one piece.

A tile of the answer is traced back to all that it depends on: the working pixels that it is
interpolated from, their receptive field snapped to the network's stride grid, and the image pixels
that those are made of.  Nothing is blended, and nothing depends on how the image was cut.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from napari_veinseg.model.network import SegmentationNetwork, fold_batch_norm
from napari_veinseg.segmentation.source import Plane
from napari_veinseg.segmentation.transforms import Normaliser, Resampling, resample

if TYPE_CHECKING:
    from scipy import sparse

Image = NDArray[np.float32]
TILE_SIDE = 1280
"""Working px that a tile of a large image keeps; its halo comes on top."""
_ONE_PIECE = 1600 * 1600  # working px: up to here tiles would only repeat halos


class Predictor:
    """A network made ready to predict: folded, channels last, on its device.

    Parameters
    ----------
    network : SegmentationNetwork
        Copied; it is not changed, nor are later changes to it followed.
    device : torch.device or str
        Where to compute; mixed precision on CUDA.
    """

    def __init__(self, network: SegmentationNetwork, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self.in_channels = network.in_channels
        self.total_stride = network.total_stride
        self.receptive_radius = network.receptive_radius
        self.padded_side = network.padded_side
        core = fold_batch_norm(copy.deepcopy(network.core).cpu().eval()).requires_grad_(False)
        self.core = core.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __call__(self, images: Image) -> Image:
        """Return the vein probability of normalised images.

        Parameters
        ----------
        images : ndarray of float32, shape (N, Y, X)
            Sides are multiples of the total stride.

        Returns
        -------
        ndarray of float32, shape (N, Y, X)
            In [0, 1].
        """
        batch = torch.from_numpy(images)[:, None].to(self.device)
        batch = batch.expand(-1, self.in_channels, -1, -1)
        mixed = self.device.type == "cuda"
        with torch.inference_mode(), torch.autocast(self.device.type, torch.float16, enabled=mixed):
            logits = self.core(batch.contiguous(memory_format=torch.channels_last))
            probability: Image = torch.sigmoid(logits[:, 0].float()).cpu().numpy()
        return probability


@dataclass(frozen=True)
class _Span:
    """Along one axis: a tile of the answer, and all that it depends on (half open)."""

    tile: tuple[int, int]  # image px
    kept: tuple[int, int]  # working px that the tile is interpolated from
    seen: tuple[int, int]  # working px that the core sees, on the stride grid
    read: tuple[int, int]  # image px that those are made of
    shrink: "sparse.csr_array[np.float32]"  # read -> seen
    enlarge: "sparse.csr_array[np.float32]"  # kept -> tile


@dataclass(frozen=True)
class _Axis:
    """Along one axis: image px to working px and back, and what the network needs around."""

    side: int
    working: int
    padded: int
    stride: int
    radius: int

    def span(self, start: int, stop: int) -> _Span:
        shrink, enlarge = Resampling(self.side, self.working), Resampling(self.working, self.side)
        kept = enlarge.needs(start, stop)
        seen = (
            max(0, (kept[0] - self.radius) // self.stride * self.stride),
            min(self.padded, -(-(kept[1] + self.radius) // self.stride) * self.stride),
        )
        return _Span(
            (start, stop), kept, seen, shrink.needs(*seen),
            shrink.matrix(*seen), enlarge.matrix(start, stop),
        )  # fmt: skip

    def spans(self, tile: int) -> list[_Span]:
        return [
            self.span(start, min(start + tile, self.side)) for start in range(0, self.side, tile)
        ]


@dataclass(frozen=True)
class Tile:
    """A part of the answer.

    Parameters
    ----------
    rows, columns : slice
        Its place, in px of the image.
    probability : ndarray of float32, shape (N, Y, X)
        Of each plane of the batch.
    """

    rows: slice
    columns: slice
    probability: Image


class TiledPrediction:
    """The tiles of planes of one shape, predicted one after the other.

    Parameters
    ----------
    shape : tuple of int
        `(Y, X)` of the planes.
    factor : float
        Working px per image px.
    predictor : Predictor
        The network.
    tile_side : int, optional
        Working px that a tile keeps; by default an image of usual size is one tile.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        factor: float,
        predictor: Predictor,
        tile_side: int | None = None,
    ) -> None:
        stride, radius = predictor.total_stride, predictor.receptive_radius
        working = [max(1, round(side * factor)) for side in shape]
        if tile_side is None:
            one_piece = working[0] * working[1] <= _ONE_PIECE
            tile_side = max(working) if one_piece else TILE_SIDE
        tile = max(1, int(np.ceil(tile_side / factor)))
        self._predictor = predictor
        self._rows, self._columns = (
            _Axis(side, small, predictor.padded_side(small), stride, radius).spans(tile)
            for side, small in zip(shape, working, strict=True)
        )
        self._constants: dict[tuple[float, tuple[int, int]], Image] = {}

    def __len__(self) -> int:
        return len(self._rows) * len(self._columns)

    def tiles(self, planes: Sequence[Plane], normalisers: Sequence[Normaliser]) -> Iterator[Tile]:
        """Predict tile after tile.

        Parameters
        ----------
        planes : sequence of Plane
            A batch, all of the shape given above.
        normalisers : sequence of Normaliser
            One a plane, from the whole of it.

        Yields
        ------
        Tile
            In rows from the top left.
        """
        for rows in self._rows:
            for columns in self._columns:
                probability = self._tile(rows, columns, planes, normalisers)
                yield Tile(slice(*rows.tile), slice(*columns.tile), probability)

    def _tile(
        self,
        rows: _Span,
        columns: _Span,
        planes: Sequence[Plane],
        normalisers: Sequence[Normaliser],
    ) -> Image:
        parts = [
            normalise(plane.read(slice(*rows.read), slice(*columns.read)))
            for plane, normalise in zip(planes, normalisers, strict=True)
        ]
        if not parts:
            shape = (0, rows.enlarge.shape[0], columns.enlarge.shape[0])
            return np.empty(shape, np.float32)
        if all(part.min() == part.max() for part in parts):
            seen = (rows.seen[1] - rows.seen[0], columns.seen[1] - columns.seen[0])
            answers = np.stack([self._constant(float(part.flat[0]), seen) for part in parts])
        else:
            small = [resample(part, rows.shrink, columns.shrink) for part in parts]
            answers = self._predictor(np.stack(small))
        kept = answers[
            :,
            rows.kept[0] - rows.seen[0] : rows.kept[1] - rows.seen[0],
            columns.kept[0] - columns.seen[0] : columns.kept[1] - columns.seen[0],
        ]
        return np.stack([resample(part, rows.enlarge, columns.enlarge) for part in kept])

    def _constant(self, value: float, shape: tuple[int, int]) -> Image:
        """Answer for a constant input, computed once: empty ground costs nothing."""
        key = (value, shape)
        if key not in self._constants:
            if len(self._constants) >= 4:
                self._constants.pop(next(iter(self._constants)))
            self._constants[key] = self._predictor(np.full((1, *shape), value, np.float32))[0]
        return self._constants[key]
