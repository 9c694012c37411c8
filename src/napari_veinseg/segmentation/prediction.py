"""What a model says of an image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.segmentation.settings import ResolvedSettings


@dataclass(frozen=True)
class Prediction:
    """What a model says of an image.

    Parameters
    ----------
    probability : ndarray of float32
        `(Y, X)` or `(N, Y, X)`, in [0, 1].
    mask : ndarray of uint8
        Of the same shape: 0 background, 1 vein.
    settings : ResolvedSettings
        The vein width, threshold and smallest component that were used.
    """

    probability: NDArray[np.float32]
    mask: NDArray[np.uint8]
    settings: ResolvedSettings
