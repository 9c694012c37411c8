"""From light to grey levels: lens, exposure, noise, stripes, compression."""

from dataclasses import dataclass
from io import BytesIO
from typing import Annotated

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from napari_veinseg.data.array_types import Field
from napari_veinseg.data.synthesis.random_fields import Light, log_uniform
from napari_veinseg.data.synthesis.settings import SynthesisSettings

Levels = Annotated[Field, "grey levels in [0, 255]"]


@dataclass(frozen=True)
class Sensor:
    """A camera and how it is set: the same for all images of one sensor."""

    white: float
    """Grey level of the brightest tissue."""
    gamma: float
    """Exponent of the response."""
    defocus: float
    """Standard deviation of the lens blur in px."""
    vignette: float
    """Share of light lost in the corners."""
    noise: float
    """Standard deviation of noise in grey levels, at mid grey."""
    grain: float
    """Blur of the noise in px: some cameras smooth or enlarge their image."""
    stripes: float
    """Standard deviation of fixed stripes in grey levels; 0 is none."""
    stripe_period: float
    """Px of a wave of regular stripes; 0 makes each row or column differ."""
    upright: bool
    """Stripes are columns."""
    jpeg: int
    """Quality of the compression; 0 is none."""
    motion: int
    """Px that the finger moves along during the exposure; 0 is none."""


def draw_sensor(rng: Generator, height: int, settings: SynthesisSettings) -> Sensor:
    """Draw a sensor; the larger an image, in px of height, the more px it is blurred by."""
    scale = height / 120
    striped, compressed, moved = (
        rng.random() < share
        for share in (settings.stripe_share, settings.jpeg_share, settings.motion_share)
    )
    return Sensor(
        white=rng.uniform(*settings.white),
        gamma=rng.uniform(*settings.gamma),
        defocus=rng.uniform(*settings.defocus) * scale,
        vignette=max(0.0, rng.uniform(-0.3, 0.5)),
        noise=log_uniform(rng, settings.noise),
        grain=max(0.0, rng.uniform(-0.6, 0.8) * scale),
        stripes=rng.uniform(0.3, 3.0) * striped,
        stripe_period=rng.choice([0.0, rng.uniform(2, 12)]),
        upright=bool(rng.random() < 0.5),
        jpeg=int(rng.integers(30, 95)) * compressed,
        motion=int(rng.uniform(2, 6) * scale) * moved,
    )


def expose(sensor: Sensor, light: Light, gain: Annotated[float, "exposure"]) -> Levels:
    """Give the grey levels of light without noise; light of one over the gain becomes white."""
    if sensor.defocus > 0.2:
        light = ndimage.gaussian_filter(light, sensor.defocus, truncate=3)
    if sensor.motion > 1:
        light = ndimage.uniform_filter1d(light, sensor.motion, axis=1)
    if sensor.vignette:
        y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in light.shape)
        light = light * (1 - 0.5 * sensor.vignette * (y[:, None] ** 2 + x[None] ** 2))
    grey = sensor.white * np.power(np.maximum(gain * light, 0), sensor.gamma)
    return np.clip(grey, 0, 255).astype(np.float32)


def read_out(
    rng: Generator, sensor: Sensor, grey: Levels
) -> Annotated[NDArray[np.uint8], "`(Y, X)`"]:
    """Add noise and stripes, quantise, compress."""
    noise = rng.standard_normal(grey.shape, np.float32)
    if sensor.grain > 0.3:
        noise = ndimage.gaussian_filter(noise, sensor.grain, truncate=2)
        noise /= max(float(noise.std()), 1e-6)
    noisy = grey + sensor.noise * noise * np.sqrt(0.3 + grey / 180)  # photon noise above a floor
    if sensor.stripes:
        noisy += _stripes(rng, sensor, grey.shape)
    image = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return _compressed(image, sensor.jpeg) if sensor.jpeg else image


def _stripes(rng: Generator, sensor: Sensor, shape: tuple[int, ...]) -> Field:
    count = shape[1] if sensor.upright else shape[0]
    if sensor.stripe_period:
        line = np.sqrt(2) * np.sin(np.arange(count) * 2 * np.pi / sensor.stripe_period)
    else:
        line = rng.standard_normal(count)
    line = (sensor.stripes * line).astype(np.float32)
    return line[None] if sensor.upright else line[:, None]


def _compressed(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer), np.uint8)
