"""From a vein probability to a mask."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from napari_veinseg.data.array_types import MaskStack, ProbabilityStack, Share

_TOUCHING = np.ones((3, 3), dtype=np.uint8)  # pixels that share a corner belong together
_STRIP = 8_000_000  # px that are labelled at a time


class StoredMask(Protocol):
    """A mask that is not in memory."""

    @property
    def planes(self) -> Sequence[Any]:
        """Every slice, `(Y, X)`; its rows are read and written by slices."""


def mask_from_probability(
    probability: ProbabilityStack, threshold: Share, min_size: int = 0
) -> MaskStack:
    """Threshold a probability and drop small components: no label is unsure.

    Components of fewer px (joined over edges and corners, within a slice) are dropped.
    """
    mask = (probability >= threshold).view(np.uint8)
    drop_small(mask, min_size)
    return mask


def drop_small(mask: "NDArray[np.uint8] | StoredMask", min_size: int) -> None:
    """Set the components of fewer than `min_size` px of a contiguous mask to background, in place.

    Large masks are labelled in strips, so that the labels never take more memory than a strip, and
    the sizes of the pieces of a component are added up across the seams.
    """
    if min_size > 1:
        planes: Iterable[Any] = (
            mask.reshape(-1, *mask.shape[-2:]) if isinstance(mask, np.ndarray) else mask.planes
        )
        for plane in planes:
            _drop_small(plane, min_size, max(2, _STRIP // plane.shape[1]))


def _drop_small(plane: Any, min_size: int, height: int) -> None:
    if len(plane) <= height:  # labelled once, without seams
        whole = slice(0, len(plane))
        rows = plane[whole]
        flat = rows.ravel()
        vein = np.flatnonzero(flat != 0)  # most is background, which need not be counted
        labels = ndimage.label(rows, _TOUCHING)[0].ravel()[vein]
        small = np.bincount(labels) < min_size
        flat[vein[small[labels]]] = 0
        plane[whole] = flat.reshape(rows.shape)
        return
    strips = [slice(top, top + height) for top in range(0, len(plane), height)]
    sizes, seams, first = [np.zeros(1, np.int64)], [], 1
    above = np.zeros(plane.shape[1], np.int64)
    for strip in strips:
        labels, count = ndimage.label(plane[strip], _TOUCHING)
        sizes.append(np.bincount(labels.ravel(), minlength=count + 1)[1:])
        seams.append(_touching_pairs(above, _numbered(labels[0], first)))
        above = _numbered(labels[-1], first)
        first += count
    keep = _component_sizes(np.concatenate(sizes), np.concatenate(seams)) >= min_size
    keep[0] = False
    first = 1
    for strip in strips:
        labels, count = ndimage.label(plane[strip], _TOUCHING)
        kept = np.concatenate([keep[:1], keep[first : first + count]]).view(np.uint8)
        plane[strip] = np.take(kept, labels, mode="clip")
        first += count


def _numbered(labels: NDArray[Any], first: int) -> NDArray[np.int64]:
    """Continue the numbers of the strips above; 0 stays background."""
    return np.where(labels > 0, labels.astype(np.int64) + (first - 1), 0)


def _touching_pairs(above: NDArray[np.int64], below: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers of the pieces that touch across a seam, shape (pairs, 2)."""
    shifted = [(above, below), (above[1:], below[:-1]), (above[:-1], below[1:])]
    pairs = np.concatenate([np.stack(rows, axis=1) for rows in shifted])
    return pairs[pairs.all(axis=1)]


def _component_sizes(sizes: NDArray[np.int64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Size in px of the whole component of each piece."""
    graph = sparse.coo_array((np.ones(len(pairs), bool), pairs.T), shape=2 * sizes.shape)
    _, component = sparse.csgraph.connected_components(graph, directed=False)
    totals: NDArray[np.int64] = np.bincount(component, weights=sizes).astype(np.int64)
    return totals[component]
