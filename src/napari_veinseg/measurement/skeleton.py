"""The centreline of a mask, without spurs, and its graph: ends, bifurcations, branches between."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse import csgraph
from skimage.morphology import skeletonize

from napari_veinseg.data.array_types import Binary, Mask
from napari_veinseg.data.labels import VEIN

Points = Annotated[NDArray[np.intp], "`(n, 2)`, (row, column)"]

# The eight neighbours of a pixel in circular order, as (row, column) of a 3 x 3 window; neighbour
# k is bit k of a neighbourhood's code.
_RING = ((1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0), (0, 1), (0, 2))


@dataclass(frozen=True)
class Branch:
    """A stretch of centreline between two nodes."""

    path: Points
    """`(n, 2)` pixels in order, (row, column), with the pixel of a bifurcation at either end; a
    ring repeats its first pixel."""
    start: int | None
    end: int | None
    """Both: row in `Skeleton.bifurcations` of the bifurcation at that end; None at a free end."""
    is_ring: bool
    """Whether the branch is closed and meets no bifurcation."""


@dataclass(frozen=True)
class Skeleton:
    """The graph of a centreline."""

    ends: Points
    """`(n, 2)` pixels at which a vein ends."""
    bifurcations: Points
    """`(n, 2)` pixels at which three or more branches meet, one for each meeting."""
    branches: tuple[Branch, ...]
    """The stretches between them; a lone pixel is none."""


def centreline(mask: Mask) -> Binary:
    """Thin the veins of a mask to lines that are one pixel wide.

    Zhang and Suen's thinning gives the straightest lines but erases oblique strokes of two to four
    pixels; a component that loses a stretch is thinned by Lee's, which keeps the topology.  Pixels
    on staircases that connect nothing go, too.

    References
    ----------
    T. Y. Zhang and C. Y. Suen, "A fast parallel algorithm for thinning digital patterns",
    Communications of the ACM 27, 236-239 (1984).
    T.-C. Lee, R. L. Kashyap and C.-N. Chu, "Building skeleton models via 3-D medial surface axis
    thinning algorithms", CVGIP: Graphical Models and Image Processing 56, 462-478 (1994).
    """
    vein = mask == VEIN
    thin: Binary = skeletonize(vein, method="zhang")
    whole: Binary = skeletonize(vein, method="lee")
    reach = ndimage.distance_transform_edt(vein)
    lost = whole & (ndimage.distance_transform_edt(~thin) > reach if thin.any() else True)
    if lost.any():
        components, count = ndimage.label(vein, np.ones((3, 3)))
        redo = np.zeros(count + 1, bool)
        redo[components[lost]] = True
        thin = np.where(redo[components], whole, thin)
    while _drop_redundant(thin):
        pass
    return thin


def _drop_redundant(thin: Binary) -> bool:
    """Remove in place the pixels that connect nothing; tell whether there were any."""
    before = np.count_nonzero(thin)
    # No two pixels of a quarter of the grid touch: removing all of its redundant pixels at once
    # is the same as one after another.
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        quarter = (slice(row, None, 2), slice(column, None, 2))
        thin[quarter] &= ~_IS_REDUNDANT[_neighbourhood_codes(thin)[quarter]]
    return bool(np.count_nonzero(thin) < before)


def crossing_numbers(line: Binary) -> Annotated[NDArray[np.uint8], "`(Y, X)`"]:
    """Count the 0-1 transitions around each pixel of a centreline.

    They are 1 at an end, 2 along a vein, 3 or more at a bifurcation; 0 off the line and at a lone
    pixel.

    References
    ----------
    D. Rutovitz, "Pattern recognition", Journal of the Royal Statistical Society A 129, 504-530
    (1966).
    """
    return np.where(line, _CROSSINGS[_neighbourhood_codes(line)], np.uint8(0))


def trace(line: Binary) -> Skeleton:
    """Find the ends, bifurcations and branches of a centreline.

    Bifurcation pixels that touch are one bifurcation, shown by the pixel nearest to their middle.
    """
    pixels = np.argwhere(line)
    links = _links(line, pixels)
    # Thinning leaves a square of 2 x 2 pixels where four branches meet.
    in_square = ndimage.binary_opening(line, np.ones((2, 2)))
    in_node = ((crossing_numbers(line) >= 3) | in_square)[line]
    node_of = _components(links, in_node)
    nodes = _middles(pixels, node_of)
    branches = []
    for path in _paths(links, ~in_node):
        start, end = (None if node < 0 else int(node) for node in node_of[[path[0], path[-1]]])
        places = pixels[path]
        if start is not None:
            places[0] = nodes[start]
        if end is not None:
            places[-1] = nodes[end]
        branches.append(Branch(places, start, end, start is None and path[0] == path[-1]))
    ends = pixels[np.diff(links.indptr) == 1]
    return Skeleton(ends, nodes, tuple(branches))


def without_spurs(line: Binary, mask: Mask) -> Binary:
    """Remove the side branches of a mask's centreline that end inside the vein that they leave.

    They have one free end and do not reach beyond the vein's border, twice its radius at the
    bifurcation.
    """
    radius = ndimage.distance_transform_edt(mask == VEIN)
    skeleton = trace(line)
    kept = line.copy()
    for branch in skeleton.branches:
        if (branch.start is None) == (branch.end is None):
            continue
        meeting = branch.path[-1] if branch.start is None else branch.path[0]
        away = branch.path - meeting
        if np.hypot(*away.T).max() <= 2 * radius[tuple(meeting)]:
            kept[tuple(branch.path.T)] = False
            kept[tuple(meeting)] = True
    # Thinning again straightens the corner that a spur leaves behind.
    return centreline(kept)


def _links(line: Binary, pixels: Points) -> sparse.csr_array:
    """Link neighbouring pixels; a diagonal counts only where no corner links them already."""
    index = np.full((line.shape[0] + 2, line.shape[1] + 2), -1)
    index[1:-1, 1:-1][line] = np.arange(len(pixels))
    rows, columns = pixels.T + 1
    left, right = index[rows, columns - 1], index[rows, columns + 1]
    below = index[rows + 1, columns]
    below_right = np.where((right < 0) & (below < 0), index[rows + 1, columns + 1], -1)
    below_left = np.where((left < 0) & (below < 0), index[rows + 1, columns - 1], -1)
    targets = np.concatenate([right, below, below_right, below_left])
    sources = np.tile(np.arange(len(pixels)), 4)[targets >= 0]
    one_way = sparse.coo_array(
        (np.ones(len(sources), bool), (sources, targets[targets >= 0])), (len(pixels),) * 2
    )
    return (one_way + one_way.T).tocsr()


def _components(links: sparse.csr_array, members: Binary) -> NDArray[np.intp]:
    """Give each pixel the number of its connected group of members, from 0; -1 to the others."""
    group = np.full(len(members), -1, np.intp)
    if members.any():
        _, group[members] = csgraph.connected_components(links[members][:, members])
    return group


def _middles(pixels: Points, group: NDArray[np.intp]) -> Points:
    """Give the pixel of each group that is nearest to the group's mean."""
    pixels, group = pixels[group >= 0], group[group >= 0]
    size = np.bincount(group)
    mean = np.stack([np.bincount(group, axis) for axis in pixels.T], axis=-1) / size[:, None]
    away = ((pixels - mean[group]) ** 2).sum(axis=1)
    order = np.lexsort((away, group))
    return pixels[order[np.unique(group[order], return_index=True)[1]]]


def _paths(links: sparse.csr_array, is_free: Binary) -> Iterator[list[int]]:
    """Give each strand of free pixels in order, with the bifurcation pixel at either end, if any.

    A free pixel has at most two links: those with more are bifurcations.
    """
    ahead = [linked.tolist() for linked in np.split(links.indices, links.indptr[1:-1])]
    is_tip = is_free & (links.astype(np.int8) @ is_free.astype(np.int8) < 2)
    unseen = set(np.flatnonzero(is_free).tolist())
    # Tips first: what is left after them is rings.
    for first in np.flatnonzero(is_tip).tolist() + np.flatnonzero(is_free & ~is_tip).tolist():
        if first not in unseen:
            continue
        unseen.remove(first)
        path = [first]
        while onward := [pixel for pixel in ahead[path[-1]] if pixel in unseen]:
            path.append(onward[0])
            unseen.remove(onward[0])
        if not is_tip[first]:
            yield [*path, first]
            continue
        head = [pixel for pixel in ahead[first] if not is_free[pixel]]
        tail = [pixel for pixel in ahead[path[-1]] if not is_free[pixel]]
        whole = [*head[:1], *path, *(tail[:1] if len(path) > 1 else head[1:])]
        if len(whole) > 1:
            yield whole


_BITS = (np.arange(256)[:, None] >> np.arange(8)) & 1
_CROSSINGS = ((_BITS == 0) & (np.roll(_BITS, -1, axis=1) == 1)).sum(axis=1).astype(np.uint8)
_AROUND = 1 - np.concatenate([_BITS, _BITS[:, :1]], axis=1)
_CONNECTS = sum(
    _AROUND[:, k] - _AROUND[:, k] * _AROUND[:, k + 1] * _AROUND[:, k + 2] for k in (0, 2, 4, 6)
)
# Yokoi's connectivity number is 1 where removal leaves the neighbours connected; tips stay.
_IS_REDUNDANT = (_CONNECTS == 1) & (_BITS.sum(axis=1) >= 2)


def _neighbourhood_codes(line: Binary) -> NDArray[np.uint8]:
    """Give each pixel a byte that holds its eight neighbours."""
    padded = np.pad(line, 1).view(np.uint8)
    height, width = line.shape
    codes = np.zeros(line.shape, np.uint8)
    for bit, (row, column) in enumerate(_RING):
        codes |= padded[row : row + height, column : column + width] << np.uint8(bit)
    return codes
