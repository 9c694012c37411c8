"""Training batches from the pool: the same steps as at inference, at a randomly wrong scale."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from image_pool import Item
from numpy.typing import NDArray

from napari_veinseg.segmentation.tiling.resampling import Resampling, resample

_PATCH = (112, 192)  # Y, X in px at the working scale
_WRONG_SCALE = 0.9  # octaves by which the true vein width is taken too small or too large ...
_WRONG_ESTIMATE = 0.4  # ... and the estimated one, which has errors of its own
_ESTIMATED = 0.35  # share of patches that are scaled by the estimate, as at inference

Maps = NDArray[np.float32]


@dataclass(frozen=True)
class Batch:
    """Normalised images, the share of vein in each pixel, and 1 where that is known."""

    image: torch.Tensor
    vein: torch.Tensor
    known: torch.Tensor


def draw_batch(
    pool: list[Item], size: int, working_width: float, rng: np.random.Generator
) -> Batch:
    """Draw a batch of patches, each tensor of shape (size, 1, *_PATCH)."""
    drawn = [_patch(pool[index], working_width, rng) for index in rng.integers(0, len(pool), size)]
    maps = torch.from_numpy(np.stack(drawn))
    image, vein, known = (maps[:, channel : channel + 1] for channel in range(3))
    return Batch(image, vein, known)


def _patch(item: Item, working_width: float, rng: np.random.Generator) -> Maps:
    estimated = rng.random() < _ESTIMATED
    width = item.estimate if estimated else item.width
    wrong = _WRONG_ESTIMATE if estimated else _WRONG_SCALE
    factor = working_width / width * 2 ** rng.uniform(-wrong, wrong)
    upright = rng.random() < 0.25
    maps = _window(item, factor, _PATCH[::-1] if upright else _PATCH, rng)
    if upright:
        maps = maps.transpose(0, 2, 1)
    flips = tuple(axis for axis in (1, 2) if rng.random() < 0.5)
    patch = np.flip(maps, flips).copy()
    patch[0] = patch[0] * rng.uniform(0.75, 1.3) + rng.normal(0, 0.2)
    return patch


def _truth(item: Item, source: tuple[slice, slice]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give the share of vein in each pixel, and where it is known: to teachers it is everywhere."""
    if item.taught is not None:
        share = item.taught[source] / np.float32(255)
        return share, np.ones_like(share)
    mask = item.mask[source]
    return mask == 1, mask != 2


def _window(item: Item, factor: float, shape: tuple[int, int], rng: np.random.Generator) -> Maps:
    """Cut a window out of the image at another scale: normalised grey, share of vein, known.

    Beyond the image its border goes on, and nothing is known.
    """
    axes = [Resampling(side, max(8, round(side * factor))) for side in item.image.shape]
    places = []
    for axis, want in zip(axes, shape, strict=True):
        start = int(rng.integers(0, max(0, axis.target - want) + 1))
        places.append((start, start + want))
    top, left = (slice(*axis.needs(*place)) for axis, place in zip(axes, places, strict=True))
    source = top, left
    rows, columns = (axis.matrix(*place) for axis, place in zip(axes, places, strict=True))
    grey = item.normalise(item.image[source].astype(np.float32))
    maps = np.empty((3, *shape), np.float32)
    for number, part in enumerate((grey, *_truth(item, source))):
        maps[number] = resample(part.astype(np.float32), rows, columns)
    maps[2] = maps[2] > 0.999
    inside = [axis.target - place[0] for axis, place in zip(axes, places, strict=True)]
    maps[2, inside[0] :] = 0
    maps[2, :, inside[1] :] = 0
    return maps
