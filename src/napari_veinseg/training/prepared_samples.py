"""The samples of a run, each read once, checked and brought to the model's working width."""

import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from napari_veinseg.data.grey import Channel, to_grey
from napari_veinseg.data.images import image_hash
from napari_veinseg.data.labels import UNSURE, VEIN
from napari_veinseg.data.sample import Fault, Sample, fault_of
from napari_veinseg.errors import VeinSegError
from napari_veinseg.measurement.width import vein_width
from napari_veinseg.model.card import ModelCard
from napari_veinseg.segmentation.tiling.image_source import ImageSource
from napari_veinseg.segmentation.tiling.normalisation import Normaliser
from napari_veinseg.segmentation.tiling.resampling import Resampling, resample
from napari_veinseg.segmentation.tiling.vein_width import estimate_source_width

_LARGEST_CHANGE = 8.0  # a mask that asks for more holds dots, or one blot
_MOST_COORDINATES = 20_000  # vein pixels of one image to centre crops on


@dataclass(frozen=True)
class PreparedSample:
    """A sample as the network sees it.

    Parameters
    ----------
    stem : str
        Its name.
    maps : torch.Tensor
        `(3, Y, X)` float16 at working width: normalised grey, share of vein, 1 where known.
    vein_coordinates : ndarray of int
        `(n, 2)`, the row and column of vein pixels.
    vein_width : float
        Width in px of the image, measured on the mask.
    width_factor : float
        That width over the one estimated on the image alone.
    vein_pixels : int
        Vein pixels of the mask.
    content_hash : str
        Of the image, for the model's card.
    """

    stem: str
    maps: torch.Tensor
    vein_coordinates: npt.NDArray[np.intp]
    vein_width: float
    width_factor: float
    vein_pixels: int
    content_hash: str


def prepare_samples(
    samples: Iterable[Sample],
    card: ModelCard,
    channel: Channel = "luminance",
    invert: bool = False,
) -> tuple[list[PreparedSample], list[Fault]]:
    """Read samples and leave out those that cannot be used.

    Parameters
    ----------
    samples : iterable of Sample
        The samples.
    card : ModelCard
        Its normalisation and working width.
    channel : str or int, optional
        What to take from a colour image.
    invert : bool, optional
        Whether veins are bright.

    Returns
    -------
    prepared : list of PreparedSample
        The usable ones, in order.
    faults : list of Fault
        What is wrong with the others.
    """

    def attempt(sample: Sample) -> PreparedSample | Fault:
        try:
            return fault_of(sample) or prepare_sample(sample, card, channel, invert)
        except VeinSegError as error:
            return Fault(sample.stem, str(error))

    prepared, faults = [], []
    with ThreadPoolExecutor() as threads:
        for result in threads.map(attempt, samples):
            if isinstance(result, PreparedSample):
                prepared.append(result)
            else:
                faults.append(result)
    return prepared, faults


def prepare_sample(
    sample: Sample, card: ModelCard, channel: Channel = "luminance", invert: bool = False
) -> PreparedSample:
    """Read one sample, normalise it and bring its veins to working width.

    Parameters
    ----------
    sample : Sample
        Image and mask of one shape, with at least one vein.
    card : ModelCard
        Its normalisation and working width.
    channel : str or int, optional
        What to take from a colour image.
    invert : bool, optional
        Whether veins are bright.

    Returns
    -------
    PreparedSample
        The sample as the network sees it.

    Raises
    ------
    VeinSegError
        If the vein width cannot be measured, or the image is constant.
    """
    image, mask = sample.image(), sample.mask()
    width = vein_width(mask)
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
    normalisation = card.normalisation
    normalise = Normaliser.from_image(
        grey, normalisation.low_percentile, normalisation.high_percentile
    )
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
        sample.stem,
        torch.from_numpy(maps).half(),
        coordinates[:: len(coordinates) // _MOST_COORDINATES + 1],
        width,
        width / (estimate_source_width(ImageSource(image, channel, invert)) or width),
        int((mask == VEIN).sum()),
        image_hash(image),
    )
