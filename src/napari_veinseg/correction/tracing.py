"""Following a vein from click to click: minimal paths over the image's dark valleys.

A click computes all paths that start there, once; the cursor then only asks for the one that ends
at it.  Paths are exact in a window around the click; beyond it a coarse picture of the whole image
stands in until the next click makes that path exact, too.
"""

from typing import Annotated

import numpy as np
from scipy import ndimage
from skimage.graph import MCP_Geometric

from napari_veinseg.correction.lines import densified
from napari_veinseg.data.array_types import Field, Grey, Mask, Point, Points, Probability, Px
from napari_veinseg.data.labels import VEIN
from napari_veinseg.measurement.ridge_filter import valley_strength
from napari_veinseg.measurement.vein_width_from_mask import median_width

Cost = Annotated[
    Field, "what a step of one px costs: 1 off the veins, towards 0 along their middles"
]

# Side of the exact window and largest side of the coarse picture: each takes about 60 ms a click.
WINDOW = 384

_ENOUGH_VEINS = 0.004  # of all pixels

# In vein widths: narrow valleys keep a path in the middle of the vein; the widest is for veins that
# are wider than the typical one, whose borders would otherwise attract it.
_SCALES = (0.25, 0.45, 0.7, 1.0, 1.5)


def measured_width(mask: Mask | None) -> Px | None:
    """Measure the typical vein width, at least 1 px, on a mask: a person's, or what a model marks.

    None where there is no mask, or too little vein.
    """
    if mask is None or np.mean(mask == VEIN) < _ENOUGH_VEINS:
        return None
    width = median_width(mask)
    return max(width, 1.0) if np.isfinite(width) else None


def path_cost(grey: Grey, vein_width: Px, probability: Probability | None = None) -> Cost:
    """Say how unlike a vein's middle each pixel is.

    Valleys are sought in the logarithm of the image, in which a vein has one contrast in bright
    and dark tissue, and their strength is divided by its mean around the pixel, so that a faint
    vein beside a strong one is followed, too.
    """
    widths = [max(scale * vein_width, 1.0) for scale in _SCALES]
    strength = valley_strength(log_levels(grey), widths)
    around = ndimage.uniform_filter(strength, int(12 * vein_width) | 1, mode="nearest")
    floor = 0.25 * float(strength.mean()) + 1e-6
    valley = strength / (4 * np.maximum(around, floor))
    if probability is not None:
        valley = valley * (0.5 + np.asarray(probability, np.float32))
    return (1 / (1 + 10 * valley)).astype(np.float32)


def log_levels(grey: Grey) -> Field:
    """Take the logarithm, in which a vein has one contrast in bright and in dark tissue.

    A tenth of the range is added first, so that the darkest pixels do not outweigh all.
    """
    levels = np.asarray(grey, np.float32)
    low, high = float(levels.min()), float(levels.max())
    return np.log((levels - low) / max(high - low, 1e-6) + 0.1)


def snapped(cost: Cost, point: Point, reach: Px) -> tuple[int, int]:
    """Move a click onto the vein beside it: the cheapest pixel of the image within reach."""
    row, column = _inside(cost.shape, point)
    reach = int(reach)
    top, left = max(row - reach, 0), max(column - reach, 0)
    near = cost[top : row + reach + 1, left : column + reach + 1]
    rows, columns = np.indices(near.shape)
    away = np.hypot(rows + top - row, columns + left - column)
    # A far pixel must be clearly better than the one under the cursor.
    worth = np.where(away <= reach, near * (1 + away / (2 * reach + 1)), np.inf)
    best = np.unravel_index(np.argmin(worth), near.shape)
    return int(best[0] + top), int(best[1] + left)


class Tracer:
    """All cheapest paths from one click.

    They are exact in a square around the click, whose side is `window` px.
    """

    def __init__(self, cost: Cost, start: Point, window: int = WINDOW) -> None:
        self.start = _inside(cost.shape, start)
        self._cost = cost
        self._low = tuple(max(place - window // 2, 0) for place in self.start)
        rows, columns = (slice(low, low + window) for low in self._low)
        self._near = MCP_Geometric(cost[rows, columns])
        self._near_shape = cost[rows, columns].shape
        self._near.find_costs([tuple(np.subtract(self.start, self._low))])
        self._step = -(-max(cost.shape) // window)
        self._far: MCP_Geometric | None = None
        if self._near_shape != cost.shape:
            self._far = MCP_Geometric(_pooled(cost, self._step))
            self._far.find_costs([tuple(place // self._step for place in self.start)])

    def preview(self, point: Point) -> Points:
        """Give the path from the click to the cursor, at once.

        It is right to about a pixel of the coarse picture where the cursor is outside the window;
        one outside the image is moved in.
        """
        end = _inside(self._cost.shape, point)
        place = np.subtract(end, self._low)
        if self._far is None or ((place >= 0) & (place < self._near_shape)).all():
            return np.array(self._near.traceback(tuple(place)), np.float64) + self._low
        cells = self._far.traceback(tuple(place // self._step for place in end))
        path: Points = np.array(cells, np.float64) * self._step + (self._step - 1) / 2
        path = np.minimum(path, np.subtract(self._cost.shape, 1))  # cells may reach beyond
        path[0], path[-1] = self.start, end
        return path

    def path(self, point: Point) -> Points:
        """Give the exact path from the first click to a second, one px a step."""
        path = self.preview(point)
        if len(path) < 2 or np.abs(np.diff(path, axis=0)).max() <= 1:
            return path
        return _within_corridor(self._cost, path, 3 * self._step)


def _inside(shape: tuple[int, ...], point: tuple[float, float]) -> tuple[int, int]:
    row, column = np.clip(np.rint(point), 0, np.subtract(shape, 1)).astype(int).tolist()
    return row, column


def _pooled(cost: Cost, step: int) -> Cost:
    """Shrink by keeping the cheapest pixel of each cell: veins stay connected."""
    padding = [(0, -side % step) for side in cost.shape]
    padded = np.pad(cost, padding, mode="edge")
    rows, columns = (side // step for side in padded.shape)
    return padded.reshape(rows, step, columns, step).min(axis=(1, 3))


def _within_corridor(cost: Cost, path: Points, reach: int) -> Points:
    """Find the cheapest path that stays near another one."""
    low = np.maximum(np.floor(path.min(axis=0)).astype(int) - reach, 0)
    high = np.ceil(path.max(axis=0)).astype(int) + reach + 1
    box = cost[low[0] : high[0], low[1] : high[1]]
    off = np.ones(box.shape, np.bool_)
    middle, _ = densified(path, step=1.0)
    off[tuple((np.rint(middle) - low).astype(int).T)] = False
    size = 2 * reach + 1
    allowed = ndimage.minimum_filter(off, size, mode="nearest") == 0
    paths = MCP_Geometric(np.where(allowed, box, np.inf))
    start, end = tuple(path[0].astype(int) - low), tuple(path[-1].astype(int) - low)
    paths.find_costs([start], [end])
    return np.array(paths.traceback(end), np.float64) + low
