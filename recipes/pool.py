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


def open_pool(
    folder: Path,
    seeds: range,
    settings: SynthesisSettings,
    processes: int,
    log: Callable[[str], None],
) -> list[Item]:
    """Make what is missing of a pool, then read all of it; an interrupted run goes on."""
    folder.mkdir(parents=True, exist_ok=True)
    shards = {
        folder / f"shard_{number:04d}.npz": seeds[start : start + _SHARD]
        for number, start in enumerate(range(0, len(seeds), _SHARD))
    }
    missing = {path: part for path, part in shards.items() if not path.exists()}
    if missing:
        log(f"synthesising {sum(map(len, missing.values()))} images")
        with ProcessPoolExecutor(processes) as executor:
            make = partial(_make_shard, settings)
            list(executor.map(make, missing.keys(), missing.values()))
    return [item for path in shards for item in _read_shard(path)]


def make_items(seeds: range, settings: SynthesisSettings) -> list[Item]:
    """Make one image a seed."""
    return [_make_item(seed, settings) for seed in seeds]


def _make_item(seed: int, settings: SynthesisSettings) -> Item:
    finger = synthetic_finger(seed, settings=settings)
    width = vein_width(finger.mask)
    width = width if np.isfinite(width) else _USUAL_SHARE * min(finger.image.shape)
    return Item(finger.image, finger.mask, width)


def _make_shard(settings: SynthesisSettings, target: Path, seeds: range) -> None:
    items = make_items(seeds, settings)
    with atomic_path(target) as path, path.open("wb") as file:
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
