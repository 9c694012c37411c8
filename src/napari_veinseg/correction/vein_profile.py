"""The width and the middle of a vein, measured in the image across a line."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.correction.lines import Widths, normals, smoothed
from napari_veinseg.data.array_types import Grey, Points, Px

Floats = NDArray[np.float64]

# Profiles within this many steps of a point are taken together: single ones are too noisy.
_ALONG = 6.0

# Places of a vein's middle are smoothed along it, and its ends stay: in px.
_STIFFNESS = 4.0

# What is measured lies between these multiples of what is expected.
_SMALLEST, _LARGEST = 0.4, 2.5

# Tissue blurs veins: at half depth they look a tenth too wide.
_RISEN = 0.4


def widths_along(grey: Grey, path: Points, expected: Px) -> Widths:
    """Measure a dark vein's width across a path along it, of about one px a step.

    The vein's borders are where the grey level across the line has risen half way, nearly, from
    the middle to the shoulder.  Where nothing can be measured the expected width is the answer.
    """
    if len(path) < 3:
        return np.full(len(path), expected)
    left, right = _borders(grey, smoothed(path), _LARGEST * expected / 2 + 1)
    found = np.nan_to_num(left + right, nan=expected)
    # A vein keeps its width over long stretches; one that crosses it must not show.
    found = ndimage.median_filter(found, min(len(found), 25), mode="nearest")
    return np.clip(found, _SMALLEST * expected, _LARGEST * expected)


def centred(grey: Grey, path: Points, expected: Px) -> Points:
    """Move a path, of about one px a step, into the middle of the vein that it follows.

    A cheapest path cuts the bends of a wide vein and follows its darkest thread; the middle is
    where both borders are equally far.  The ends stay, and no point moves by more than half the
    vein's width.
    """
    line = smoothed(path)
    if len(path) < 5:
        return line
    width = float(np.median(widths_along(grey, path, expected)))
    left, right = _borders(grey, line, width)
    aside = (right - left) / 2
    steps = np.arange(len(line))
    # Where another vein joins there is no border on its side.
    seen = np.isfinite(aside) & (np.abs(left + right - width) < width / 2)
    if seen.sum() < 3:
        return line
    aside = np.interp(steps, steps[seen], aside[seen])
    aside = ndimage.median_filter(aside, min(len(aside), 9), mode="nearest")
    aside = ndimage.gaussian_filter1d(aside, _STIFFNESS, mode="nearest")
    aside *= np.minimum(1, np.minimum(steps, steps[::-1]) / _STIFFNESS)
    return smoothed(line + aside[:, None] * normals(line))


def _borders(grey: Grey, line: Points, reach: float) -> tuple[Floats, Floats]:
    """Find how far a vein goes to either side of a line; NaN where it is no valley."""
    across = np.linspace(-reach, reach, 2 * int(np.ceil(2 * reach)) + 1)
    profiles = _profiles(grey, line, across)
    middle = len(across) // 2
    left = _border(profiles[:, middle::-1], across[middle:])
    return left, _border(profiles[:, middle:], across[middle:])


def _profiles(grey: Grey, line: Points, across: Floats) -> Floats:
    """Sample grey levels across a line, averaged along it."""
    places = line[:, None] + across[None, :, None] * normals(line)[:, None]
    values = ndimage.map_coordinates(
        np.asarray(grey), np.moveaxis(places, -1, 0), np.float64, order=1, mode="nearest"
    )
    return ndimage.gaussian_filter1d(values, _ALONG, axis=0, mode="nearest")


def _border(side: Floats, distance: Floats) -> Floats:
    """Find how far from the middle the vein ends; NaN where it is no valley."""
    highest = np.maximum.accumulate(side, axis=1)
    deepest, shoulder = side[:, 0], highest[:, -1]
    level = deepest + _RISEN * (shoulder - deepest)
    first = np.argmax(highest >= level[:, None], axis=1)
    index = np.arange(len(side))
    before = np.maximum(first - 1, 0)
    low, high = highest[index, before], highest[index, first]
    part = np.clip((level - low) / np.where(high > low, high - low, 1), 0, 1)
    crossing = distance[before] + part * (distance[first] - distance[before])
    return np.where((shoulder > deepest) & (first > 0), crossing, np.nan)
