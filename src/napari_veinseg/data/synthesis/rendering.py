"""From the course of veins to what light meets: absorbance by depth, and the drawn mask."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.data.array_types import Binary, Field, Px, Share
from napari_veinseg.data.synthesis.anatomy import DEPTHS, Vein
from napari_veinseg.data.synthesis.random_fields import Line, Places

_WIDENING = 0.5  # of the blur, which an annotator takes for a part of the vein


@dataclass(frozen=True)
class Course:
    """A vein in the frame: a line of discs."""

    points: Places
    radius: NDArray[np.float32]
    """`(n,)`, in px."""
    absorbance: NDArray[np.float32]
    """`(n,)`."""
    depth: int
    """The layer it lies in."""


def course(vein: Vein, points: Places, shown: Line, unit: Px) -> Course:
    """Sample a vein so densely, at least every half px, that its discs touch.

    Shown is how much of each point the camera sees; the unit is that of the vein's radius.
    """
    length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    dense = np.linspace(0, length[-1], max(2, int(2 * length[-1])))
    strength = np.interp(dense, length, vein.absorbance * shown)

    def sample(values: NDArray[np.float32]) -> NDArray[np.float32]:
        sampled = np.interp(dense, length, values)[strength > 0]
        return np.asarray(sampled, np.float32)

    return Course(
        np.stack([sample(points[:, 0]), sample(points[:, 1])], axis=1),
        unit * sample(vein.radius),
        strength[strength > 0].astype(np.float32),
        vein.depth,
    )


def draw_veins(
    courses: list[Course], shape: tuple[int, int], blur: tuple[Px, ...], lens: Px, core: Share
) -> tuple[Field, Binary]:
    """Draw veins as cylinders of blood under layers of scattering tissue.

    Gives what the camera sees of their absorbance, and what an annotator would draw, could all
    veins be seen: a little more than the vein itself where it is blurred, and of a sharp one the
    share `core` of its radius.  The tissue blurs each depth, and the lens all, by a standard
    deviation in px.
    """
    layers = np.zeros((DEPTHS, *shape), np.float32)
    drawn = np.zeros(shape, bool)
    for item in courses:
        widening = _WIDENING * float(np.hypot(blur[item.depth], lens))
        _draw(item, layers[item.depth], drawn, core, widening)
    seen = np.zeros(shape, np.float32)
    for layer, sigma in zip(layers, blur, strict=True):
        if layer.any():
            seen += ndimage.gaussian_filter(layer, sigma, truncate=3) if sigma > 0.2 else layer
    return seen, drawn


def _draw(item: Course, layer: Field, drawn: Binary, core: float, widening: float) -> None:
    """Add one vein to its layer: where veins of a layer meet, the thicker one counts."""
    margin = float(item.radius.max(initial=0)) + widening + 2
    inside = np.all((item.points > -margin) & (item.points < np.array(layer.shape) + margin), 1)
    points, radius = item.points[inside], item.radius[inside]
    if not len(points):
        return
    low = np.floor(points.min(axis=0) - margin).astype(int)
    high = np.ceil(points.max(axis=0) + margin).astype(int) + 1
    nearest, distance = _nearest_sample(points, low, high)
    # The box may reach beyond the frame: keep what both share.
    top, left = np.maximum(low, 0)
    bottom, right = np.minimum(high, layer.shape)
    box = (slice(top, bottom), slice(left, right))
    part = (slice(top - low[0], bottom - low[0]), slice(left - low[1], right - low[1]))
    nearest, distance = nearest[part], distance[part]
    around = radius[nearest]
    # Half a px more radius and as much less darkness: a thin vein fades instead of breaking.
    chord = np.sqrt(np.clip(1 - (distance / (around + 0.5)) ** 2, 0, None))
    darkness = item.absorbance[inside][nearest] * around / (around + 0.5)
    np.maximum(layer[box], darkness * chord, out=layer[box])
    drawn[box] |= distance <= np.maximum(np.hypot(core * around, widening), 0.75)


def _nearest_sample(
    points: Places, low: NDArray[np.int_], high: NDArray[np.int_]
) -> tuple[NDArray[np.int_], Field]:
    """For each pixel of a box, the nearest sample of a line and the distance to it."""
    cells = np.rint(points - low).astype(int)
    sample = np.zeros(high - low, int)
    sample[cells[:, 0], cells[:, 1]] = np.arange(len(points))
    away = np.ones(sample.shape, bool)
    away[cells[:, 0], cells[:, 1]] = False
    row, column = ndimage.distance_transform_edt(away, return_distances=False, return_indices=True)
    nearest = sample[row, column]
    y = np.arange(low[0], high[0], dtype=np.float32)[:, None] - points[nearest, 0]
    x = np.arange(low[1], high[1], dtype=np.float32)[None] - points[nearest, 1]
    return nearest, np.hypot(y, x)
