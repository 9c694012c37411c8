"""Lines and veins: a line becomes a vein of a width, and a mask's veins become lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import approximate_polygon

from napari_veinseg.correction.change import Change, between, disk_union
from napari_veinseg.data.array_types import Binary, Mask, Points, Px
from napari_veinseg.data.labels import BACKGROUND, VEIN
from napari_veinseg.measurement.skeleton import centreline, trace, without_spurs

Widths = Annotated[NDArray[np.float64], "`(n,)`, the vein's width at each point in px"]

_STRENGTH = 2.0  # steps, of smoothing
_STEP = 0.5  # px: the largest distance between neighbours on a line
_TOLERANCE = 0.7  # px that a line may run from the pixels of the centreline


@dataclass(frozen=True)
class Line:
    """The middle of one vein."""

    points: Points
    """`(n, 2)`, corners of the line, (row, column)."""
    width: float
    """The vein's width in px."""


def centreline_to_border(is_vein: Binary) -> Binary:
    """Find the middles of veins, without spurs, up to the image's border where veins leave it.

    A centreline ends half a vein's width before the vein does; what leaves the image goes on.
    """
    beyond = int(ndimage.distance_transform_edt(np.pad(is_vein, 1)).max()) + 2
    padded = np.pad(is_vein, beyond, mode="edge")
    line = without_spurs(centreline(padded), padded)
    return line[beyond:-beyond, beyond:-beyond]


def normals(path: Points) -> Points:
    """Give at each point of a path the direction across it, of length 1."""
    ahead = np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True) + 1e-9
    return np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)


def smoothed(path: Points) -> Points:
    """Take the staircase out of a path, of about one px a step; its ends stay."""
    if len(path) < 3:
        return path
    # Mirrored through its end points, a path keeps them.
    reach = min(int(4 * _STRENGTH), len(path) - 1)
    whole = np.pad(path, ((reach, reach), (0, 0)), "reflect", reflect_type="odd")
    smooth: Points = ndimage.gaussian_filter1d(whole, _STRENGTH, axis=0, mode="nearest")
    smooth = smooth[reach:-reach]
    smooth[[0, -1]] = path[[0, -1]]
    return smooth


def densified(path: Points, widths: Any = 1.0, step: Px = _STEP) -> tuple[Points, Widths]:
    """Put points between the corners of a line, at most a step apart, with the width at each."""
    widths = np.broadcast_to(np.asarray(widths, np.float64), (len(path),))
    lengths = np.linalg.norm(np.diff(path, axis=0), axis=1)
    at = np.concatenate([[0.0], np.cumsum(lengths)])
    if at[-1] == 0:
        return path[:1], widths[:1]
    along = np.linspace(0, at[-1], int(np.ceil(at[-1] / step)) + 1)
    points = np.stack([np.interp(along, at, axis) for axis in path.T], axis=1)
    return points, np.interp(along, at, widths)


def vein_region(shape: tuple[int, int], path: Points, widths: Any) -> Binary:
    """Draw a vein around a line; its width in px is one, or one a corner."""
    points, width = densified(np.asarray(path, np.float64), widths)
    return disk_union(shape, points, width / 2)


def vein_redrawn(mask: Mask, path: Points, widths: Any) -> Change:
    """Paint a vein along a line in place of the one that is there; see `vein_region` for its width.

    The old vein goes within half a width, at least 2 px, beside the new one, except around the
    ends, where other veins may go on.
    """
    new = vein_region(np.shape(mask), path, widths)
    widths = np.broadcast_to(np.asarray(widths, np.float64), (len(path),))
    beside = vein_region(np.shape(mask), path, widths + np.maximum(widths, 4))
    ends = disk_union(np.shape(mask), path[[0, -1]], widths[[0, -1]])
    after = np.array(mask)
    after[beside & ~new & ~ends & (after == VEIN)] = BACKGROUND
    after[new] = VEIN
    return between(mask, after)


def veins_from_lines(mask: Mask, lines: Sequence[Line], replace: bool = False) -> Change:
    """Draw lines as veins; label 2 stays where no line runs.

    They are added to the veins there are, or replace them.
    """
    after = np.array(mask)
    if replace:
        after[after == VEIN] = BACKGROUND
    for line in lines:
        after[vein_region(after.shape, line.points, line.width)] = VEIN
    return between(mask, after)


def lines_from_veins(mask: Mask) -> list[Line]:
    """Find the middles of a mask's veins as lines with few corners, one a branch."""
    is_vein = np.asarray(mask) == VEIN
    # A vein goes on behind the image's border.
    distance = ndimage.distance_transform_edt(np.pad(is_vein, 1, mode="edge"))[1:-1, 1:-1]
    lines = []
    for branch in trace(centreline_to_border(is_vein)).branches:
        radii = distance[tuple(branch.path.T)]
        if (
            branch.start is not None
            and branch.end is not None
            and len(branch.path) <= 2 * radii.max()
        ):
            continue  # a link inside the meeting of other branches
        corners = approximate_polygon(smoothed(branch.path.astype(np.float64)), _TOLERANCE)
        lines.append(Line(corners, max(2 * float(np.median(radii)) - 0.5, 1.0)))
    return lines
