"""OME-Zarr: images that are larger than memory, as stacks of planes read part by part.

Versions 0.4 (Zarr 2) and 0.5 (Zarr 3) of the specification, https://ngff.openmicroscopy.org.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.grey import Channel
from napari_veinseg.errors import VeinSegError

_MARKS = (".zgroup", ".zarray", "zarr.json")


def is_zarr(path: Path) -> bool:
    """Tell whether a folder is a Zarr hierarchy rather than a folder of images."""
    return any((path / mark).is_file() for mark in _MARKS)


def zarr_images(path: Path) -> list[Path]:
    """List the images that bioformats2raw wrote into one Zarr file; of another the path itself."""
    import zarr

    try:
        group = zarr.open_group(path, mode="r")
        attributes = dict(group.attrs)
        attributes = attributes.get("ome", attributes)
        if "bioformats2raw.layout" not in attributes or "multiscales" in attributes:
            return [path]
        numbers = sorted((key for key in group.group_keys() if key.isdecimal()), key=int)
    except Exception:  # a damaged file raises anything at all, and is told where it is opened
        return [path]
    return [path / number for number in numbers] or [path]


def zarr_name(path: Path) -> str:
    """Name an image group: `scan` of `scan.zarr`, `scan_0` of `scan.zarr/0`."""
    parents = [path]
    while is_zarr(parents[0].parent):
        parents.insert(0, parents[0].parent)
    first, *within = parents
    return "_".join(
        [
            first.name.removesuffix(".zarr").removesuffix(".ome") if within else path.stem,
            *(each.name for each in within),
        ]
    )


@dataclass(frozen=True)
class PlaneStack:
    """A Zarr array seen as `(Y, X)` or `(N, Y, X)`, with colours last where there are any."""

    array: Any
    """Its last two axes are Y and X."""
    axes: str
    """One letter an axis, of t, c, z, y and x; times and depths become the N planes."""
    channel: int | None = None
    """Which channel to take; None takes all as colours, or is for arrays without channels."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the values."""
        return self.array.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the planes, one without N."""
        count, colours = math.prod(self.counts), tuple[int, ...]()
        if "c" in self.axes and self.channel is None:
            colours = (self.array.shape[self.axes.index("c")],)
        return (*((count,) if count > 1 else ()), *self.array.shape[-2:], *colours)

    @property
    def planes(self) -> "list[OnePlane]":
        """Every plane as something to read and write rows of."""
        return [OnePlane(self, number) for number in range(math.prod(self.counts))]

    @property
    def counts(self) -> tuple[int, ...]:
        """Times and depths, as far as there are such axes; their product is N."""
        return tuple(
            size for size, axis in zip(self.array.shape, self.axes, strict=True) if axis in "tz"
        )

    def _where(self, number: int, rows: slice, columns: slice) -> tuple[Any, ...]:
        places = iter(np.unravel_index(number, self.counts) if self.counts else ())
        every = slice(None) if self.channel is None else self.channel
        leading = (every if axis == "c" else int(next(places)) for axis in self.axes[:-2])
        return (*leading, rows, columns)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        number, rows, columns = key if len(key) == 3 else (0, *key)
        values: NDArray[Any] = np.asarray(self.array[self._where(number, rows, columns)])
        return np.moveaxis(values, 0, -1) if values.ndim == 3 else values

    def __setitem__(self, key: Any, values: NDArray[Any]) -> None:
        numbers, rows, columns = key if len(key) == 3 else ([0], *key)
        for number, plane in zip(numbers, values.reshape(-1, *values.shape[-2:]), strict=True):
            self.array[self._where(number, rows, columns)] = plane


@dataclass(frozen=True)
class OnePlane:
    """The rows of one plane."""

    stack: PlaneStack
    number: int

    @property
    def shape(self) -> tuple[int, ...]:
        """`(Y, X)`."""
        return self.stack.shape[-2:]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        return self.stack[self.number, rows, slice(None)]

    def __setitem__(self, rows: slice, values: NDArray[Any]) -> None:
        self.stack[[self.number], rows, slice(None)] = values


@dataclass(frozen=True)
class OmeZarrImage:
    """The image group of an OME-Zarr file; use `open`."""

    path: Path
    """The group."""
    version: str
    """`0.4` or `0.5`."""
    axes: list[dict[str, Any]]
    """As the file names them."""
    levels: list[Any]
    """The finest first."""
    transforms: list[list[dict[str, Any]]]
    """Coordinate transformations of each level."""
    common: list[dict[str, Any]]
    """Coordinate transformations of all levels."""

    @classmethod
    def open(cls, path: str | Path) -> "OmeZarrImage":
        """Open an image group for reading, of which nothing but metadata is read.

        Raise VeinSegError if it is no such group, or one of axes that are no image.
        """
        import zarr

        path = Path(path)
        try:
            group = zarr.open_group(path, mode="r")
            attributes = dict(group.attrs)
            version = "0.5" if "ome" in attributes else "0.4"
            multiscale = attributes.get("ome", attributes)["multiscales"][0]
            datasets = multiscale["datasets"]
            image = cls(
                path,
                version,
                [dict(axis) for axis in multiscale["axes"]],
                [group[each["path"]] for each in datasets],
                [each.get("coordinateTransformations", []) for each in datasets],
                multiscale.get("coordinateTransformations", []),
            )
            sound = all(len(image.names) == level.ndim for level in image.levels)
        except Exception as error:  # a damaged file raises anything at all
            raise VeinSegError(
                f"{path} is no OME-Zarr image of version 0.4 or 0.5: give the group that holds its "
                "multiscales."
            ) from error
        if not sound or image.names[-2:] != "yx" or not set(image.names[:-2]) <= set("tcz"):
            raise VeinSegError(
                f"{path} has axes {image.names}: those of an image are t, c, z, y, x."
            )
        return image

    @property
    def names(self) -> str:
        """One letter an axis."""
        return "".join(axis["name"].lower() for axis in self.axes)

    def planes(self, channel: Channel = "auto") -> PlaneStack:
        """See the finest level as planes; three or four channels are colours if none is chosen.

        Raise VeinSegError if there are several channels that are no colours, and none is chosen.
        """
        array = self.levels[0]
        count = array.shape[self.names.index("c")] if "c" in self.names else 0
        if count in (0, 1):
            return PlaneStack(array, self.names, 0 if count else None)
        if isinstance(channel, int) and 0 <= channel < count:
            return PlaneStack(array, self.names, channel)
        if isinstance(channel, int) or count not in (3, 4):
            raise VeinSegError(
                f"{self.path} has {count} channels: choose one by its number, 0 to {count - 1}."
            )
        return PlaneStack(array, self.names)
