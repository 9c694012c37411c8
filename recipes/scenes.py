"""Whole scenes: a limb with veins among other things, under a lamp.

In photographs of a whole scene a network that knows fingers alone marks the outlines of limbs, pads
and clothes, and the rim of the lamp's light.  All that is there, and none of it is in the truth.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from dead_leaves import dead_leaves
from numpy.typing import NDArray
from plain_images import PlainSettings, plain_image
from scipy import ndimage, special

from napari_veinseg.data.array_types import Field
from napari_veinseg.data.synthesis import SyntheticFinger
from napari_veinseg.data.synthesis.random_fields import (
    log_uniform,
    smooth_field,
    smooth_walk,
)
from napari_veinseg.data.synthesis.settings import Range

_SEED = 98  # another stream of chance than other images have


@dataclass(frozen=True)
class SceneSettings:
    """Ranges of a scene.

    Parameters
    ----------
    height, aspect : (float, float)
        Of the image in px, and its width over it.
    limb_share : float
        Share of scenes with a limb; the others hold no vein.
    half_width : (float, float)
        Half the width of the limb over the height of the image.
    vein_width : (float, float)
        Of its trunks, px.
    """

    height: Range = (200, 340)
    aspect: Range = (0.8, 1.4)
    limb_share: float = 0.9
    half_width: Range = (0.12, 0.42)
    vein_width: Range = (3.0, 6.5)


@dataclass
class _Scene:
    """What stands before the camera: how much light each place throws back, and what it is."""

    reflectance: Field
    mask: NDArray[np.bool_]
    region: NDArray[np.bool_]

    def cover(self, share: Field, reflectance: Field) -> None:
        """Put something over it, where its share is not 0."""
        self.reflectance = self.reflectance * (1 - share) + reflectance * share
        self.region &= share < 0.5
        self.mask &= self.region


@dataclass(frozen=True)
class _Limb:
    """Px along its axis and from its edge inwards, half its width, and the strip that it shows."""

    along: Field
    inside: Field
    half: float
    strip: SyntheticFinger
    axes: tuple[Field, Field]


def scene_image(seed: int, settings: SceneSettings) -> SyntheticFinger:
    """Make one image; the same arguments give the same.

    Parameters
    ----------
    seed : int
        At least 0.
    settings : SceneSettings
        Ranges of all that varies.
    """
    rng = np.random.default_rng([seed, _SEED])
    height = round(log_uniform(rng, settings.height))
    shape = height, round(height * rng.uniform(*settings.aspect))
    nothing = np.zeros(shape, bool)
    scene = _Scene(dead_leaves(rng, shape) * rng.uniform(0.3, 1), nothing, nothing.copy())
    for _ in range(rng.integers(0, 4)):
        _lay_cable(rng, scene)
    middle, angle = rng.uniform(0.3, 0.7, 2) * shape, rng.uniform(0, np.pi)
    if rng.random() < settings.limb_share:
        _add_limb(rng, scene, _limb(rng, seed, shape, middle, angle, settings))
    light = scene.reflectance * _lamp(rng, shape, middle, angle)
    light = light * np.exp(rng.uniform(0, 0.2) * smooth_field(rng, shape, 80))
    image, bleached = _exposed(rng, light)
    mask = scene.mask & ~bleached
    return SyntheticFinger(image, mask.astype(np.uint8), scene.region)


def _limb(
    rng: np.random.Generator,
    seed: int,
    shape: tuple[int, int],
    middle: NDArray[np.float64],
    angle: float,
    settings: SceneSettings,
) -> _Limb:
    """Lay a strip of tissue, a little bent and tapered, across the scene."""
    half = shape[0] * rng.uniform(*settings.half_width)
    strip = _strip(rng, seed, round(2.6 * half), round(1.6 * np.hypot(*shape)), settings)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    rows, columns = rows - middle[0], columns - middle[1]
    along = columns * np.cos(angle) + rows * np.sin(angle)
    across = rows * np.cos(angle) - columns * np.sin(angle) + rng.normal(0, 6e-4) * along**2
    height, length = strip.image.shape
    at = np.clip(along + length / 2, 0, length - 1).astype(int)
    taper, place = rng.normal(0, 0.35), np.linspace(-0.5, 0.5, length)
    lower, upper = (
        half * (1 + (taper + rng.normal(0, 0.1)) * place + 0.04 * smooth_walk(rng, length, 50))
        for _ in range(2)
    )
    inside = np.minimum(lower[at] - across, across + upper[at])
    if rng.random() < 0.3:  # it ends in the picture
        inside = np.minimum(inside, along + length * rng.uniform(0.1, 0.35))
    axes = across + height / 2, along + length / 2
    return _Limb(along, inside, half, strip, axes)


def _strip(
    rng: np.random.Generator, seed: int, height: int, length: int, settings: SceneSettings
) -> SyntheticFinger:
    """Draw the tissue of a limb: a plain image without edges."""
    width = rng.uniform(*settings.vein_width)
    most = max(2, int(height / width / 5))
    plain = PlainSettings(
        height=(height, height),
        aspect=(length / height, length / height),
        full_share=1.0,
        trunks=(1, most),
        branches=(1, 14),
        radius=(0.35 * width, 0.6 * width),
        darkness=(0.05, 0.35),
    )
    return plain_image(seed, plain)


def _add_limb(rng: np.random.Generator, scene: _Scene, limb: _Limb) -> None:
    shape = scene.mask.shape
    strip, inside = limb.strip, limb.inside
    grey = ndimage.map_coordinates(
        strip.image / np.float32(255), limb.axes, order=1, mode="nearest"
    )
    mask = ndimage.map_coordinates(strip.mask.astype(np.float32), limb.axes, order=1) >= 0.5
    contrast, edge = rng.uniform(0.3, 1), rng.uniform(0.25, 1)
    depth = np.clip(inside / limb.half, 0, 1)
    shade = edge + (1 - edge) * depth ** rng.uniform(0.15, 1)
    if rng.random() < 0.4:  # light falls on the middle alone
        shade *= special.expit((depth - rng.uniform(0, 0.6)) / log_uniform(rng, (0.03, 0.3)))
    reflectance = (1 - contrast * (1 - grey)) * shade * rng.uniform(0.4, 1)
    region = (inside > 0).astype(np.float32)
    if rng.random() < 0.6:
        moved = ndimage.shift(region, rng.normal(0, 0.1 * limb.half, 2), order=1)
        shadow = ndimage.gaussian_filter(moved, rng.uniform(1, 12))
        scene.reflectance *= 1 - rng.uniform(0.2, 0.8) * shadow
    share = ndimage.gaussian_filter(region, rng.uniform(0.4, 1.6))
    scene.cover(share, reflectance)
    scene.region = inside > 1.5  # what lies on the outline cannot be told from it
    scene.mask = mask & scene.region
    if rng.random() < 0.12:
        _draw_on_skin(rng, scene)
    if rng.random() < 0.35:  # cloth over one end
        end = strip.image.shape[1] * rng.uniform(0.08, 0.25)
        over = limb.along > end if rng.random() < 0.5 else limb.along < -end
        cloth = dead_leaves(rng, shape) * rng.uniform(0.4, 1)
        scene.cover(ndimage.gaussian_filter(over.astype(np.float32), 1), cloth)


def _draw_on_skin(rng: np.random.Generator, scene: _Scene) -> None:
    """Darken some of the skin, as ink does."""
    shape = scene.mask.shape
    middle, radius = rng.uniform(0, 1, 2) * shape, rng.uniform(0.1, 0.3) * shape[0]
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    near = np.hypot(rows - middle[0], columns - middle[1]) < radius
    ink = near & (dead_leaves(rng, shape) < rng.uniform(0.1, 0.4))
    share = ndimage.gaussian_filter(ink.astype(np.float32), 0.8)
    scene.reflectance = scene.reflectance * (1 - rng.uniform(0.3, 0.8) * share)
    scene.mask &= share < 0.5


def _lay_cable(rng: np.random.Generator, scene: _Scene) -> None:
    """Lay a line like a vein beside the limb, or where the limb will cover it."""
    shape = scene.mask.shape
    length = round(rng.uniform(0.3, 1.5) * max(shape))
    headings = rng.uniform(0, 2 * np.pi) + rng.uniform(0.1, 1) * smooth_walk(rng, length, 60)
    places = np.cumsum(np.stack([np.sin(headings), np.cos(headings)]), axis=1)
    rows, columns = (places + rng.uniform(0, 1, (2, 1)) * np.array(shape)[:, None]).astype(int)
    seen = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    if not seen.any():
        return
    line = np.ones(shape, bool)
    line[rows[seen], columns[seen]] = False
    away = ndimage.distance_transform_edt(line) / log_uniform(rng, (1, 4))
    share = np.exp(-(away ** rng.uniform(2, 6))).astype(np.float32)
    shade = rng.uniform(0.05, 0.8) if rng.random() < 0.8 else rng.uniform(1.2, 2)
    scene.reflectance *= 1 + (shade - 1) * share


def _lamp(
    rng: np.random.Generator, shape: tuple[int, int], middle: NDArray[np.float64], limb: float
) -> Field:
    """Light the scene by lamps near a place, and a little everywhere."""
    side = min(shape)
    light = np.full(shape, rng.uniform(0.1, 0.6), np.float32)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    for number in range(rng.integers(1, 6)):
        place = middle + rng.normal(0, 0.25 * side, 2)
        angle = limb + rng.normal(0, 0.2) if rng.random() < 0.5 else rng.uniform(0, np.pi)
        y, x = rows - place[0], columns - place[1]
        along = (x * np.cos(angle) + y * np.sin(angle)) / (side * rng.uniform(0.1, 0.7))
        across = (y * np.cos(angle) - x * np.sin(angle)) / (side * rng.uniform(0.1, 0.7))
        away = np.hypot(along, across)
        brightness = rng.uniform(0.2, 1.6) if number == 0 else log_uniform(rng, (0.05, 0.8))
        if rng.random() < 0.5:
            beam = np.exp(-(away ** log_uniform(rng, (1.2, 10))) / 2)
        else:  # a rim, and it is even within
            beam = special.expit((1 - away) / log_uniform(rng, (0.02, 0.3)))
        light = light + brightness * beam
    return light.astype(np.float32)


def _exposed(rng: np.random.Generator, light: Field) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Blur, overexpose some, add noise, take the whole range of grey; tell what is bleached."""
    image: NDArray[Any] = ndimage.gaussian_filter(light, rng.uniform(0.2, 1))
    bleached = np.zeros(image.shape, bool)
    if rng.random() < 0.5:
        most = np.percentile(image, rng.uniform(70, 97))
        knee = rng.uniform(0.02, 0.3) * most
        if knee < 0.08 * most:
            bleached = image > most
        image = most - knee * np.logaddexp(0, (most - image) / knee)
    image = image / np.percentile(image, 99.5)
    if rng.random() < 0.4:  # the mean of colours, some of which are overexposed
        gains = np.exp(rng.uniform(-1.5, 1.2, 3))
        bleached |= gains.min() * image > 1
        image = np.mean([np.minimum(gain * image, 1) for gain in gains], axis=0)
    if rng.random() < 0.5:  # a tone curve with kinks
        knots = np.linspace(0, 1, rng.integers(3, 9))
        tones = np.cumsum(np.exp(rng.uniform(-0.8, 0.8, knots.size)))
        image = np.interp(image, knots, tones / tones[-1])
    image = image + rng.normal(0, rng.uniform(0.002, 0.025), image.shape)
    low, high = np.percentile(image, [0.2, 99.8])
    grey = np.clip((image - low) / (high - low), 0, 1) ** rng.uniform(0.6, 1.4)
    return np.round(255 * grey).astype(np.uint8), bleached
