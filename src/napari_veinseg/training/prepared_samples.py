"""Samples as a network learns from them: normalised, and with veins of the working width."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from napari_veinseg.data.finger_groups import Spectrum, thumbnail_spectrum
from napari_veinseg.data.grey import Channel, to_grey
from napari_veinseg.data.labels import UNSURE, VEIN
from napari_veinseg.data.sample import Pair
from napari_veinseg.errors import VeinSegError
from napari_veinseg.measurement.vein_width_from_mask import median_width
from napari_veinseg.model.card import ModelCard
from napari_veinseg.segmentation.tiling.normalisation import Normaliser
from napari_veinseg.segmentation.tiling.resampling import Resampling, resample

_LARGEST_CHANGE = 8.0  # a mask that asks for more holds dots, or one blot
_MOST_COORDINATES = 20_000  # vein pixels of one image to centre crops on


@dataclass(frozen=True)
class KnownSample:
    """What is known of a sample without its pixels."""

    stem: str
    finger: str
    """Empty when unknown."""
    image_hash: str
    mask_hash: str
    """Both of the content."""
    thumbnail: Spectrum
    warning: str
    """A sentence about its mask, mostly empty."""

    @staticmethod
    def facts(pair: Pair) -> tuple[str, str, str, str, Spectrum, str]:
        """Give the values of these fields."""
        sample, look = pair.sample, thumbnail_spectrum(pair.image)
        return sample.stem, sample.finger, pair.image_hash, pair.mask_hash, look, pair.warning


@dataclass(frozen=True)
class PreparedSample(KnownSample):
    """A sample as the network sees it."""

    maps: torch.Tensor
    """`(3, Y, X)` float16 at working width: normalised grey, share of vein, 1 where known."""
    vein_coordinates: npt.NDArray[np.intp]
    """`(n, 2)`, the row and column of vein pixels."""
    vein_width: float
    """Width in px of the image, measured on the mask."""
    vein_pixels: int
    """Vein pixels of the mask."""


def prepare_sample(
    pair: Pair, card: ModelCard, channel: Channel = "auto", invert: bool = False
) -> PreparedSample:
    """Normalise one sample and bring its veins to working width.

    Raise VeinSegError if the vein width cannot be measured, or the image is constant.
    """
    sample, image, mask = pair.sample, pair.image, pair.mask
    width = median_width(mask)
    factor = card.working_vein_width / width
    if math.isnan(width):
        raise VeinSegError(
            f"{sample.mask_path} has no vein whose edges are known: mark less as unsure."
        )
    if not 1 / _LARGEST_CHANGE <= factor <= _LARGEST_CHANGE:
        raise VeinSegError(
            f"{sample.mask_path} has veins of {width:.1f} px, far from the model's "
            f"{card.working_vein_width:.1f} px: correct the mask or resize image and mask."
        )
    grey = to_grey(image, channel, invert)
    normalise = Normaliser.from_image(grey, *card.normalisation.percentiles)
    if normalise.constant:
        raise VeinSegError(f"{sample.image_path} shows nothing (all values equal): remove it.")
    axes = [Resampling(side, max(8, round(side * factor))) for side in grey.shape]
    rows, columns = (axis.matrix(0, axis.target) for axis in axes)
    vein = (mask == VEIN).astype(np.float32)
    known = (mask != UNSURE).astype(np.float32)
    vein, known = resample(vein, rows, columns), resample(known, rows, columns)
    # A pixel that is unsure in part is unsure.
    maps = np.stack([resample(normalise(grey), rows, columns), vein, known > 0.999])
    coordinates = np.argwhere((vein >= 0.5) & (maps[2] > 0))
    return PreparedSample(
        *KnownSample.facts(pair),
        torch.from_numpy(maps).half(),
        coordinates[:: len(coordinates) // _MOST_COORDINATES + 1],
        width,
        pair.vein_pixels,
    )
