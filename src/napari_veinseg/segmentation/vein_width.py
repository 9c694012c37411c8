"""The typical vein width of an image that has no mask yet."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_SCALES = (1.2, 1.7)  # Gaussian scales in px of one pyramid level: two steps an octave
_MIN_SIDE = 16  # px: a level smaller than this shows no vein any more
_SAMPLE = 64  # px: side of a tile of a level; a level shows at most _TILES x _TILES of them
_TILES = 2
_FAINTEST = 0.02  # relative darkness below the shoulders
_WIDTH_PER_SCALE = 2.0  # drawn width of a vein over the Gaussian scale that answers it best
_USUAL_SHARE = 0.05  # vein width over the image's shorter side: the answer where nothing is seen
_PRIOR_OCTAVES = 1.5  # standard deviation of the belief in _USUAL_SHARE

Image = NDArray[np.float32]


def estimate_vein_width(grey: NDArray[np.floating]) -> float:
    """Estimate the typical width of the dark veins of an image.

    Valleys are looked for at scales half an octave apart.  A valley must have a shoulder on both
    sides, which a step such as the finger's edge has not.  The scale with the most valley,
    length times squared contrast, is the answer: it doubles when the image is enlarged twofold.

    Parameters
    ----------
    grey : ndarray of float, shape (Y, X)
        Image with dark veins, any range, finite.

    Returns
    -------
    float
        Width in px, at least 1; a twentieth of the shorter side where no valley is seen.

    References
    ----------
    T. Lindeberg, Edge detection and ridge detection with automatic scale selection,
    Int. J. Computer Vision 30 (1998).
    """
    usual = float(max(1.0, _USUAL_SHARE * min(grey.shape)))
    floor, ceiling = np.percentile(grey[_thinned(grey.shape)], (1, 99))
    if not ceiling > floor:
        return usual
    evidence: list[tuple[float, float]] = []
    factor = 1
    while min(grey.shape) // factor >= _MIN_SIDE:
        for scale in _SCALES:
            width = _WIDTH_PER_SCALE * scale * factor
            found = np.mean(
                [
                    _valley_evidence(_log_intensity(tile, floor, ceiling), scale)
                    for tile in _tiles(grey, factor)
                ]
            )
            belief = np.exp(-0.5 * (np.log2(width / usual) / _PRIOR_OCTAVES) ** 2)
            # Length per area falls with the scale; what counts is length per image.
            evidence.append((float(np.log2(width)), float(found / factor * belief)))
        factor *= 2
    if not evidence or max(weight for _, weight in evidence) <= 0:
        return usual
    return float(max(1.0, 2.0 ** _peak(evidence)))


def _thinned(shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(None, None, max(1, side // 256)) for side in shape)


def _tiles(grey: NDArray[np.floating], factor: int) -> Iterator[Image]:
    """Give evenly spread tiles of the image, made smaller by a whole factor."""
    sides = [min(_SAMPLE * factor, length // factor * factor) for length in grey.shape]
    starts = [
        np.unique(np.linspace(0, length - side, _TILES).astype(int))
        for length, side in zip(grey.shape, sides, strict=True)
    ]
    for top in starts[0]:
        for left in starts[1]:
            tile = np.asarray(grey[top : top + sides[0], left : left + sides[1]], np.float32)
            blocks = tile.reshape(sides[0] // factor, factor, sides[1] // factor, factor)
            yield blocks.mean(axis=(1, 3), dtype=np.float32)


def _log_intensity(tile: Image, floor: float, ceiling: float) -> Image:
    """Absorption multiplies, so contrast is a difference of logarithms; darkness is damped."""
    relative = np.clip((tile - floor) / (ceiling - floor), 0, None)
    logarithm: Image = np.log(relative + 0.2).astype(np.float32)
    return logarithm


def _valley_evidence(image: Image, scale: float) -> float:
    """Sum squared contrast along the floors of the valleys, per pixel of the image."""
    smooth = ndimage.gaussian_filter(image, scale)
    dy, dx = np.gradient(smooth)
    dyy, dyx = np.gradient(dy)
    dxx = np.gradient(dx, axis=1)
    half_difference = 0.5 * (dxx - dyy)
    curvature = 0.5 * (dxx + dyy) + np.hypot(half_difference, dyx)  # the larger eigenvalue
    rows, columns = np.nonzero(curvature * scale**2 > _FAINTEST)
    angle = 0.5 * np.arctan2(dyx[rows, columns], half_difference[rows, columns])
    ny, nx = np.sin(angle), np.cos(angle)  # across the valley: the strongest curvature
    slope = dy[rows, columns] * ny + dx[rows, columns] * nx
    on_floor = np.abs(slope) < 0.6 * curvature[rows, columns]
    rows, columns, ny, nx = rows[on_floor], columns[on_floor], ny[on_floor], nx[on_floor]
    step = 2 * scale * np.stack([ny, nx])
    here = np.stack([rows, columns])
    shoulders = [
        ndimage.map_coordinates(smooth, here + sign * step, order=1, mode="nearest")
        for sign in (-1, 1)
    ]
    contrast = np.minimum(*shoulders) - smooth[rows, columns]
    contrast = contrast[contrast > _FAINTEST]
    return float(np.sum(contrast**2) / image.size)


def _peak(evidence: list[tuple[float, float]]) -> float:
    """Refine the best of evenly spaced scales by a parabola through its neighbours."""
    octave, weight = np.array(evidence).T
    best = int(np.argmax(weight))
    if best in (0, len(weight) - 1):
        return float(octave[best])
    left, middle, right = weight[best - 1 : best + 2]
    shift = 0.5 * (left - right) / (left - 2 * middle + right)
    return float(octave[best] + shift * (octave[best + 1] - octave[best]))
