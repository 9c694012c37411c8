"""The typical vein width of an image where no network is at hand: for ridge filters and tracing."""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.data.array_types import Grey, Px
from napari_veinseg.data.grey import percentiles

_SCALE = 1.4  # px of a pyramid level: the Gaussian scale of its valleys, an octave from the next
_MIN_SIDE = 16  # px: a level smaller than this shows no vein any more
_SAMPLE = 32  # px: largest side of a tile of a level, which shows at most _TILES x _TILES of them
_TILES = 2
_TINY = np.float32(1e-12)
_FAINTEST = 0.02  # relative darkness below the shoulders
_WIDTH_PER_SCALE = 1.7  # drawn width of a vein over the Gaussian scale that answers it best
_USUAL_SHARE = 0.03  # vein width over the image's shorter side: the answer where nothing is seen
_WIDTHS = (0.006, 0.1)  # over the shorter side: finer is grain, broader is shading
_USUAL_WEIGHT = 0.003  # how much squared evidence the usual share is worth: that of faint veins

Image = NDArray[np.float32]


def estimate_vein_width(grey: Grey) -> Px:
    """Estimate the typical width of the dark veins of an image of finite values, at least 1 px.

    Valleys are looked for at scales an octave apart.  A valley must have a shoulder on both
    sides, which a step such as the finger's edge has not.  Length times squared contrast, in units
    of the image's shorter side, is a scale's evidence.  Faint veins drown in shading, folds and
    noise; so the answer is a mean of scales, weighted by squared evidence, that starts from the
    usual share of the shorter side, 3 %.  It doubles when the image is enlarged twofold.

    References
    ----------
    T. Lindeberg, Edge detection and ridge detection with automatic scale selection,
    Int. J. Computer Vision 30 (1998).
    """
    side: int = min(grey.shape)
    usual = max(1.0, _USUAL_SHARE * side)
    thinned = grey[tuple(slice(None, None, -(-length // 64)) for length in grey.shape)]
    floor, ceiling = percentiles(thinned, 1, 99)
    levels = _levels(grey.shape)
    if not levels or not ceiling > floor:
        return usual
    octaves, belief = _USUAL_WEIGHT * math.log2(usual), _USUAL_WEIGHT
    tiles = np.concatenate([_tiles(grey, level) for level in levels])
    seen = _valley_evidence(_log_intensity(tiles, floor, ceiling), levels)
    for level, evidence in zip(levels, seen, strict=True):
        # Per area, length falls with the scale; times the side it is length per image.
        weight = (evidence / level.factor * side) ** 2
        octaves += weight * math.log2(_width_at(level.factor))
        belief += weight
    return max(1.0, math.exp2(octaves / belief))


@dataclass(frozen=True)
class _Level:
    """A level of the pyramid, and the tiles that are looked at."""

    factor: int  # px of the image in one of the level, along an axis
    side: int  # of a tile in px of the level; the same at all levels of an image
    corners: tuple[tuple[int, int], ...]  # row and column of each tile in px of the image


def _width_at(factor: int) -> float:
    """Width in px of the image of the veins that show at a level."""
    return _WIDTH_PER_SCALE * _SCALE * factor


@lru_cache(maxsize=64)
def _levels(shape: tuple[int, int]) -> tuple[_Level, ...]:
    """Plan the levels that may show a vein, each with evenly spread tiles."""
    shorter = min(shape)
    factors = [2**octave for octave in range((shorter // _MIN_SIDE).bit_length())]
    factors = [f for f in factors if _WIDTHS[0] < _width_at(f) / shorter < _WIDTHS[1]]
    side = min(_SAMPLE, shorter // max(factors, default=1))
    levels = []
    for factor in factors:
        starts = [
            np.unique(np.linspace(0, length - side * factor, _TILES).astype(int)).tolist()
            for length in shape
        ]
        levels.append(_Level(factor, side, tuple(product(*starts))))
    return tuple(levels)


def _tiles(grey: NDArray[np.floating], level: _Level) -> Image:
    """Cut the tiles of a level, `(tiles, side, side)`: means over blocks of the image."""
    side, factor, reach = level.side, level.factor, level.side * level.factor
    # Whole rows first, where memory is read in order; then slices, for a sum over the blocks'
    # short axis takes several times longer.
    rows = np.empty((len(level.corners), side, reach), np.float32)
    for (top, left), tile in zip(level.corners, rows, strict=True):
        block = grey[top : top + reach, left : left + reach]
        np.add.reduce(block.reshape(side, factor, reach), axis=1, out=tile)
    sums = sum(rows[..., place::factor] for place in range(factor))
    return np.asarray(sums / np.float32(factor**2))


def _log_intensity(tiles: Image, floor: float, ceiling: float) -> Image:
    """Absorption multiplies, so contrast is a difference of logarithms; darkness is damped."""
    relative = (tiles - np.float32(floor)) / np.float32(ceiling - floor)
    return np.log(np.maximum(relative, 0) + np.float32(0.35))


@lru_cache(maxsize=64)
def _gaussian(side: int) -> Image:
    """Matrix that smooths a signal, `(side, side)`."""
    return ndimage.gaussian_filter1d(np.eye(side, dtype=np.float32), _SCALE, axis=0)


@lru_cache(maxsize=64)
def _inside(count: int, side: int) -> NDArray[np.bool_]:
    """Pixels that have two neighbours on each side, flat."""
    inside = np.zeros((count, side, side), bool)
    inside[:, 2:-2, 2:-2] = True
    return inside.ravel()[2 * side + 2 : -2 * side - 2]


def _valley_evidence(tiles: Image, levels: tuple[_Level, ...]) -> list[float]:
    """Sum squared contrast along the floors of the valleys, per pixel of each level's tiles.

    All levels at once, for most of the time goes into calls.  Tile by tile all the same: products
    of larger matrices would wake threads, which get into the way of the network's.
    """
    count, side, _ = tiles.shape
    gaussian = _gaussian(side)
    smooth = gaussian @ tiles @ gaussian.T
    flat, margin = smooth.ravel(), 2 * side + 2

    def near(down: int, right: int) -> NDArray[np.floating]:
        shift = down * side + right
        return flat[margin + shift : flat.size - margin + shift]

    middle = near(0, 0)
    double = 2 * middle
    dyy = 0.25 * (near(2, 0) + near(-2, 0) - double)
    dxx = 0.25 * (near(0, 2) + near(0, -2) - double)
    dyx = 0.25 * (near(1, 1) + near(-1, -1) - near(1, -1) - near(-1, 1))
    half_difference = 0.5 * (dxx - dyy)
    half_gap = np.sqrt(half_difference**2 + dyx**2)
    curvature = 0.5 * (dxx + dyy) + half_gap  # the larger eigenvalue
    steep = curvature > np.float32(_FAINTEST / _SCALE**2)
    at = np.flatnonzero(steep & _inside(count, side))
    curvature, dyx = curvature[at], dyx[at]
    # The unit vector across the valley, where the curvature is strongest.
    cosine = half_difference[at] / np.maximum(half_gap[at], _TINY)
    ny, nx = np.copysign(np.sqrt((1 - cosine) / 2), dyx), np.sqrt((1 + cosine) / 2)
    dy, dx = near(1, 0)[at] - near(-1, 0)[at], near(0, 1)[at] - near(0, -1)[at]
    on_floor = np.flatnonzero(np.abs(dy * ny + dx * nx) < np.float32(1.2) * curvature)
    at, zeros = at[on_floor] + margin, np.zeros(len(on_floor), np.float32)
    floor = np.stack(np.unravel_index(at, smooth.shape))
    step = 2 * _SCALE * np.stack([zeros, ny[on_floor], nx[on_floor]])
    shoulders = ndimage.map_coordinates(
        smooth, np.concatenate([floor + step, floor - step], axis=1), order=1, mode="nearest"
    )
    contrast = shoulders.reshape(2, -1).min(axis=0) - flat[at]
    squares = np.where(contrast > _FAINTEST, contrast**2, 0)
    of_tile = np.bincount(floor[0], squares, count)
    counts = np.array([len(level.corners) for level in levels])
    of_level = np.add.reduceat(of_tile, np.cumsum(counts) - counts) / counts
    return (of_level / (side - 4) ** 2).tolist()
