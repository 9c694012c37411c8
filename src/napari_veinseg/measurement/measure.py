"""Lengths, widths and counts of the veins of a mask, by branch and by image."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.data.array_types import Binary, Mask, Spacing
from napari_veinseg.data.labels import UNSURE, VEIN
from napari_veinseg.measurement.skeleton import Branch, Skeleton, centreline, trace, without_spurs
from napari_veinseg.measurement.square_pixels import square_pixels
from napari_veinseg.measurement.vein_width_from_mask import widths

Floats = NDArray[np.float64]

# A chain of pixels is up to 8 % longer than the line it stands for; smoothed with this sigma (in
# pixels along the chain) it is right within about 1 %.
_SMOOTHING = 2.0


@dataclass(frozen=True)
class BranchMeasures:
    """One branch, in the unit of the spacing."""

    length: float
    """Arc length."""
    mean_width: float
    width_5: float
    width_95: float
    """Mean, 5 and 95 % of the width along the branch, away from its bifurcations; NaN where label 2
    hides it everywhere."""
    tortuosity: float
    """Arc length over the distance between both ends, 1 for a straight branch; NaN for a ring."""


@dataclass(frozen=True)
class ImageMeasures:
    """One mask, in the unit of the spacing."""

    area: float
    """Of all that is not unsure."""
    vein_area_share: float
    """Vein area over that area; 0 where all is unsure."""
    total_length: float
    """Sum of all branches' lengths."""
    median_width: float
    """Median width along all centrelines; NaN without veins."""
    branches: int
    ends: int
    bifurcations: int
    bifurcation_density: float
    """Bifurcations over the area; 0 where all is unsure."""


@dataclass(frozen=True)
class Measurement:
    """The graph of a mask in px, the figures of its branches in that order, and of the whole."""

    skeleton: Skeleton
    branches: tuple[BranchMeasures, ...]
    image: ImageMeasures


def measure(mask: Mask, spacing: Spacing = (1.0, 1.0)) -> Measurement:
    """Measure the veins of a mask, without what is unsure."""
    square = square_pixels(mask, spacing)
    line = without_spurs(centreline(square.mask), square.mask)
    width = widths(square.mask, line, (square.side, square.side))
    skeleton = trace(line)
    vein = square.mask == VEIN
    branches = tuple(
        _measure_branch(branch, width, vein, square.side) for branch in skeleton.branches
    )
    known = width[np.isfinite(width)]
    pixels, size = int(np.count_nonzero(mask != UNSURE)), spacing[0] * spacing[1]
    image = ImageMeasures(
        area=pixels * size,
        vein_area_share=np.count_nonzero(mask == VEIN) / max(pixels, 1),
        total_length=sum(branch.length for branch in branches),
        median_width=float(np.median(known)) if known.size else float("nan"),
        branches=len(branches),
        ends=len(skeleton.ends),
        bifurcations=len(skeleton.bifurcations),
        bifurcation_density=len(skeleton.bifurcations) / (max(pixels, 1) * size),
    )
    return Measurement(square.restore(skeleton), branches, image)


def line_lengths(line: Binary) -> Annotated[Floats, "`(n,)`, in px"]:
    """Measure the connected stretches of a centreline, or of a part of one.

    The length of a stretch is the summed arc length of its branches; a lone pixel has 1.
    """
    components, count = ndimage.label(line, np.ones((3, 3)))
    lengths = np.zeros(count)
    for branch in trace(line).branches:
        middle = branch.path[len(branch.path) // 2]
        lengths[components[tuple(middle)] - 1] += _arc_length(
            branch.path.astype(float), branch.is_ring
        )
    return np.maximum(lengths, 1.0)


def _measure_branch(branch: Branch, width: Floats, vein: Binary, side: float) -> BranchMeasures:
    along = width[tuple(branch.path.T)]
    places = _with_ends(branch, along, vein, side)
    length = _arc_length(places, branch.is_ring)
    chord = float(np.linalg.norm(places[-1] - places[0]))
    away = _away_from_bifurcations(branch, places, along)
    if np.isfinite(along[away]).any():
        along = along[away]
    along = along[np.isfinite(along)]
    low, high = np.percentile(along, (5, 95)) if along.size else (np.nan, np.nan)
    return BranchMeasures(
        length=length,
        mean_width=float(along.mean()) if along.size else float("nan"),
        width_5=float(low),
        width_95=float(high),
        tortuosity=max(1.0, length / chord) if chord else float("nan"),
    )


def _with_ends(branch: Branch, along: Floats, vein: Binary, side: float) -> Floats:
    """Move the free ends of a branch to where thinning should have left them.

    A vein's centreline ends half a width before its tip, or where it leaves the frame.  Thinning
    eats more of a wide vein that runs at 45 degrees.
    """
    places = (branch.path * side).astype(np.float64)
    if branch.is_ring:
        return places
    moved = places.copy()
    for index, node in ((0, branch.start), (-1, branch.end)):
        if node is None:
            inwards = slice(None) if index == 0 else slice(None, None, -1)
            moved[index] = _true_end(places[inwards], along[inwards], vein, side)
    return moved


def _true_end(places: Floats, along: Floats, vein: Binary, side: float) -> Floats:
    """Give the true end of a line of places that begins at a free end."""
    end: Floats = places[0]
    away = np.linalg.norm(places - end, axis=1)
    nearby = along[away <= 2 * np.nanmax(along, initial=0)]
    if not np.isfinite(nearby).any():
        return end
    half = float(np.nanmedian(nearby)) / 2
    back = places[int(np.argmax(away >= 3 * half)) or -1]
    outwards = (end - back) / max(float(np.linalg.norm(end - back)), 1e-9)
    steps = np.arange(0, 4 * half + side, 0.25 * side)
    pixels = np.rint((end + steps[:, None] * outwards) / side).astype(int)
    in_frame = ((pixels >= 0) & (pixels < vein.shape)).all(axis=1)
    inside = in_frame.copy()
    inside[in_frame] = vein[tuple(pixels[in_frame].T)]
    if inside.all():
        return end
    first_outside = int(np.argmin(inside))
    tip = steps[first_outside]
    missing = tip - half if in_frame[first_outside] else tip
    return end + float(np.clip(missing, 0, 2 * half)) * outwards


def _arc_length(places: Floats, closed: bool) -> float:
    if closed:
        places = places[:-1]
    smooth = ndimage.gaussian_filter1d(
        places, _SMOOTHING, axis=0, mode="wrap" if closed else "nearest"
    )
    if closed:
        smooth = np.concatenate([smooth, smooth[:1]])
    else:
        smooth[[0, -1]] = places[[0, -1]]
    return float(np.linalg.norm(np.diff(smooth, axis=0), axis=1).sum())


def _away_from_bifurcations(branch: Branch, places: Floats, along: Floats) -> Binary:
    """Mark what lies outside the circle that fits into the vein where it meets others."""
    away = np.ones(len(places), bool)
    for index, node in ((0, branch.start), (-1, branch.end)):
        if node is not None and np.isfinite(along[index]):
            distance = np.linalg.norm(places - places[index], axis=1)
            away &= distance > along[index] / 2
    return away
