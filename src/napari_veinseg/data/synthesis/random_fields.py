"""Smooth random lines and pictures, and draws from a range."""

from typing import Annotated

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.data.array_types import Field, Px

Line = Annotated[NDArray[np.float32], "`(n,)`"]
Places = Annotated[NDArray[np.float32], "`(n, 2)`, y and x in px"]
Limits = Annotated[tuple[float, float], "low and high end, positive"]
Samples = Annotated[float, "in samples"]
HalfWidth = Annotated[float, "half width of the finger in px"]
HalfWidths = Annotated[float, "in half widths of the finger"]
Along = Annotated[Field, "distance along the finger in half widths"]
Across = Annotated[Field, "distance from the finger's axis, 1 at its edge"]
Light = Annotated[Field, "light of the frame, about 1 in tissue"]
Factors = Annotated[Field, "factors of the light"]


def log_uniform(rng: Generator, limits: Limits) -> float:
    """Draw between two positive limits, evenly in the logarithm."""
    return float(np.exp(rng.uniform(np.log(limits[0]), np.log(limits[1]))))


def smooth_walk(rng: Generator, count: int, correlation: Samples) -> Line:
    """Draw a smooth random line of about unit standard deviation, with a correlation length."""
    knots = int(np.ceil(count / correlation)) + 4
    # Linear interpolation of white noise, rounded off: cheap, and smooth enough for an eye.
    places = np.linspace(1, knots - 2, count)
    line = np.interp(places, np.arange(knots), rng.standard_normal(knots))
    width = 0.4 * (count - 1) / max(1, knots - 3)
    line = ndimage.gaussian_filter1d(line, max(width, 1e-3), mode="nearest", truncate=3)
    return (1.4 * line).astype(np.float32)


def smooth_field(
    rng: Generator,
    shape: tuple[int, int],
    scale: Px,
    stretch: Annotated[float, "width over height"] = 1.0,
) -> Field:
    """Draw a smooth random picture of about zero mean and unit standard deviation.

    Its clouds are `scale` px high, and as many times longer as `stretch` says.
    """
    knots = [
        int(np.ceil(side / max(step, 1.0))) + 4
        for side, step in zip(shape, (scale, scale * stretch), strict=True)
    ]
    coarse = rng.standard_normal(knots).astype(np.float32)
    grids = [
        np.linspace(1, count - 3, side, dtype=np.float32)
        for count, side in zip(knots, shape, strict=True)
    ]
    rows = _interpolate(coarse, grids[0])
    return 1.25 * _interpolate(rows.T, grids[1]).T


def _interpolate(values: Field, places: Field) -> Field:
    """Interpolate along the first axis with smooth weights: two gathers and a blend."""
    left = places.astype(np.intp)
    part = (places - left)[:, None]
    weight = part * part * (3 - 2 * part)
    return values[left] * (1 - weight) + values[left + 1] * weight
