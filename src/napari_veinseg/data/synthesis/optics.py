"""Light in tissue without veins: lighting, the finger's profile, joints, clouds, the rim."""

import numpy as np
from numpy.random import Generator

from napari_veinseg.data.array_types import Field
from napari_veinseg.data.synthesis.pose import Pose
from napari_veinseg.data.synthesis.random_fields import (
    Across,
    Along,
    HalfWidth,
    Light,
    smooth_field,
)
from napari_veinseg.data.synthesis.settings import SynthesisSettings

_PHALANX = (2.0, 3.4)  # distance between joints in half widths


def tissue_light(
    rng: Generator, along: Along, across: Across, pose: Pose, settings: SynthesisSettings
) -> Light:
    """Draw the light that leaves a finger without veins."""
    inside = np.clip(across, -1, 1)
    # Shone through, a finger is bright where it is thin; lit from the front, dark where it turns.
    steepness = rng.uniform(1.5, 5)
    light = rng.uniform(*settings.cross_profile) * np.abs(inside) ** steepness
    light += rng.normal(0, 0.25) * inside
    light += rng.normal(0, 0.06) * (along - pose.length / 2)
    light += _joints(rng, along, inside, pose.length, rng.uniform(*settings.joints))
    light -= _shadows(rng, along, inside, pose.length, settings)
    light += rng.uniform(*settings.illumination) * _slow(rng, pose.shape, pose.unit)
    light += rng.uniform(*settings.mottle) * _clouds(rng, pose.shape, pose.unit)
    return np.exp(light)


def field_light(rng: Generator, shape: tuple[int, int], settings: SynthesisSettings) -> Light:
    """Draw the light that leaves a wide field of skin or another ground."""
    unit = shape[0] / 2
    light = rng.uniform(*settings.illumination) * _slow(rng, shape, unit)
    light += rng.uniform(*settings.mottle) * _clouds(rng, shape, 0.6 * unit)
    if rng.random() < 0.3:  # a bright disc, as where the optic nerve enters a retina
        y, x = np.ogrid[: shape[0], : shape[1]]
        place = rng.uniform(0.1, 0.9, 2) * shape
        distance = np.hypot(y - place[0], x - place[1]) / (unit * rng.uniform(0.1, 0.3))
        light += rng.uniform(0.1, 0.8) / (1 + np.exp(np.clip(8 * (distance - 1), -50, 50)))
    return np.exp(light).astype(np.float32)


def with_rim(
    rng: Generator,
    light: Light,
    across: Across,
    unit: HalfWidth,
    settings: SynthesisSettings,
) -> Light:
    """Put the finger before a background, with the rim that light leaking past it makes."""
    shape = light.shape
    level = np.exp(rng.uniform(*np.log(settings.background)))
    background = level * np.exp(
        0.25 * _slow(rng, shape, unit) + rng.uniform(0, 0.1) * _clouds(rng, shape, unit)
    )
    if rng.random() < 0.4:  # brighter or darker away from the finger
        background *= np.exp(rng.normal(0, 0.6) * np.clip(np.abs(across) - 1, 0, 2))
    beyond = (np.abs(across) - 1) * unit
    softness = rng.uniform(0.3, 0.05 * unit + 0.5)
    finger = 1 / (1 + np.exp(np.clip(beyond / softness, -30, 30)))
    frame = light * finger + background * (1 - finger)
    if rng.random() < 0.6:
        strength = np.where(across > 0, *(rng.uniform(*settings.rim) for _ in range(2)))
        width = rng.uniform(0.02, 0.14) * unit + 0.7
        place = rng.uniform(-0.5, 1.0) * width
        frame *= 1 + strength * np.exp(-(((beyond - place) / width) ** 2))
    return frame.astype(np.float32)


def _joints(rng: Generator, along: Field, across: Field, length: float, strength: float) -> Field:
    """Light passes the joints more easily than the bones between them."""
    light = np.zeros_like(along)
    place = rng.uniform(0, 3)
    while place < length:
        size, height = rng.uniform(0.3, 0.9), rng.uniform(0.35, 0.9)
        off = across - rng.normal(0, 0.15)
        light += (
            strength
            * rng.uniform(0.4, 1.0)
            * np.exp(-0.5 * (((along - place) / size) ** 2 + (off / height) ** 2))
        )
        place += rng.uniform(*_PHALANX)
    return light


def _shadows(
    rng: Generator,
    along: Field,
    across: Field,
    length: float,
    settings: SynthesisSettings,
) -> Field:
    """Darken broad bands along the finger, and its ends: dark, but much wider than a vein."""
    shadow = np.zeros_like(along)
    for _ in range(int(rng.integers(0, 4))):
        place, middle = rng.uniform(-0.8, 0.8), rng.uniform(0, length)
        thick, reach = rng.uniform(0.22, 0.5), rng.uniform(0.5, 3.0)
        off = across - place - rng.normal(0, 0.1) * (along - middle)
        distance = (off / thick) ** 2 + np.abs((along - middle) / reach) ** 3
        shadow += rng.uniform(*settings.shadow) * np.exp(-0.5 * distance)
    for end in (0, length):
        if rng.random() < 0.3:
            into = np.abs(along - end) - rng.uniform(1.5, 3.5)
            shadow += 1.5 * rng.uniform(*settings.shadow) / (1 + np.exp(np.clip(4 * into, -30, 30)))
    return shadow


def _slow(rng: Generator, shape: tuple[int, int], unit: float) -> Field:
    return smooth_field(rng, shape, 1.2 * unit, rng.uniform(1, 2.5))


def _clouds(rng: Generator, shape: tuple[int, int], unit: float) -> Field:
    """Cloudiness at three sizes, sometimes drawn out along the finger."""
    stretch = rng.uniform(1, 3)
    coarse, middle, fine = (
        smooth_field(rng, shape, max(size * unit, 2), stretch) for size in (0.5, 0.22, 0.1)
    )
    return 0.7 * coarse + 0.5 * middle + 0.35 * fine
