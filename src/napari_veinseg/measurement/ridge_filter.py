"""Dark valleys at many widths, and how strong they are."""

from collections.abc import Iterable

import numpy as np
from scipy import ndimage

from napari_veinseg.data.array_types import Field, Grey, Px

# A bar of depth 1 and width w has the second derivative sqrt(2 / (pi e)) / sigma^2 across its
# middle after smoothing with sigma = w / 2, the sigma at which sigma^2 times it is largest.
_BAR_RESPONSE = float(np.sqrt(2 / (np.pi * np.e)))


def valley_strength(grey: Grey, widths: Iterable[Px]) -> Field:
    """Find dark valleys: the largest Hessian eigenvalue, over several vein widths of 1 px or more.

    It is never negative, in the units of the image: a long dark bar of depth d gives d along its
    middle.  The image is smoothed with sigma = width / 2, its Hessian is multiplied by sigma^2 (so
    that equal contrast counts equally at every width) and the largest eigenvalue, the curvature
    across the valley, is kept where it is positive.

    References
    ----------
    T. Lindeberg, "Edge detection and ridge detection with automatic scale selection",
    International Journal of Computer Vision 30, 117-154 (1998).
    """
    # Without its mean a bright 16-bit image keeps its precision.
    smoothed = np.asarray(grey - np.mean(grey), dtype=np.float32)
    strength = np.zeros(smoothed.shape, np.float32)
    reached = 0.0
    for width in sorted(widths):
        sigma = width / 2
        # Smoothing on from the last scale is the same as smoothing afresh, and shorter.
        step = float(np.sqrt(sigma**2 - reached**2))
        smoothed = ndimage.gaussian_filter(smoothed, step, mode="nearest", truncate=3.5)
        reached = sigma
        found = _largest_curvature(smoothed) * np.float32(sigma**2 / _BAR_RESPONSE)
        np.maximum(strength, found, out=strength)
    return strength


def _largest_curvature(smoothed: Field) -> Field:
    """Return the larger eigenvalue of the Hessian by central differences."""
    padded = np.pad(smoothed, 1, mode="edge")
    centre = 2 * smoothed
    yy = padded[:-2, 1:-1] + padded[2:, 1:-1] - centre
    xx = padded[1:-1, :-2] + padded[1:-1, 2:] - centre
    xy = (padded[2:, 2:] + padded[:-2, :-2] - padded[2:, :-2] - padded[:-2, 2:]) * np.float32(0.25)
    half = (yy - xx) * np.float32(0.5)
    return (yy + xx) * np.float32(0.5) + np.sqrt(half * half + xy * xy)
