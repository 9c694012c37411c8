"""Plain images of veins: few things happen in them, and every vein is in the truth.

The truth of the package's images holds what can be seen, vein by vein and pixel by pixel.  A
network that learns from it leaves veins out where they fade.  Here a vein is marked all along its
course, as dark as it may be, and as wide as its dark core looks.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.data.array_types import Field
from napari_veinseg.data.synthesis import SyntheticFinger
from napari_veinseg.data.synthesis.random_fields import (
    log_uniform,
    smooth_field,
    smooth_walk,
)
from napari_veinseg.data.synthesis.settings import Range

_SEED = 7  # another stream of chance than the package's images have


@dataclass(frozen=True)
class PlainSettings:
    """Ranges of a plain image; lengths in px.

    Parameters
    ----------
    height, aspect : (float, float)
        Of the image, and its width over it.
    full_share : float
        Share of images that tissue fills; in the others it has two edges.
    trunks, branches : (int, int)
        Number of veins along the tissue, and of those that leave another.
    radius : (float, float)
        Of trunks.
    darkness : (float, float)
        Share of the light that the typical vein takes.
    softness : (float, float)
        Radius of a vein's shadow (at 1/e) over the radius that is marked.
    noise : (float, float)
        Standard deviation over the range of grey.
    """

    height: Range = (100, 180)
    aspect: Range = (1.2, 2.4)
    full_share: float = 0.4
    trunks: tuple[int, int] = (2, 5)
    branches: tuple[int, int] = (1, 9)
    radius: Range = (1.2, 3.6)
    darkness: Range = (0.06, 0.5)
    softness: Range = (1.0, 2.2)
    noise: Range = (0.001, 0.025)


@dataclass(frozen=True)
class _Vein:
    """Points of a centreline about a px apart: place `(N, 2)` as Y, X, heading, radius."""

    points: Field
    heading: Field
    radius: Field


@dataclass(frozen=True)
class _Tissue:
    """Where the tissue is: its axis and half width in each column, and px from its edge."""

    axis: Field
    half: Field
    inside: Field


def plain_image(seed: int, settings: PlainSettings) -> SyntheticFinger:
    """Make one image; the same arguments give the same.

    Parameters
    ----------
    seed : int
        At least 0.
    settings : PlainSettings
        Ranges of all that varies.
    """
    rng = np.random.default_rng([seed, _SEED])
    height = round(log_uniform(rng, settings.height))
    shape = height, round(height * rng.uniform(*settings.aspect))
    tissue = _tissue(rng, shape, settings)
    region = tissue.inside > 0
    veins = _veins(rng, shape, tissue, settings)
    darkness, marked = _shadows(rng, shape, veins, settings)
    image = _light(rng, shape, tissue) * (1 - darkness)
    image = _surroundings(rng, image * _skin(rng, shape), region)
    image, covered = _bars(rng, image)
    region &= ~covered
    marked &= ndimage.binary_erosion(region, border_value=1)
    return SyntheticFinger(_exposed(rng, image, settings), marked.astype(np.uint8), region)


def _tissue(rng: np.random.Generator, shape: tuple[int, int], settings: PlainSettings) -> _Tissue:
    height, width = shape
    x = np.linspace(-0.5, 0.5, width, dtype=np.float32)
    axis = height * (
        0.5 + rng.normal(0, 0.04) + rng.normal(0, 0.1) * x + 0.02 * smooth_walk(rng, width, width)
    )
    full = rng.random() < settings.full_share
    half = height * (0.7 if full else rng.uniform(0.26, 0.5)) * (1 + rng.normal(0, 0.08) * x)
    half = half + 0.015 * height * smooth_walk(rng, width, width / 3)
    if not full and rng.random() < 0.25:
        half = half * _fingertip(rng, x)
    rows = np.arange(height, dtype=np.float32)[:, None]
    return _Tissue(axis, half, half - np.abs(rows - axis))


def _fingertip(rng: np.random.Generator, x: Field) -> Field:
    """Round off one end."""
    beyond = (x * rng.choice([-1, 1]) - rng.uniform(0.1, 0.4)) / rng.uniform(0.1, 0.25)
    return np.sqrt(np.clip(1 - np.clip(beyond, 0, 1) ** 2, 0, 1))


def _veins(
    rng: np.random.Generator,
    shape: tuple[int, int],
    tissue: _Tissue,
    settings: PlainSettings,
) -> list[_Vein]:
    """Draw trunks from one end to the other, and branches that leave them."""
    height, width = shape
    reach = min(float(tissue.half.mean()), 0.5 * height)
    veins = []
    for _ in range(rng.integers(settings.trunks[0], settings.trunks[1] + 1)):
        start = np.array([tissue.axis[0] + rng.uniform(-0.9, 0.9) * reach, -5.0])
        radius = rng.uniform(*settings.radius)
        veins.append(
            _course(rng, start, rng.normal(0, 0.12), rng.normal(0, 0.06), width + 12, radius)
        )
    for _ in range(rng.integers(settings.branches[0], settings.branches[1] + 1)):
        parent = veins[rng.integers(len(veins))]
        if len(parent.radius) < 30:
            continue
        at = rng.integers(5, len(parent.radius) - 5)
        side = rng.choice([-1, 1])
        heading = float(parent.heading[at])
        veins.append(
            _course(
                rng,
                parent.points[at],
                heading + side * rng.uniform(0.25, 1.1),
                heading + side * rng.uniform(0, 0.4),
                round(rng.uniform(0.12, 1.1) * height),
                float(parent.radius[at]) * rng.uniform(0.5, 1),
            )
        )
    return veins


def _course(
    rng: np.random.Generator,
    start: Field,
    heading: float,
    home: float,
    length: int,
    radius: float,
) -> _Vein:
    """Walk px by px: the heading wanders, and comes home to the vein's direction."""
    returning = home + (heading - home) * np.exp(-np.arange(length) / 50)
    headings = returning + rng.uniform(0.1, 0.45) * smooth_walk(rng, length, 35)
    headings = (headings - (headings[0] - heading) * np.exp(-np.arange(length) / 25)).astype(
        np.float32
    )
    steps = np.stack([np.sin(headings), np.cos(headings)], axis=1)
    points = (start + np.cumsum(steps, axis=0)).astype(np.float32)
    radii = radius * np.exp(0.1 * smooth_walk(rng, length, 60))
    return _Vein(points, headings, np.maximum(radii, 0.7).astype(np.float32))


def _shadows(
    rng: np.random.Generator,
    shape: tuple[int, int],
    veins: list[_Vein],
    settings: PlainSettings,
) -> tuple[Field, NDArray[np.bool_]]:
    """Give the share of light that veins take, and where they are marked."""
    typical = rng.uniform(*settings.darkness)
    darkness, marked = np.zeros(shape, np.float32), np.zeros(shape, bool)
    for vein in veins:
        rows, columns = vein.points.round().astype(int).T
        seen = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
        if seen.sum() < 8:
            continue
        radius = np.zeros(shape, np.float32)
        radius[rows[seen], columns[seen]] = vein.radius[seen]
        away, nearest = ndimage.distance_transform_edt(radius == 0, return_indices=True)
        radius = radius[tuple(nearest)]
        depth = np.clip(typical * rng.uniform(0.5, 1.3), 0.05, 0.6)
        depth = np.clip(depth * np.exp(0.35 * smooth_field(rng, shape, 35)), 0, 0.7)
        soft = radius * rng.uniform(*settings.softness)
        darkness = np.maximum(darkness, depth * np.exp(-((away / soft) ** 2)))
        marked |= away <= radius
    return ndimage.gaussian_filter(darkness, rng.uniform(0.3, 2)), marked


def _light(rng: np.random.Generator, shape: tuple[int, int], tissue: _Tissue) -> Field:
    """Light tissue from above or from the sides, with patches at joints and slow changes."""
    depth = np.clip(tissue.inside / np.maximum(tissue.half, 1), 0, 1)
    if rng.random() < 0.5:
        light = 0.3 + 0.4 * depth ** rng.uniform(0.2, 1.2)
    else:
        rim = np.exp(-np.clip(tissue.inside, 0, None) / rng.uniform(3, 12))
        light = 0.5 + rng.uniform(0, 0.8) * rim + 0.1 * depth
    y, x = np.ogrid[: shape[0], : shape[1]]
    for _ in range(rng.integers(1, 4)):
        across = (y - tissue.axis.mean() - rng.normal(0, 8)) / rng.uniform(10, 50)
        along = (x - rng.uniform(0, shape[1])) / rng.uniform(8, 50)
        light = light + rng.uniform(0.05, 0.8) * np.exp(-(across**2 + along**2) / 2)
    clouds = smooth_field(rng, shape, rng.uniform(30, 75))
    light = light * np.exp(rng.uniform(0, 0.25) * clouds)
    return light.astype(np.float32)


def _skin(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """Draw creases across the tissue and hairs, as the share of light that they leave."""
    left = np.ones(shape, np.float32)
    y, x = np.ogrid[: shape[0], : shape[1]]
    middle = y - shape[0] / 2
    for _ in range(rng.integers(0, 5)):
        bent = rng.normal(0, 6) * (2 * middle / shape[0]) ** 2 + rng.normal(0, 0.15) * middle
        away = (x - rng.uniform(0, shape[1]) - bent) / rng.uniform(0.5, 1.3)
        left *= 1 - rng.uniform(0.03, 0.25) * np.exp(-(away**2))
    for _ in range(rng.integers(0, 6)):
        length = int(rng.integers(8, 36))
        headings = rng.uniform(0, 2 * np.pi) + 0.3 * smooth_walk(rng, length, 15)
        places = np.cumsum(np.stack([np.sin(headings), np.cos(headings)]), axis=1)
        rows, columns = (places + rng.uniform(0, 1, (2, 1)) * np.array(shape)[:, None]).astype(int)
        seen = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
        left[rows[seen], columns[seen]] *= 1 - rng.uniform(0.05, 0.3)
    return left


def _surroundings(rng: np.random.Generator, image: Field, region: NDArray[np.bool_]) -> Field:
    """Put the tissue before a background, with a lit strip now and then."""
    clouds = smooth_field(rng, image.shape, rng.uniform(3, 15))
    ground = rng.uniform(0, 0.25) + rng.uniform(0, 0.06) * clouds
    if rng.random() < 0.5:
        rows = np.abs(np.arange(image.shape[0]) - rng.uniform(0, image.shape[0]))[:, None]
        ground = ground + rng.uniform(0, 0.8) * (rows < rng.uniform(2, 10))
    share = ndimage.gaussian_filter(region.astype(np.float32), rng.uniform(0.5, 2))
    return (image * share + ground * (1 - share)).astype(np.float32)


def _bars(rng: np.random.Generator, image: Field) -> tuple[Field, NDArray[np.bool_]]:
    """Let a housing shade one end now and then."""
    covered = np.zeros(image.shape, bool)
    if rng.random() < 0.5:
        width = round(rng.uniform(2, 0.12 * image.shape[1]))
        end = slice(0, width) if rng.random() < 0.5 else slice(-width, None)
        covered[:, end] = True
        image = np.where(covered, image * rng.uniform(0.1, 0.9) + rng.uniform(0, 0.1), image)
    return image, covered


def _exposed(rng: np.random.Generator, image: Field, settings: PlainSettings) -> NDArray[np.uint8]:
    """Blur, saturate, add noise, and take the whole range of grey."""
    y, x = np.ogrid[: image.shape[0], : image.shape[1]]
    if rng.random() < 0.3:
        angle = rng.uniform(0, np.pi)
        waves = np.sin((x * np.cos(angle) + y * np.sin(angle)) * rng.uniform(0.8, 3))
        image = image * (1 + rng.uniform(0.005, 0.03) * waves)
    image = ndimage.gaussian_filter(image, rng.uniform(0.2, 1.1)) * rng.uniform(0.5, 1.4)
    if rng.random() < 0.3:
        image = np.minimum(image, np.percentile(image, rng.uniform(90, 99)))
    noise = rng.normal(0, rng.uniform(*settings.noise), image.shape)
    grain = rng.uniform(0, 0.012) * ndimage.gaussian_filter(rng.normal(0, 4, image.shape), 1.3)
    noisy = image + noise + grain
    low, high = np.percentile(noisy, [0.2, 99.8])
    grey = np.clip((noisy - low) / max(high - low, 1e-6), 0, 1) ** rng.uniform(0.6, 1.6)
    return np.round(255 * grey).astype(np.uint8)
