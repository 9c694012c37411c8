"""Where a layer lies, by everything that places it: scale, rotate, shear, affine, units."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from napari.layers import Layer

from napari_veinseg.errors import VeinSegError

_NO_UNITS = ("pixel", "dimensionless")
_SQUARE = 0.01  # cosine of the angle between rows and columns: half a degree


def pixel_steps(layer: Layer) -> npt.NDArray[np.float64]:
    """Give the way in world coordinates from a pixel to the next: `(2, ndim)`, down and right."""
    origin = np.zeros(layer.ndim)
    steps = np.eye(layer.ndim)[-2:]
    at_origin = np.asarray(layer.data_to_world(origin))
    return np.array([np.asarray(layer.data_to_world(step)) - at_origin for step in steps])


def pixel_side(layer: Layer) -> float:
    """Give the height of a pixel in world coordinates."""
    return float(np.linalg.norm(pixel_steps(layer)[0]))


@dataclass(frozen=True)
class PixelSize:
    """What a pixel of a layer measures along Y and X; `px` where a layer has no length as unit."""

    spacing: tuple[float, float] = (1.0, 1.0)
    unit: str = "px"

    @classmethod
    def of(cls, layer: Layer) -> "PixelSize":
        """Read the size from everything that places a layer."""
        units = [str(unit) for unit in layer.units[-2:]]
        if units[0] != units[1] or units[0] in _NO_UNITS:
            return cls()
        down, right = pixel_steps(layer)
        rows, columns = float(np.linalg.norm(down)), float(np.linalg.norm(right))
        if abs(down @ right) > _SQUARE * rows * columns:
            raise VeinSegError(
                f"The layer '{layer.name}' is sheared, so that its pixels have no height and width "
                "to measure with: take the shear out of the layer, or set its units to pixel."
            )
        return cls((rows, columns), f"{layer.units[-1]:~}")


def offset_of(layer: Layer, other: Layer) -> tuple[float, float]:
    """Tell how far a layer lies from another of the same shape, in px down and right.

    The largest distance of their corners, so that one that is scaled or turned counts too.
    """
    height, width = (layer.extent.data[1] - layer.extent.data[0])[-2:]
    start = [0.0] * (layer.ndim - 2)
    away = []
    for row, column in product((0, height), (0, width)):
        world = layer.data_to_world((*start, row, column))
        back = other.world_to_data(world)[-2:]
        away.append((back[0] - row, back[1] - column))
    down, right = max(away, key=lambda each: abs(each[0]) + abs(each[1]))
    return float(down), float(right)


def require_same_place(mask: Layer, other: Layer) -> None:
    """Refuse a mask whose pixels are shown elsewhere than those of what it is held against."""
    down, right = offset_of(mask, other)
    if max(abs(down), abs(right)) >= 0.5:
        raise VeinSegError(
            f"The layers '{mask.name}' and '{other.name}' have one size but lie {abs(down):.3g} px "
            f"{'below' if down > 0 else 'above'} and {abs(right):.3g} px "
            f"{'right of' if right > 0 else 'left of'} each other in the viewer: give both the "
            "same scale, translate and rotation."
        )
