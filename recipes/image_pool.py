"""A pool of synthetic images on disk, so that training does not wait for synthesis."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from claims import claim
from numpy.typing import NDArray
from plain_images import PlainSettings, plain_image
from scenes import SceneSettings, scene_image

from napari_veinseg.data.synthesis import SynthesisSettings, SyntheticFinger, synthetic_finger
from napari_veinseg.files import atomic_path
from napari_veinseg.measurement.vein_width_from_image import estimate_vein_width
from napari_veinseg.measurement.vein_width_from_mask import median_width
from napari_veinseg.model.card import Normalisation
from napari_veinseg.segmentation.tiling.normalisation import Normaliser

Settings = SynthesisSettings | PlainSettings | SceneSettings
_SHARD = 100
_USUAL = Normalisation()


@dataclass(frozen=True)
class Item:
    """One image of the pool and its mask; vein width in px, measured on the mask and estimated.

    The estimate and the normalisation are not kept on disk: they are what the package does today.
    Where teachers were asked, `taught` is their probability of vein in 255ths.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    width: float
    estimate: float
    normalise: Normaliser
    taught: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Kind:
    """Images of one sort: so many of each hundred, with these settings.

    `plain_share`, in [0, 1], is the weight on these of the teacher that learnt from plain images;
    where it is None teachers are not asked, and a student learns the truth.
    """

    percent: int
    settings: Settings
    plain_share: float | None = 0.5


def settings_of(kinds: Sequence[Kind]) -> list[Settings]:
    """Give the settings of a hundred images, in the kinds' shares."""
    return [kind.settings for kind in kinds for _ in range(kind.percent)]


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
    described = repr([(kind.percent, kind.settings) for kind in kinds])  # all that images hang on
    claim(folder, "kinds.txt", described, "holds images of other kinds")
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


def make_image(seed: int, settings: Settings) -> SyntheticFinger:
    """Make one image by the generator that its settings belong to."""
    if isinstance(settings, PlainSettings):
        return plain_image(seed, settings)
    if isinstance(settings, SceneSettings):
        return scene_image(seed, settings)
    return synthetic_finger(seed, settings=settings)


def make_items(seeds: range, settings: Settings) -> list[Item]:
    """Make one image a seed."""
    return [_make_item(seed, settings) for seed in seeds]


def _make_item(seed: int, settings: Settings) -> Item:
    finger = make_image(seed, settings)
    return _item(finger.image, finger.mask, median_width(finger.mask))


def _item(image: NDArray[np.uint8], mask: NDArray[np.uint8], width: float) -> Item:
    grey = image.astype(np.float32)
    estimate = estimate_vein_width(grey)
    normaliser = Normaliser.from_image(grey, *_USUAL.percentiles)
    return Item(image, mask, width if np.isfinite(width) else estimate, estimate, normaliser)


def _make_shard(kinds: Sequence[Kind], number: int, target: Path) -> None:
    settings = settings_of(kinds)
    seeds = range(number * _SHARD, (number + 1) * _SHARD)
    made = [make_image(seed, each) for seed, each in zip(seeds, settings, strict=True)]
    with atomic_path(target) as path, path.open("wb") as file:
        np.savez(
            file,
            images=np.concatenate([finger.image.ravel() for finger in made]),
            masks=np.concatenate([finger.mask.ravel() for finger in made]),
            shapes=np.array([finger.image.shape for finger in made]),
            widths=np.array([median_width(finger.mask) for finger in made]),
        )


def _read_shard(path: Path) -> list[Item]:
    with np.load(path, allow_pickle=False) as file:
        shard = {name: file[name] for name in file.files}
    shapes = shard["shapes"]

    def cut(name: str) -> list[NDArray[np.uint8]]:
        parts = np.split(shard[name], np.cumsum(np.prod(shapes, axis=1))[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    items = [
        _item(image, mask, float(width))
        for image, mask, width in zip(cut("images"), cut("masks"), shard["widths"], strict=True)
    ]
    if "taught" not in shard:
        return items
    return [replace(item, taught=taught) for item, taught in zip(items, cut("taught"), strict=True)]
