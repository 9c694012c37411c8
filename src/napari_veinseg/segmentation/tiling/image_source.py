"""Grey pixels of any image: in memory, memory-mapped, Dask or zarr, read part by part."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.array_types import Binary, Field
from napari_veinseg.data.grey import Channel, Shares, colour_shares, grey_offset, is_colour, to_grey
from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.receptive_field import SMALLEST_SIDE
from napari_veinseg.segmentation.region import Region, Window

WHOLE = 16 * 2**20
"""Pixels; a larger plane is never read whole."""
_SAMPLE_SIDE, _SAMPLES = 64, 20  # px, along each axis: 1.6 million pixels of a large plane
_CROP_SIDE = 1536  # px: enough to see veins of 100 px


@dataclass(frozen=True)
class ImagePlane:
    """One slice of an image as grey values in which veins are dark."""

    shape: tuple[int, int]
    """`(Y, X)`."""
    read: Callable[[slice, slice], Field]
    """Takes a row slice and a column slice with numbers, returns `float32` grey values."""

    @cached_property
    def sample(self) -> Field:
        """All grey values, or those of blocks spread over a large plane."""
        if self.shape[0] * self.shape[1] <= WHOLE:
            return self.read(slice(0, self.shape[0]), slice(0, self.shape[1]))
        return np.concatenate([block.ravel() for block in self._blocks(_SAMPLE_SIDE, _SAMPLES)])

    def crops(self) -> Iterator[Field]:
        """Give parts large enough to see veins: the plane, or four crops of a large one."""
        if self.shape[0] * self.shape[1] <= WHOLE:
            yield self.sample
        else:
            yield from self._blocks(_CROP_SIDE, 2)

    def _blocks(self, side: int, count: int) -> Iterator[Field]:
        return (self.read(*place) for place in _spread(self.shape, side, count))


class ImageSource:
    """An image of any accepted kind as a sequence of planes.

    `(Y, X)`, `(N, Y, X)`, or either with 3 or 4 colours as the last axis; anything that is sliced
    like a NumPy array is read part by part.  Of a region the smallest rectangle around it is seen.

    Raise VeinSegError if shape or type cannot be segmented, or too little of the region lies in the
    image.
    """

    def __init__(
        self,
        image: Any,
        channel: Channel = "auto",
        invert: bool = False,
        region: Region | None = None,
    ) -> None:
        if not hasattr(image, "shape") or not hasattr(image, "dtype"):
            image = np.asarray(image)
        self._image, self._channel, self._invert = image, channel, invert
        colour = is_colour(image.shape)
        if len(image.shape) - colour not in (2, 3) or 0 in image.shape:
            # Raises the sentence; an empty array of that shape may be larger than the memory.
            to_grey(np.broadcast_to(np.empty((), image.dtype), image.shape))
        self.whole_shape: tuple[int, ...] = tuple(image.shape[:-1] if colour else image.shape)
        """Of the image, without colours."""
        height, width = self.whole_shape[-2:]
        if min(height, width) < SMALLEST_SIDE:
            raise VeinSegError(
                f"An image of {height} x {width} px is too small to show veins: give at least "
                f"{SMALLEST_SIDE} x {SMALLEST_SIDE} px."
            )
        whole = slice(0, height), slice(0, width)
        rows, columns = region.window(self.whole_shape) if region else whole
        self._region, self._origin = region, (rows.start, columns.start)
        self.shape = (*self.whole_shape[:-2], rows.stop - rows.start, columns.stop - columns.start)
        """Of what is seen of it."""

    def __len__(self) -> int:
        return self.shape[0] if len(self.shape) == 3 else 1

    def plane(self, index: int) -> ImagePlane:
        """Return one slice; a small one is read at once, and an image without slices only once."""
        return self._slice(index) if len(self.shape) == 3 else self._only

    @cached_property
    def _only(self) -> ImagePlane:
        return self._slice(0)

    def _slice(self, index: int) -> ImagePlane:
        height, width = self.shape[-2:]
        is_large = height * width > WHOLE
        channel: Channel | Shares = self._channel
        stored = self._image.shape
        if is_large and channel == "auto" and is_colour(stored) and stored[-1] > 2:
            # Decided by some pixels, as it is decided by all of a smaller slice.
            channel = colour_shares(self._some(index))
        offset = self._offset(index)

        def read(rows: slice, columns: slice) -> Field:
            return self._grey(self._stored(index, rows, columns), channel, offset)

        if is_large:
            return ImagePlane((height, width), read)
        grey = read(slice(0, height), slice(0, width))
        return ImagePlane((height, width), lambda rows, columns: grey[rows, columns])

    def _offset(self, index: int) -> float:
        """See `data.grey.grey_offset`, of blocks spread over the slice."""
        if np.dtype(self._image.dtype).itemsize < 4 or self._image.dtype == np.float32:
            return 0.0
        return grey_offset(self._some(index))

    def _some(self, index: int) -> NDArray[Any]:
        """Pixels of blocks spread over the slice, colours as the last axis."""
        places = _spread(self.shape[-2:], _SAMPLE_SIDE, 5)
        blocks = [self._stored(index, *place) for place in places]
        colours = blocks[0].shape[2:]
        return np.concatenate([block.reshape(-1, *colours) for block in blocks])

    def _stored(self, index: int, rows: slice, columns: slice) -> NDArray[Any]:
        where = (index, rows, columns) if len(self.shape) == 3 else (rows, columns)
        return np.asarray(self._image[self.place_in_whole(where)])

    def _grey(self, stored: NDArray[Any], channel: Channel | Shares, offset: float) -> Field:
        with np.errstate(over="ignore"):  # beyond float32 is infinite, and treated as such
            return to_grey(stored, channel, self._invert, offset)

    def place_in_whole(self, where: tuple[Any, ...]) -> tuple[Any, ...]:
        """Tell where a part of what is seen lies in the image.

        Its place ends with a row slice and a column slice.
        """
        places = zip(where[-2:], self._origin, strict=True)
        return (*where[:-2], *(slice(part.start + at, part.stop + at) for part, at in places))

    def inside(self, where: tuple[Any, ...]) -> Binary | None:
        """Tell which pixels of a part belong to the region; None where there is no region."""
        return self._region.inside(*self.place_in_whole(where)[-2:]) if self._region else None


def _spread(shape: tuple[int, ...], side: int, count: int) -> Iterator[Window]:
    """Give the places of blocks in a regular grid."""
    rows, columns = (
        [slice(start, min(start + side, length)) for start in spread_starts(length, side, count)]
        for length in shape
    )
    return product(rows, columns)


def spread_starts(length: int, side: int, count: int) -> list[int]:
    """Tell where stretches of a side begin that are spread evenly, half a gap from both ends."""
    places = np.linspace(0, max(0, length - side), 2 * count + 1)
    return np.unique(places.astype(int)[1::2]).tolist()
