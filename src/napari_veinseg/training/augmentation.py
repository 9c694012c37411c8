"""Random changes of training crops: MONAI transforms on plain tensors.

A crop's changes are a function of its seed alone, so that a run is the same however many workers
prepare its crops, and a resumed one needs no random state.
"""

from typing import Any, Literal

import numpy as np
import torch
from monai.data import set_track_meta
from monai.transforms import (
    Compose,
    OneOf,
    Rand2DElastic,
    RandAdjustContrast,
    RandAffine,
    RandBiasField,
    RandFlip,
    RandGaussianNoise,
    RandGaussianSmooth,
    Randomizable,
    RandScaleIntensity,
    RandShiftIntensity,
    Transform,
)

Augmentation = Literal["none", "photometric", "full"]

MARGIN = 1.25
"""Crops are taken this much larger than wanted: turning and scaling need the surroundings."""


class Augment:
    """Changes a crop at random; workers get copies of it.

    Parameters
    ----------
    name : {"none", "photometric", "full"}
        `photometric`: brightness, contrast, gamma, bias field, noise, blur.  `full`: also flips,
        rotation, scale and elastic deformation.
    shape : tuple of int
        `(Y, X)` of the crops to give; they are cut from the middle of what comes in.
    """

    def __init__(self, name: Augmentation, shape: tuple[int, int]) -> None:
        set_track_meta(False)  # a MetaTensor costs a hundred times more for each operation
        self._shape = shape
        # Image and truth are deformed as one: half the work, and no way to come apart.
        self._deform = Compose(_geometric(shape)) if name == "full" else None
        self._shade = Compose(_photometric() if name != "none" else [])
        # One source of chance for all: to give each its own costs more time than to use them.
        self._chance = np.random.RandomState()
        _draw_from(self._chance, self._deform)
        _draw_from(self._chance, self._shade)

    def __setstate__(self, state: dict[str, Any]) -> None:
        set_track_meta(False)  # in the process of a worker, too
        self.__dict__.update(state)

    def __call__(self, crop: torch.Tensor, seed: int) -> torch.Tensor:
        """Change a crop.

        Parameters
        ----------
        crop : torch.Tensor
            `(3, Y, X)`: normalised image, share of vein, 1 where that is known.
        seed : int
            All of the chance.

        Returns
        -------
        torch.Tensor
            `(3, *shape)`.
        """
        self._chance.seed(seed)
        # `is None`: to tell whether it is empty, a `Compose` gives its parts new sources of chance.
        crop = _middle(crop, self._shape) if self._deform is None else self._deform(crop)
        return torch.cat([self._shade(crop[:1]), crop[1:]])


def _draw_from(chance: np.random.RandomState, transform: Any) -> None:
    """Let a transform and all within draw from one source; `Compose` would give each its own."""
    if isinstance(transform, Compose):
        transform.R = chance
        for each in transform.transforms:
            _draw_from(chance, each)
    elif isinstance(transform, Randomizable):
        transform.set_random_state(state=chance)


def _geometric(shape: tuple[int, int]) -> list[Transform]:
    how = {
        "prob": 0.9,
        "rotate_range": 0.26,  # 15 degrees
        "scale_range": 0.33,
        "spatial_size": shape,
        "padding_mode": "reflection",
    }
    elastic = Rand2DElastic(spacing=(32, 32), magnitude_range=(0.0, 2.0), **how)
    return [
        RandFlip(prob=0.5, spatial_axis=0),
        RandFlip(prob=0.5, spatial_axis=1),
        # Both turn and scale in one interpolation; the elastic one costs three times as much.
        OneOf([RandAffine(**how, cache_grid=True), elastic], weights=[0.7, 0.3]),
    ]


def _photometric() -> list[Transform]:
    # Units are those of the normalised image: most grey values lie between -1 and 1.
    return [
        RandBiasField(degree=2, coeff_range=(-0.2, 0.2), prob=0.3),
        RandAdjustContrast(prob=0.3, gamma=(0.7, 1.5), retain_stats=True),
        RandScaleIntensity(factors=0.3, prob=0.5),
        RandShiftIntensity(offsets=0.2, prob=0.5),
        RandGaussianSmooth(sigma_x=(0.3, 1.2), sigma_y=(0.3, 1.2), prob=0.15),
        RandGaussianNoise(prob=0.3, std=0.05),
    ]


def _middle(crop: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    starts = [(have - want) // 2 for have, want in zip(crop.shape[1:], shape, strict=True)]
    rows, columns = (slice(start, start + want) for start, want in zip(starts, shape, strict=True))
    return crop[:, rows, columns]
