"""A pool of synthetic images on disk, so that training does not wait for synthesis."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.synthesis import SynthesisSettings, synthetic_finger
from napari_veinseg.files import atomic_path
from napari_veinseg.measurement.width import vein_width

_SHARD = 100
_USUAL_SHARE = 0.046  # vein width over image height, where a mask holds no vein


@dataclass(frozen=True)
class Item:
    """One image of the pool, its mask and the vein width measured on the mask (px)."""

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    width: float


def open_pool(folder: Path, count: int, processes: int, log: Callable[[str], None]) -> list[Item]:
    """Make what is missing of a pool, then read all of it; an interrupted run goes on."""
    folder.mkdir(parents=True, exist_ok=True)
    shards = range(-(-count // _SHARD))
    missing = [shard for shard in shards if not _path(folder, shard).exists()]
    if missing:
        log(f"synthesising {len(missing) * _SHARD} images")
        with ProcessPoolExecutor(processes) as executor:
            list(executor.map(partial(_make_shard, folder), missing))
    return [item for shard in shards for item in _read_shard(_path(folder, shard))][:count]


def make_items(first_seed: int, count: int, settings: SynthesisSettings) -> list[Item]:
    """Make images of consecutive seeds."""
    return [_make_item(seed, settings) for seed in range(first_seed, first_seed + count)]


def _make_item(seed: int, settings: SynthesisSettings) -> Item:
    finger = synthetic_finger(seed, settings=settings)
    width = vein_width(finger.mask)
    width = width if np.isfinite(width) else _USUAL_SHARE * min(finger.image.shape)
    return Item(finger.image, finger.mask, width)


def _path(folder: Path, shard: int) -> Path:
    return folder / f"shard_{shard:04d}.npz"


def _make_shard(folder: Path, shard: int) -> None:
    items = make_items(shard * _SHARD, _SHARD, SynthesisSettings())
    with atomic_path(_path(folder, shard)) as path, path.open("wb") as file:
        np.savez(
            file,
            images=np.concatenate([item.image.ravel() for item in items]),
            masks=np.concatenate([item.mask.ravel() for item in items]),
            shapes=np.array([item.image.shape for item in items]),
            widths=np.array([item.width for item in items]),
        )


def _read_shard(path: Path) -> list[Item]:
    with np.load(path, allow_pickle=False) as file:
        images, masks, shapes, widths = (
            file[name] for name in ("images", "masks", "shapes", "widths")
        )
    cuts = np.cumsum(np.prod(shapes, axis=1))[:-1]
    return [
        Item(image.reshape(shape), mask.reshape(shape), float(width))
        for image, mask, shape, width in zip(
            np.split(images, cuts), np.split(masks, cuts), shapes, widths, strict=True
        )
    ]
