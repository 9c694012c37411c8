"""OME-Zarr labels: an image group of their own that lies on an image, written block by block."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.ome_zarr import OmeZarrImage, OnePlane, PlaneStack
from napari_veinseg.files import atomic_folder

_CHUNK = 1024  # px of a side
_STRIP = 8_000_000  # px that are held at a time
_ORANGE = [255, 140, 0, 255]


@contextmanager
def new_labels(target: Path, image: OmeZarrImage) -> Iterator[PlaneStack]:
    """Make a group of labels, all background, that lies on an image, whole or not at all.

    The block fills the finest level; the others are drawn from it when the block ends.
    """
    import zarr

    kept = [place for place, name in enumerate(image.names) if name != "c"]
    names = "".join(image.names[place] for place in kept)
    with atomic_folder(target) as folder:
        modern = image.version == "0.5"
        group = zarr.open_group(folder, mode="w", zarr_format=3 if modern else 2)
        stacks = []
        for number, level in enumerate(image.levels):
            shape = tuple(level.shape[place] for place in kept)
            chunks = (*[1] * (len(shape) - 2), *(min(_CHUNK, side) for side in shape[-2:]))
            array = group.create_array(
                str(number),
                shape=shape,
                chunks=chunks,
                dtype="uint8",
                fill_value=0,
                chunk_key_encoding={"name": "default" if modern else "v2", "separator": "/"},
                dimension_names=tuple(names) if modern else None,
            )
            stacks.append(PlaneStack(array, names))
        yield stacks[0]
        for coarse in stacks[1:]:
            _sample(stacks[0], coarse)
        group.attrs.update(_metadata(image, kept))


def strips(plane: OnePlane) -> Iterator[slice]:
    """Cut a plane into rows that fit into memory."""
    height = max(1, _STRIP // plane.shape[1])
    for top in range(0, len(plane), height):
        yield slice(top, min(top + height, len(plane)))


def _sample(fine: PlaneStack, coarse: PlaneStack) -> None:
    """Take the nearest label: a mean of labels is none."""
    counts = [stack.counts for stack in (fine, coarse)]
    rows, columns = (
        _nearest(*sides) for sides in zip(fine.shape[-2:], coarse.shape[-2:], strict=True)
    )
    height = max(1, _STRIP * coarse.shape[-2] // (fine.shape[-1] * fine.shape[-2]))
    for plane in coarse.planes:
        place = np.unravel_index(plane.number, counts[1]) if counts[1] else ()
        nearest = [int(_nearest(*each)[at]) for *each, at in zip(*counts, place, strict=True)]
        number = int(np.ravel_multi_index(nearest, counts[0])) if nearest else 0
        for top in range(0, len(plane), height):
            wanted = rows[top : top + height]
            block = fine[number, slice(wanted[0], wanted[-1] + 1), slice(None)]
            plane[slice(top, top + len(wanted))] = block[wanted - wanted[0]][:, columns]


def _nearest(fine: int, coarse: int) -> NDArray[np.intp]:
    return ((np.arange(coarse) + 0.5) * fine / coarse).astype(np.intp)


def _metadata(image: OmeZarrImage, kept: Sequence[int]) -> dict[str, Any]:
    multiscale = {
        "name": "veins",
        "axes": [image.axes[place] for place in kept],
        "datasets": [
            {"path": str(number), "coordinateTransformations": _without_channel(each, kept)}
            for number, each in enumerate(image.transforms)
        ],
    }
    if image.common:
        multiscale["coordinateTransformations"] = _without_channel(image.common, kept)
    label = {
        "colors": [{"label-value": 1, "rgba": _ORANGE}],
        "properties": [{"label-value": 1, "class": "vein"}],
    }
    if image.version == "0.5":
        return {"ome": {"version": "0.5", "multiscales": [multiscale], "image-label": label}}
    version = {"version": "0.4"}
    return {"multiscales": [version | multiscale], "image-label": version | label}


def _without_channel(transforms: Any, kept: Sequence[int]) -> list[dict[str, Any]]:
    return [
        {
            key: [value[place] for place in kept] if key in ("scale", "translation") else value
            for key, value in transform.items()
        }
        for transform in transforms
    ]
