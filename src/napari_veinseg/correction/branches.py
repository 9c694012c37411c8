"""Whole branches of a mask: one goes with a click, a gap between two is bridged."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.correction.change import Change, disk_union, painted
from napari_veinseg.data.array_types import Binary, Mask, Point, Px
from napari_veinseg.data.labels import BACKGROUND, VEIN
from napari_veinseg.measurement.skeleton import Branch, centreline, trace, without_spurs

REACH = 4.0
"""px beside a vein at which a click still means it."""


def remove_branch(mask: Mask, point: Point, label: int = BACKGROUND, reach: Px = REACH) -> Change:
    """Take away the branch within reach of a click, between its two bifurcations or ends.

    It becomes `label`: 0 background or 2 unsure.  The reach is more where an image is shown small.
    """
    is_vein = np.asarray(mask) == VEIN
    seed = _nearest(is_vein, point, reach)
    if seed is None:
        return painted(mask, np.zeros_like(is_vein), label)
    pieces, _ = ndimage.label(is_vein, np.ones((3, 3)))
    box = ndimage.find_objects(pieces, pieces[seed])[-1]
    piece = pieces[box] == pieces[seed]
    gone = np.zeros_like(is_vein)
    gone[box] = _branch_at(piece, (seed[0] - box[0].start, seed[1] - box[1].start))
    return painted(mask, gone, label)


def nearest_end(mask: Mask, point: Point, reach: Px) -> tuple[Point, Px] | None:
    """Find the end of a vein near a click, and the vein's width there.

    Where no end is near it is the nearest pixel of a centreline; None where there is no vein.
    """
    row, column = (round(place) for place in point)
    margin = int(2 * reach) + 8
    top, left = max(row - margin, 0), max(column - margin, 0)
    is_vein = np.asarray(mask)[top : row + margin + 1, left : column + margin + 1] == VEIN
    line = centreline(is_vein)
    here = np.array(point) - (top, left)
    ends = trace(line).ends
    # Where the excerpt cuts a vein is no end.
    ends = ends[((ends > 0) & (ends < np.subtract(line.shape, 1))).all(axis=1)]
    for candidates in (ends, np.argwhere(line)):
        if len(candidates):
            away = np.linalg.norm(candidates - here, axis=1)
            best = candidates[np.argmin(away)]
            if away.min() <= reach:
                width = _width_near(is_vein, line, best)
                return (float(best[0] + top), float(best[1] + left)), width
    return None


def _nearest(region: Binary, point: tuple[float, float], reach: float) -> tuple[int, int] | None:
    row, column = (round(place) for place in point)
    margin = int(reach)
    top, left = max(row - margin, 0), max(column - margin, 0)
    places = np.argwhere(region[top : row + margin + 1, left : column + margin + 1])
    places += top, left
    away = np.linalg.norm(places - np.array(point), axis=1)
    if not len(away) or away.min() > reach + 0.5:
        return None
    best = places[np.argmin(away)]
    return int(best[0]), int(best[1])


def _branch_at(piece: Binary, seed: tuple[int, int]) -> Binary:
    """Mark the pixels of one connected piece that belong to the branch at `seed` alone."""
    distance = ndimage.distance_transform_edt(np.pad(piece, 1))[1:-1, 1:-1]
    graph = trace(without_spurs(centreline(piece), piece))
    if len(graph.branches) < 2:
        return piece
    owner = np.full(piece.shape, -1)
    for number, branch in enumerate(graph.branches):
        inner = slice(branch.start is not None, len(branch.path) - (branch.end is not None))
        owner[tuple(branch.path[inner].T)] = number
    rows, columns = ndimage.distance_transform_edt(
        owner < 0, return_distances=False, return_indices=True
    )
    owner = owner[rows, columns]
    chosen = owner[seed]
    others = [branch for number, branch in enumerate(graph.branches) if number != chosen]
    gone: Binary = piece & (owner == chosen) & ~_drawn(others, distance)
    return gone | _crumbs(piece & ~gone, others)


def _drawn(branches: list[Branch], distance: NDArray[np.float64]) -> Binary:
    """Draw branches anew from their centrelines: the pixels that they need for themselves."""
    drawn = np.zeros(distance.shape, np.bool_)
    for branch in branches:
        radii = distance[tuple(branch.path.T)]
        # At a bifurcation the distance is that of the whole meeting, not of this branch.
        drawn |= disk_union(distance.shape, branch.path, np.minimum(radii, np.median(radii) * 1.25))
    return drawn


def _crumbs(rest: Binary, branches: list[Branch]) -> Binary:
    """Mark what has lost its centreline: splinters that the removed branch leaves behind."""
    pieces, count = ndimage.label(rest, np.ones((3, 3)))
    has_line = np.zeros(count + 1, np.bool_)
    for branch in branches:
        has_line[pieces[tuple(branch.path.T)]] = True
    return rest & ~has_line[pieces]


def _width_near(is_vein: Binary, line: Binary, place: NDArray[np.intp]) -> float:
    """Measure the vein beside its end: at the very end a rounded tip is thin."""
    distance = ndimage.distance_transform_edt(is_vein)
    rows, columns = np.nonzero(line)
    near = np.hypot(rows - place[0], columns - place[1]) <= max(8.0, 2 * distance[tuple(place)])
    return max(2 * float(np.median(distance[rows[near], columns[near]])) - 0.5, 1.0)
