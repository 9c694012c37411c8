"""Moving a mask that was drawn beside the veins onto them."""

import numpy as np
from scipy import fft, ndimage

from napari_veinseg.correction.change import Change, between
from napari_veinseg.data.array_types import Grey, Mask, Px
from napari_veinseg.data.labels import VEIN
from napari_veinseg.measurement.ridge_filter import valley_strength

_REACH = 16  # px: the largest shift along each axis


def best_shift(grey: Grey, mask: Mask, vein_width: Px) -> tuple[int, int]:
    """Find by how many rows down and columns to the right a mask must move to lie on dark veins.

    It is (0, 0) for a mask without veins, or an image that shows nothing.
    """
    is_vein = (np.asarray(mask) == VEIN).astype(np.float64)
    if not is_vein.any():
        return 0, 0
    strength = valley_strength(grey, [vein_width, 1.6 * vein_width])
    around = ndimage.uniform_filter(strength, int(8 * vein_width) | 1, mode="nearest")
    # Strong false valleys, such as a finger's edge, must not outvote the veins.
    valley = np.minimum(strength / (around + 1e-6 + 0.25 * strength.mean()), 3.0)
    if not valley.any():
        return 0, 0
    # A correlation by Fourier transforms; what wraps around lies beyond the shifts looked at.
    padded = np.pad(valley, _REACH)
    size = [fft.next_fast_len(side, real=True) for side in padded.shape]
    product = fft.rfft2(padded, size) * np.conj(fft.rfft2(is_vein, size))
    scores = fft.irfft2(product, size)[: 2 * _REACH + 1, : 2 * _REACH + 1]
    down, right = np.unravel_index(np.argmax(scores), scores.shape)
    return int(down) - _REACH, int(right) - _REACH


def shifted(mask: Mask, down: int, right: int) -> Change:
    """Move all labels of a mask; what comes in at its border repeats the labels there.

    Negative is up and to the left.
    """
    after = ndimage.shift(np.asarray(mask), (down, right), order=0, mode="nearest")
    return between(mask, after)
