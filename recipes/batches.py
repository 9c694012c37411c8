"""Training batches from the pool: the same steps as at inference, at a randomly wrong scale."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pool import Item
from torch.nn import functional

from napari_veinseg.model.card import Normalisation
from napari_veinseg.segmentation.transforms import Normaliser

_PATCH = (112, 192)  # Y, X in px at the working scale
_WRONG_SCALE = 0.9  # octaves by which the true vein width is taken too small or too large ...
_WRONG_ESTIMATE = 0.4  # ... and the estimated one, which has errors of its own
_ESTIMATED = 0.35  # share of patches that are scaled by the estimate, as at inference


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
    stacked = torch.stack(drawn)
    image, vein, known = (stacked[:, channel : channel + 1] for channel in range(3))
    return Batch(image, vein, known)


def scaled(item: Item, factor: float) -> torch.Tensor:
    """Give an image at another scale: normalised grey, share of vein, known (3, Y, X)."""
    vein = torch.from_numpy((item.mask == 1).astype(np.float32))
    known = torch.from_numpy((item.mask != 2).astype(np.float32))
    image = torch.from_numpy(_normalised(item.image.astype(np.float32)))
    maps = torch.stack([image, vein, known])
    sides = [max(8, round(side * factor)) for side in item.image.shape]
    maps = functional.interpolate(
        maps[None], size=sides, mode="bilinear", align_corners=False, antialias=True
    )[0]
    maps[2] = (maps[2] > 0.999).float()
    return maps


def _normalised(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    percentiles = Normalisation()
    return Normaliser.from_image(grey, percentiles.low_percentile, percentiles.high_percentile)(
        grey
    )


def _patch(item: Item, working_width: float, rng: np.random.Generator) -> torch.Tensor:
    estimated = rng.random() < _ESTIMATED
    width = item.estimate if estimated else item.width
    wrong = _WRONG_ESTIMATE if estimated else _WRONG_SCALE
    factor = working_width / width * 2 ** rng.uniform(-wrong, wrong)
    maps = scaled(item, factor)
    if rng.random() < 0.25:
        maps = maps.transpose(1, 2)
    flips = [axis for axis in (1, 2) if rng.random() < 0.5]
    maps = maps.flip(flips)
    missing = [max(0, want - have) for want, have in zip(_PATCH, maps.shape[1:], strict=True)]
    border = (0, missing[1], 0, missing[0])
    padded = functional.pad(maps[None], border, mode="replicate")[0]
    padded[2] = functional.pad(maps[2], border)
    starts = [
        int(rng.integers(0, have - want + 1))
        for want, have in zip(_PATCH, padded.shape[1:], strict=True)
    ]
    patch = padded[:, starts[0] : starts[0] + _PATCH[0], starts[1] : starts[1] + _PATCH[1]].clone()
    patch[0] = patch[0] * rng.uniform(0.75, 1.3) + rng.normal(0, 0.2)
    return patch
