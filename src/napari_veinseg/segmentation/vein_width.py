"""The typical vein width of an image that has no mask yet."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.segmentation.source import ImageSource

_SCALE = 1.4  # px of a pyramid level: the Gaussian scale of its valleys, an octave from the next
_MIN_SIDE = 16  # px: a level smaller than this shows no vein any more
_SAMPLE = 40  # px: side of a tile of a level; a level shows at most _TILES x _TILES of them
_TILES = 2
_TINY = np.float32(1e-12)
_FAINTEST = 0.02  # relative darkness below the shoulders
_WIDTH_PER_SCALE = 1.7  # drawn width of a vein over the Gaussian scale that answers it best
_USUAL_SHARE = 0.03  # vein width over the image's shorter side: the answer where nothing is seen
_WIDTHS = (0.006, 0.1)  # over the shorter side: finer is grain, broader is shading
_MOST_SLICES = 5  # of a stack, that the width is estimated on
_USUAL_WEIGHT = 0.003  # how much squared evidence the usual share is worth: that of faint veins

Image = NDArray[np.float32]


def estimate_vein_width(grey: NDArray[np.floating]) -> float:
    """Estimate the typical width of the dark veins of an image.

    Valleys are looked for at scales an octave apart.  A valley must have a shoulder on both
    sides, which a step such as the finger's edge has not.  Length times squared contrast, in units
    of the image's shorter side, is a scale's evidence.  Faint veins drown in shading, folds and
    noise; so the answer is a mean of scales, weighted by squared evidence, that starts from the
    usual share of the shorter side.  It doubles when the image is enlarged twofold.

    Parameters
    ----------
    grey : ndarray of float, shape (Y, X)
        Image with dark veins, any range, finite.

    Returns
    -------
    float
        Width in px, at least 1; 3 % of the shorter side where no valley is seen.

    References
    ----------
    T. Lindeberg, Edge detection and ridge detection with automatic scale selection,
    Int. J. Computer Vision 30 (1998).
    """
    side = min(grey.shape)
    usual = float(max(1.0, _USUAL_SHARE * side))
    floor, ceiling = np.percentile(grey[_thinned(grey.shape)], (1, 99))
    if not ceiling > floor:
        return usual
    octaves, weights = [np.log2(usual)], [_USUAL_WEIGHT]
    factor = 1
    while side // factor >= _MIN_SIDE:
        width = _WIDTH_PER_SCALE * _SCALE * factor
        if _WIDTHS[0] < width / side < _WIDTHS[1]:
            tiles = _log_intensity(_tiles(grey, factor), floor, ceiling)
            octaves.append(np.log2(width))
            # Per area, length falls with the scale; times the side it is length per image.
            weights.append((_valley_evidence(tiles) / factor * side) ** 2)
        factor *= 2
    return float(max(1.0, 2.0 ** np.average(octaves, weights=weights)))


def estimate_source_width(source: ImageSource) -> float | None:
    """Estimate the vein width of an image or stack on some slices, for a stack shows one thing.

    Parameters
    ----------
    source : ImageSource
        The image.

    Returns
    -------
    float or None
        Median width in px; None where nothing is seen.
    """
    slices = np.unique(np.linspace(0, len(source) - 1, _MOST_SLICES).round().astype(int))
    widths = [
        estimate_vein_width(_finite(crop))
        for index in slices
        for crop in source.plane(int(index)).crops()
        if crop.min() != crop.max()
    ]
    return float(np.median(widths)) if widths else None


def _finite(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put the median in the place of what is not finite."""
    finite = np.isfinite(grey)
    if finite.all() or not finite.any():
        return grey if finite.any() else np.zeros_like(grey)
    return np.where(finite, grey, np.median(grey[finite]))


def _thinned(shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(None, None, -(-side // 64)) for side in shape)


def _tiles(grey: NDArray[np.floating], factor: int) -> Image:
    """Stack evenly spread tiles of the image, made smaller by a whole factor."""
    sides = [min(_SAMPLE * factor, length // factor * factor) for length in grey.shape]
    starts = [
        np.unique(np.linspace(0, length - side, _TILES).astype(int))
        for length, side in zip(grey.shape, sides, strict=True)
    ]
    tiles = [
        np.asarray(grey[top : top + sides[0], left : left + sides[1]], np.float32)
        for top in starts[0]
        for left in starts[1]
    ]
    # Slice by slice of the blocks: a sum over their short axes is several times slower.
    stack = np.stack(tiles)
    for axis in (2, 1) if factor > 1 else ():
        places = (slice(place, None, factor) for place in range(factor))
        parts = [stack[(slice(None),) * axis + (place,)] for place in places]
        stack = np.asarray(sum(parts[1:], parts[0]) / np.float32(factor), np.float32)
    return stack


def _log_intensity(tiles: Image, floor: float, ceiling: float) -> Image:
    """Absorption multiplies, so contrast is a difference of logarithms; darkness is damped."""
    relative = np.clip((tiles - np.float32(floor)) / np.float32(ceiling - floor), 0, None)
    logarithm: Image = np.log(relative + np.float32(0.35))
    return logarithm


@lru_cache(maxsize=64)
def _gaussian(side: int) -> tuple[Image, Image, Image]:
    """Matrices that smooth a signal and take its first and second difference."""
    smooth = ndimage.gaussian_filter1d(np.eye(side), _SCALE, axis=0)
    first = np.gradient(smooth, axis=0)
    second = np.gradient(first, axis=0)
    return smooth.astype(np.float32), first.astype(np.float32), second.astype(np.float32)


def _valley_evidence(tiles: Image) -> float:
    """Sum squared contrast along the floors of the valleys, per pixel of the tiles."""
    s_rows, d_rows, dd_rows = _gaussian(tiles.shape[1])
    s_columns, d_columns, dd_columns = (m.T for m in _gaussian(tiles.shape[2]))
    across, slope_across = s_rows @ tiles, d_rows @ tiles
    dyy, dyx, dxx = dd_rows @ tiles @ s_columns, slope_across @ d_columns, across @ dd_columns
    half_difference = 0.5 * (dxx - dyy)
    half_gap = np.sqrt(half_difference**2 + dyx**2)
    curvature = 0.5 * (dxx + dyy) + half_gap  # the larger eigenvalue
    at = np.flatnonzero(curvature > np.float32(_FAINTEST / _SCALE**2))
    curvature, dyx = curvature.ravel()[at], dyx.ravel()[at]
    # The unit vector across the valley, where the curvature is strongest.
    cosine = half_difference.ravel()[at] / np.maximum(half_gap.ravel()[at], _TINY)
    ny, nx = np.copysign(np.sqrt((1 - cosine) / 2), dyx), np.sqrt((1 + cosine) / 2)
    slope = (slope_across @ s_columns).ravel()[at] * ny + (across @ d_columns).ravel()[at] * nx
    on_floor = np.abs(slope) < np.float32(0.6) * curvature
    smooth = across @ s_columns
    floor = np.stack(np.unravel_index(at[on_floor], smooth.shape))
    step = 2 * _SCALE * np.stack([np.zeros_like(ny), ny, nx])[:, on_floor]
    shoulders = [
        ndimage.map_coordinates(smooth, floor + sign * step, order=1, mode="nearest")
        for sign in (-1, 1)
    ]
    contrast = np.minimum(*shoulders) - smooth.ravel()[at[on_floor]]
    contrast = contrast[contrast > _FAINTEST]
    return float(np.sum(contrast**2) / tiles.size)
