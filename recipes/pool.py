"""A pool of synthetic images on disk, so that training does not wait for synthesis."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.synthesis import SynthesisSettings, synthetic_finger
from napari_veinseg.files import atomic_path
from napari_veinseg.measurement.width import vein_width
from napari_veinseg.model.card import Normalisation
from napari_veinseg.segmentation.tiling.normalisation import Normaliser
from napari_veinseg.segmentation.tiling.valley_width import estimate_vein_width

_SHARD = 100
_USUAL = Normalisation()


@dataclass(frozen=True)
class Item:
    """One image of the pool and its mask; vein width in px, measured on the mask and estimated.

    The estimate and the normalisation are not kept on disk: they are what the package does today.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    width: float
    estimate: float
    normalise: Normaliser


@dataclass(frozen=True)
class Kind:
    """Images of one sort: so many of each hundred, with these settings."""

    percent: int
    settings: SynthesisSettings


def make_pool(
    folder: Path,
    shards: int,
    kinds: Sequence[Kind],
    processes: int,
    log: Callable[[str], None],
) -> list[Path]:
    """Make the shards that are missing, of a hundred images each.

    An interrupted run goes on, but not with images of other kinds.  Every shard holds all kinds, in
    their shares.
    """
    folder.mkdir(parents=True, exist_ok=True)
    described, told = repr(kinds), folder / "kinds.txt"
    if told.exists() and told.read_text(encoding="utf-8") != described:
        raise SystemExit(f"{folder} holds images of other kinds: move it away.")
    told.write_text(described, encoding="utf-8")
    paths = [folder / f"shard_{number:04d}.npz" for number in range(shards)]
    missing = [number for number, path in enumerate(paths) if not path.exists()]
    if missing:
        log(f"synthesising {len(missing) * _SHARD} images")
        with ProcessPoolExecutor(processes) as executor:
            targets = [paths[number] for number in missing]
            list(executor.map(partial(_make_shard, kinds), missing, targets))
    return paths


def read_pool(paths: Sequence[Path]) -> list[Item]:
    """Read the images of some shards."""
    return [item for path in paths for item in _read_shard(path)]


def make_items(seeds: range, settings: SynthesisSettings) -> list[Item]:
    """Make one image a seed."""
    return [_make_item(seed, settings) for seed in seeds]


def _make_item(seed: int, settings: SynthesisSettings) -> Item:
    finger = synthetic_finger(seed, settings=settings)
    return _item(finger.image, finger.mask, vein_width(finger.mask))


def _item(image: NDArray[np.uint8], mask: NDArray[np.uint8], width: float) -> Item:
    grey = image.astype(np.float32)
    estimate = estimate_vein_width(grey)
    normaliser = Normaliser.from_image(grey, _USUAL.low_percentile, _USUAL.high_percentile)
    return Item(image, mask, width if np.isfinite(width) else estimate, estimate, normaliser)


def _make_shard(kinds: Sequence[Kind], number: int, target: Path) -> None:
    settings = [kind.settings for kind in kinds for _ in range(kind.percent)]
    seeds = range(number * _SHARD, (number + 1) * _SHARD)
    made = [
        synthetic_finger(seed, settings=each) for seed, each in zip(seeds, settings, strict=True)
    ]
    with atomic_path(target) as path, path.open("wb") as file:
        np.savez(
            file,
            images=np.concatenate([finger.image.ravel() for finger in made]),
            masks=np.concatenate([finger.mask.ravel() for finger in made]),
            shapes=np.array([finger.image.shape for finger in made]),
            widths=np.array([vein_width(finger.mask) for finger in made]),
        )


def _read_shard(path: Path) -> list[Item]:
    with np.load(path, allow_pickle=False) as file:
        images, masks, shapes, widths = (
            file[name] for name in ("images", "masks", "shapes", "widths")
        )
    cuts = np.cumsum(np.prod(shapes, axis=1))[:-1]
    return [
        _item(image.reshape(shape), mask.reshape(shape), float(width))
        for image, mask, shape, width in zip(
            np.split(images, cuts), np.split(masks, cuts), shapes, widths, strict=True
        )
    ]
