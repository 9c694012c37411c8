"""Things that cover each other: the dead leaves model of a photograph.

Edges, flat parts and textures of all sizes as in photographs, without one (A. B. Lee, D. Mumford
and J. Huang, Occlusion models for natural images, Int. J. Comput. Vis. 41, 2001).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.data.array_types import Field
from napari_veinseg.data.synthesis.random_fields import log_uniform, smooth_field

_FEW = 8  # things, up to which they are large ones, as pads and tables are
_LARGE = (0.1, 0.6)  # of the shorter side
_SIZES = (0.02, 0.7)  # of many: the finer, the more
_CORNERS = (2, 2, 4, 8, 16)  # exponents from an ellipse to a box


@dataclass(frozen=True)
class _Place:
    """A box of the picture, and in it the coordinates of a thing along its two axes, in px."""

    box: tuple[slice, slice]
    along: Field
    across: Field


def dead_leaves(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """Draw a picture of reflectance, in [0, 2].

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    shape : (int, int)
        Its height and width in px.
    """
    picture = np.full(shape, rng.uniform(0.02, 0.9), np.float32)
    picture *= np.exp(rng.uniform(0, 0.25) * smooth_field(rng, shape, rng.uniform(10, 80)))
    count = round(log_uniform(rng, (3, 150)))
    textured = rng.uniform(0, 0.3)  # the share of things that are
    for _ in range(count):
        radius = min(shape) * _size(rng, count)
        place = _place(rng, shape, radius)
        if place is None:
            continue
        form = rng.choice(_CORNERS)
        inside = np.abs(place.along / radius) ** form + np.abs(place.across / radius) ** form < 1
        if inside.any():
            surface = rng.uniform(0.02, 1) * _surface(rng, place, radius, textured)
            _cover(rng, picture[place.box], inside.astype(np.float32), surface)
    return np.clip(picture, 0, 2)


def _size(rng: np.random.Generator, count: int) -> float:
    if count <= _FEW:
        return rng.uniform(*_LARGE)
    return float(np.clip(0.04 * rng.random() ** -0.6, *_SIZES))


def _place(rng: np.random.Generator, shape: tuple[int, int], radius: float) -> _Place | None:
    """Put a longish thing somewhere; None where nothing of it is in the picture."""
    middle = rng.uniform(-0.1, 1.1, 2) * shape
    angle, longish = rng.uniform(0, np.pi), np.exp(rng.normal(0, 0.7))
    reach = int(1.5 * radius * max(longish, 1 / longish)) + 24  # with the shadow that it throws
    top, left = np.maximum(0, middle.astype(int) - reach)
    bottom, right = np.minimum(shape, middle.astype(int) + reach)
    if bottom - top < 2 or right - left < 2:
        return None
    rows, columns = np.ogrid[top:bottom, left:right]
    rows, columns = rows - middle[0], columns - middle[1]
    along = (columns * np.cos(angle) + rows * np.sin(angle)) * longish
    across = (rows * np.cos(angle) - columns * np.sin(angle)) / longish
    return _Place((slice(top, bottom), slice(left, right)), along, across)


def _surface(
    rng: np.random.Generator, place: _Place, radius: float, textured: float
) -> NDArray[Any]:
    """Shade a thing; some are striped, some are rough."""
    along, across = place.along, place.across
    surface = 1 + (rng.normal(0, 0.15) * along + rng.normal(0, 0.15) * across) / radius
    if rng.random() < textured:
        waves = np.sin(along * rng.uniform(0.3, 2) + rng.uniform(0, 6))
        surface = surface * (1 + rng.uniform(0.02, 0.3) * waves)
    if rng.random() < textured:
        rough = smooth_field(rng, along.shape, rng.uniform(1.5, 8))
        surface = surface * np.exp(rng.uniform(0.02, 0.3) * rough)
    return surface


def _cover(rng: np.random.Generator, part: Field, inside: Field, surface: NDArray[Any]) -> None:
    """Draw a thing over a part of the picture, now and then with its shadow."""
    if rng.random() < 0.3:
        moved = np.roll(inside, rng.normal(0, 4, 2).round().astype(int), (0, 1))
        part *= 1 - rng.uniform(0.1, 0.7) * ndimage.gaussian_filter(moved, rng.uniform(1, 8))
    share = ndimage.gaussian_filter(inside, rng.uniform(0.3, 1.2))
    part += share * (surface - part)
