"""From a vein probability to a mask."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_TOUCHING = np.ones((3, 3), dtype=np.uint8)  # pixels that share a corner belong together


def mask_from_probability(
    probability: NDArray[Any], threshold: float, min_size: int = 0
) -> NDArray[np.uint8]:
    """Threshold a probability and drop small components.

    Parameters
    ----------
    probability : ndarray of float, shape (Y, X) or (N, Y, X)
        Vein probability in [0, 1].
    threshold : float
        A pixel with at least this probability is vein.
    min_size : int, optional
        Components of fewer px (joined over edges and corners, within a slice) are dropped.

    Returns
    -------
    ndarray of uint8
        Shape of `probability`: 0 background, 1 vein.
    """
    mask = (probability >= threshold).view(np.uint8)
    if min_size > 1:
        for plane in mask.reshape(-1, *mask.shape[-2:]):
            _drop_small(plane, min_size)
    return mask


def _drop_small(plane: NDArray[np.uint8], min_size: int) -> None:
    labels, count = ndimage.label(plane, _TOUCHING)
    if count:
        keep = np.bincount(labels.ravel()) >= min_size
        keep[0] = False
        plane[...] = keep[labels]
