"""What looks like a vein and is none: creases, hairs, bars, objects, skin texture."""

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from napari_veinseg.data.array_types import Binary
from napari_veinseg.data.synthesis.random_fields import (
    Across,
    Along,
    Factors,
    HalfWidth,
    Light,
    smooth_field,
    smooth_walk,
)


def creases(rng: Generator, along: Along, across: Across, unit: HalfWidth) -> Factors:
    """Draw skin folds across the finger, mostly at its joints."""
    darkness = np.zeros_like(along)
    for _ in range(int(rng.integers(1, 3))):
        joint = rng.uniform(along.min(), along.max())
        for _ in range(int(rng.integers(1, 5))):
            place = joint + rng.normal(0, 0.2)
            bow, lean = rng.normal(0, 0.12), rng.normal(0, 0.12)
            line = place + bow * across**2 + lean * across
            line += 0.03 * np.sin(across * rng.uniform(3, 12) + rng.uniform(0, 6))
            width = max(0.6, rng.uniform(0.006, 0.03) * unit) / unit
            reach = np.clip(4 * (rng.uniform(0.3, 1.2) - np.abs(across - rng.normal(0, 0.4))), 0, 1)
            sign = 1.0 if rng.random() < 0.8 else -0.6
            depth = sign * rng.uniform(0.03, 0.35)
            darkness += depth * reach * np.exp(-0.5 * ((along - line) / width) ** 2)
    return np.exp(-darkness)


def hairs(rng: Generator, shape: tuple[int, int]) -> Factors:
    """Draw thin, sharp, curved dark lines at any angle."""
    drawing = np.zeros(shape, np.float32)
    main = rng.uniform(0, 2 * np.pi)
    for _ in range(int(rng.integers(1, 14))):
        count = int(shape[0] * rng.uniform(0.1, 0.8)) + 4
        heading = (
            main + rng.normal(0, 0.7) + np.cumsum(smooth_walk(rng, count, count / 3)) * 2 / count
        )
        start = rng.uniform(0, 1, 2) * shape
        y = np.rint(start[0] + np.cumsum(np.sin(heading))).astype(int)
        x = np.rint(start[1] + np.cumsum(np.cos(heading))).astype(int)
        inside = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
        drawing[y[inside], x[inside]] = rng.uniform(0.3, 1.0)
    sigma = rng.uniform(0.3, 0.7) * max(1.0, shape[0] / 240)
    soft = ndimage.gaussian_filter(drawing, sigma, truncate=3)
    return np.exp(-rng.uniform(0.15, 0.6) * soft / max(float(soft.max()), 1e-6))


def bars(rng: Generator, light: Light, covered: Binary) -> Light:
    """Put parts of the sensor's housing into the frame; `covered` is set where they are."""
    height, width = light.shape
    y, x = np.ogrid[:height, :width]
    for _ in range(int(rng.integers(1, 4))):
        upright = rng.random() < 0.25
        size, place = (width, x) if upright else (height, y)
        other = y if upright else x
        thick = rng.uniform(0.015, 0.14) * height
        near_border = rng.uniform(0, 0.2) * size
        centre = near_border if rng.random() < 0.5 else size - near_border
        tilted = place + rng.normal(0, 0.03) * (other - other.mean())
        beyond = np.abs(tilted - centre) - thick / 2
        if rng.random() < 0.4:  # the housing goes on to the border of the frame
            beyond = (tilted - centre) * (1 if centre < size / 2 else -1) - thick / 2
        opacity = 1 / (1 + np.exp(np.clip(beyond / rng.uniform(0.2, 1.5), -30, 30)))
        if rng.random() < 0.3:  # a step in lighting rather than a thing in front
            light = light * (1 + opacity * rng.uniform(-0.5, 0.5))
            continue
        level = np.exp(rng.uniform(np.log(0.03), np.log(1.5)))
        surface = level * (1 + 0.1 * smooth_field(rng, light.shape, height / 3))
        light = light * (1 - opacity) + surface * opacity
        covered |= opacity > 0.3
    return light.astype(np.float32)


def objects(
    rng: Generator, along: Along, across: Across, unit: HalfWidth
) -> tuple[Factors, Binary]:
    """Draw a ring, a nail, dirt or bright spots; and where they hide the finger."""
    place = rng.uniform(along.min(), along.max())
    kind = rng.choice(["ring", "nail", "dirt", "spots"], p=[0.15, 0.25, 0.35, 0.25])
    light, opaque = np.zeros_like(along), np.zeros(along.shape, bool)
    if kind == "ring":
        opaque = np.abs(along - place - 0.1 * across**2) < rng.uniform(0.1, 0.4)
        light = np.where(opaque, rng.uniform(-2.5, 0.8), 0).astype(np.float32)
    elif kind == "nail":
        radius = np.hypot((along - place) / rng.uniform(0.6, 1.1), across / rng.uniform(0.5, 0.8))
        nail = 1 / (1 + np.exp(np.clip((radius - 1) * unit * rng.uniform(0.1, 0.8), -30, 30)))
        light = rng.uniform(-0.5, 0.5) * nail
    else:
        for _ in range(int(rng.integers(1, 9))):
            y, x = rng.uniform(-1, 1), rng.uniform(along.min(), along.max())
            size = rng.uniform(0.02, 0.1 if kind == "dirt" else 0.06) + 0.7 / unit
            strength = -rng.uniform(0.1, 0.8) if kind == "dirt" else rng.uniform(0.2, 1.5)
            distance = ((along - x) / rng.uniform(1, 1.8)) ** 2 + (across - y) ** 2
            light += strength * np.exp(-0.5 * distance / size**2)
    return np.exp(light), opaque


def skin_texture(rng: Generator, shape: tuple[int, int], unit: HalfWidth) -> Factors:
    """Draw papillary ridges or pores: fine, everywhere, of one size."""
    strength = rng.uniform(0.005, 0.05)
    if rng.random() < 0.5:
        period = max(2.2, rng.uniform(0.04, 0.08) * unit)
        warp = smooth_field(rng, shape, unit) * unit * 0.3
        angle = rng.uniform(0, np.pi)
        y, x = np.ogrid[: shape[0], : shape[1]]
        phase = (np.cos(angle) * y + np.sin(angle) * x + warp) * (2 * np.pi / period)
        texture = np.sin(phase).astype(np.float32)
    else:
        grain = rng.standard_normal(shape, np.float32)
        grain = ndimage.gaussian_filter(grain, rng.uniform(0.5, 1.5), truncate=2)
        texture = grain / max(float(grain.std()), 1e-6)
    return np.exp(strength * texture)
