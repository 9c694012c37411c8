"""Random changes of training crops: MONAI transforms on plain tensors.

A crop's changes are a function of its seed alone, so that a run is the same however many workers
prepare its crops, and a resumed one needs no random state.
"""

from collections.abc import Callable
from typing import Literal

import torch
from monai.data import set_track_meta
from monai.transforms import (
    Compose,
    MapTransform,
    Rand2DElasticd,
    RandAdjustContrastd,
    RandBiasFieldd,
    RandFlipd,
    RandGaussianNoised,
    RandGaussianSmoothd,
    RandScaleIntensityd,
    RandShiftIntensityd,
)

Augmentation = Literal["none", "photometric", "full"]
Crop = dict[str, torch.Tensor]

MARGIN = 1.25
"""Crops are taken this much larger than wanted: turning and scaling need the surroundings."""


def make_augmentation(name: Augmentation, shape: tuple[int, int]) -> Callable[[Crop, int], Crop]:
    """Make the function that changes a crop.

    Parameters
    ----------
    name : {"none", "photometric", "full"}
        `photometric`: brightness, contrast, gamma, bias field, noise, blur.  `full`: also flips,
        rotation, scale and elastic deformation.
    shape : tuple of int
        `(Y, X)` of the crops to give; they are cut from the middle of what comes in.

    Returns
    -------
    callable
        From a crop and a seed to the changed crop: `image` `(1, Y, X)`, normalised, and `truth`
        `(2, Y, X)`, the share of vein and 1 where that is known; all float32.
    """
    set_track_meta(False)  # a MetaTensor costs a hundred times more for each operation
    transforms: list[MapTransform] = []
    if name == "full":
        transforms += _geometric(shape)
    if name != "none":
        transforms += _photometric()
    compose = Compose(transforms)

    def augment(crop: Crop, seed: int) -> Crop:
        compose.set_random_state(seed)
        changed: Crop = compose(crop if name == "full" else _middle(crop, shape))
        return changed

    return augment


def _geometric(shape: tuple[int, int]) -> list[MapTransform]:
    both = ["image", "truth"]
    return [
        RandFlipd(both, prob=0.5, spatial_axis=0),
        RandFlipd(both, prob=0.5, spatial_axis=1),
        # One interpolation for all: rotation by up to 15 degrees, scale by a quarter, elastic.
        Rand2DElasticd(
            both,
            spacing=(32, 32),
            magnitude_range=(0.0, 2.0),
            prob=0.9,
            rotate_range=0.26,
            scale_range=0.25,
            spatial_size=shape,
            padding_mode="reflection",
        ),
    ]


def _photometric() -> list[MapTransform]:
    # Units are those of the normalised image: a standard deviation is about 1.
    return [
        RandBiasFieldd(["image"], degree=2, coeff_range=(-0.2, 0.2), prob=0.3),
        RandAdjustContrastd(["image"], prob=0.3, gamma=(0.7, 1.5), retain_stats=True),
        RandScaleIntensityd(["image"], factors=0.3, prob=0.5),
        RandShiftIntensityd(["image"], offsets=0.3, prob=0.5),
        RandGaussianSmoothd(["image"], sigma_x=(0.3, 1.2), sigma_y=(0.3, 1.2), prob=0.2),
        RandGaussianNoised(["image"], prob=0.3, std=0.1),
    ]


def _middle(crop: Crop, shape: tuple[int, int]) -> Crop:
    starts = [(have - want) // 2 for have, want in zip(crop["image"].shape[1:], shape, strict=True)]
    window = tuple(slice(start, start + want) for start, want in zip(starts, shape, strict=True))
    return {key: values[(slice(None), *window)] for key, values in crop.items()}
