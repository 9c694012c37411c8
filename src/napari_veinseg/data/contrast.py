"""Local contrast for the eye: veins stand out, and nothing is measured or segmented on it."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.array_types import ImageArray
from napari_veinseg.data.grey import to_grey, without_gaps

_WINDOW = 0.125  # of the image's side


def enhance_contrast(image: ImageArray) -> Annotated[NDArray[np.uint8], "`(Y, X)`"]:
    """Equalise the grey values of an image around each pixel (CLAHE; Zuiderveld 1994).

    It is for display only, and `(Y, X)` in any case.
    """
    from skimage.exposure import equalize_adapthist

    grey = without_gaps(to_grey(image))
    low, high = np.percentile(grey, [0.5, 99.5])
    unit = np.clip((grey - low) / max(float(high - low), 1e-6), 0, 1)
    window = [max(8, round(side * _WINDOW)) for side in grey.shape]
    shown = np.asarray(equalize_adapthist(unit, window, clip_limit=0.02))
    return np.rint(255 * shown).astype(np.uint8)
