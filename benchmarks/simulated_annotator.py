"""An annotator who knows the truth and corrects a mask by the cheapest way that the tools offer.

An action is a click, a key or a field that is set.  Greedy: of all that could be done next, the one
that raises the vein Dice most for its actions.  The hand slips by a pixel, smoothly along a stroke.
"""

from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import pairwise
from typing import Any

import numpy as np
from correction_course import Option, Region, Stroke, improve
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.measure import approximate_polygon

from napari_veinseg.correction import cleanup
from napari_veinseg.correction.branches import remove_branch
from napari_veinseg.correction.change import Change, disk_union
from napari_veinseg.correction.cleanup import redrawn_as_measured
from napari_veinseg.correction.lines import densified, vein_redrawn, vein_region
from napari_veinseg.correction.tracing import Tracer, measured_width, path_cost, snapped
from napari_veinseg.correction.vein_finder import VeinFinder
from napari_veinseg.correction.vein_profile import centred, widths_along
from napari_veinseg.data.grey import to_grey
from napari_veinseg.measurement.skeleton import centreline, trace
from napari_veinseg.measurement.vein_width_from_image import estimate_vein_width

SLIP = 1.0


def with_tools(
    image: np.ndarray, start: Region, truth: np.ndarray, probability: np.ndarray | None
) -> list[float]:
    """Correct with this package's tools."""
    grey = to_grey(image)
    veins = None if probability is None else probability >= 0.5
    width = measured_width(veins) or estimate_vein_width(grey)
    cost = path_cost(grey, width, probability)
    finder = VeinFinder(grey, width)
    traces = [
        option
        for stretch in _stretches(truth, start)
        for option in _trace_options(stretch, grey, cost, width, truth)
    ]

    def redrawn(mask: Region) -> Region:
        return redrawn_as_measured(mask, grey, width).applied_to(mask) == 1

    def options(mask: Region) -> list[Option]:
        # The threshold is a slider; it is moved before anything is drawn.
        sliding = probability if mask is start else None
        return [
            *_removals(mask, truth),
            *_whole_mask(),
            Option(1, redrawn),
            *traces,
            *_additions(mask, truth, finder),
            *(_thresholds(sliding) if sliding is not None else []),
        ]

    return improve(start, truth, options)


def _additions(mask: Region, truth: np.ndarray, finder: VeinFinder) -> list[Option]:
    """Click on the middle of each stretch that is missing; what is shown there is drawn."""
    rng = np.random.default_rng(0)
    lacking, count = ndimage.label(centreline(truth == 1) & ~mask, np.ones((3, 3)))
    options = []
    for number in range(1, count + 1):
        places = np.argwhere(lacking == number)
        if len(places) < 6:
            continue
        click = places[len(places) // 2] + rng.normal(0, SLIP, 2)
        found = finder.find(mask, (click[0], click[1]))
        if not found.refusal:
            drawn = vein_region(mask.shape, found.path, found.widths)
            options.append(Option(1, partial(np.logical_or, drawn)))
    return options


def _thresholds(probability: np.ndarray) -> list[Option]:
    def above(level: float, _mask: Region) -> Region:
        return probability >= level

    return [Option(1, partial(above, level)) for level in np.arange(0.05, 1, 0.1)]


def _stretches(truth: np.ndarray, start: Region) -> list[np.ndarray]:
    """Return the branches of the truth, and the stretches of them that the mask misses."""
    stretches = []
    for branch in trace(centreline(truth == 1)).branches:
        if len(branch.path) < 6:
            continue
        stretches.append(branch.path)
        missing, count = ndimage.label(~start[tuple(branch.path.T)])
        for number in range(1, count + 1):
            places = np.flatnonzero(missing == number)
            if 6 <= len(places) < len(branch.path):
                stretches.append(branch.path[places])
    return stretches


def _trace_options(
    stretch: np.ndarray, grey: np.ndarray, cost: np.ndarray, width: float, truth: np.ndarray
) -> list[Option]:
    path, clicks = _traced(stretch, grey, cost, width)
    true_width = 2 * np.median(ndimage.distance_transform_edt(truth == 1)[tuple(stretch.T)])
    measured = vein_region(truth.shape, path, widths_along(grey, path, width))
    fixed = vein_region(truth.shape, path, round(2 * true_width) / 2)

    def redrawn(mask: Region, widths: Any) -> Region:
        return vein_redrawn(mask.astype(np.uint8), path, widths).applied_to(mask) == 1

    # One action ends the line; a fixed width and replacing the old vein are one more each.
    return [
        Option(clicks + 1, lambda mask: mask | measured),
        Option(clicks + 2, lambda mask: mask | fixed),
        Option(clicks + 2, lambda mask: redrawn(mask, widths_along(grey, path, width))),
        Option(clicks + 3, lambda mask: redrawn(mask, round(2 * true_width) / 2)),
    ]


def _traced(
    stretch: np.ndarray, grey: np.ndarray, cost: np.ndarray, width: float
) -> tuple[np.ndarray, int]:
    """Click both ends, and then where the line strays most, until it strays no more."""
    at = [0, len(stretch) - 1]
    slips = np.random.default_rng(0).normal(0, SLIP, stretch.shape)
    reach = max(width, 3)
    while True:
        parts = [
            centred(grey, Tracer(cost, one).path(other), width)
            for one, other in pairwise(snapped(cost, (stretch + slips)[i], reach) for i in at)
        ]
        path = np.concatenate([parts[0], *(part[1:] for part in parts[1:])])
        off = cKDTree(path).query(stretch)[0]
        strays = max(off.max(), cKDTree(stretch).query(path)[0].max())
        worst = int(off.argmax()) if off.max() > 1 else len(stretch) // 2
        if strays <= 3 or len(at) >= 7 or worst in at:
            return path, len(at)
        at = sorted([*at, worst])


def _removals(mask: Region, truth: np.ndarray) -> list[Option]:
    near = ndimage.binary_dilation(truth > 0, iterations=2)
    options = []
    for branch in trace(centreline(mask)).branches:
        if near[tuple(branch.path.T)].mean() < 0.5:
            middle = branch.path[len(branch.path) // 2]
            gone = remove_branch(mask, tuple(middle))
            options.append(Option(1, partial(_changed, gone)))
    return options


def _whole_mask() -> list[Option]:
    tools: tuple[Callable[[Region], Change], ...] = (
        cleanup.thin,
        cleanup.thicken,
        cleanup.smooth,
        lambda mask: cleanup.drop_specks(mask, 30),
        lambda mask: cleanup.fill_holes(mask, 30),
    )

    def used(tool: Callable[[Region], Change], mask: Region) -> Region:
        return _changed(tool(mask), mask)

    return [Option(1, partial(used, tool)) for tool in tools]


def _changed(change: Change, mask: Region) -> Region:
    return change.applied_to(mask) == 1


def with_brush(start: Region, truth: np.ndarray, straight: bool) -> list[float]:
    """Correct with napari's brush and eraser.

    A stroke is one press of the button: the brush, as wide as the vein, passes along a branch of
    the truth, or the eraser along one side of it or along a wrong branch.  `straight` strokes end
    where the vein bends away from a straight line by more than a pixel.
    """
    rng = np.random.default_rng(0)
    is_vein = truth == 1
    distance = ndimage.distance_transform_edt(is_vein)
    paints, erasers = [], []
    for branch in trace(centreline(is_vein)).branches:
        for piece in _pieces(branch.path, straight):
            reach = float(np.median(distance[tuple(np.rint(piece).astype(int).T)]))
            region = disk_union(truth.shape, _slipped(piece, rng), reach)
            paints.append(Stroke(region, True))
            for side in _sides(piece, reach):
                free = disk_union(truth.shape, _slipped(side, rng), 3.0)
                erasers.append(Stroke(free, False))
    near = ndimage.binary_dilation(is_vein, iterations=2)

    @cache  # most wrong branches are still there after another stroke
    def erasure(piece: bytes, reach: float) -> Stroke:
        places = np.frombuffer(piece).reshape(-1, 2)
        return Stroke(disk_union(truth.shape, places, reach), False)

    def options(mask: Region) -> list[Option]:
        wrong = _wrong_pieces(mask, near, straight)
        return [*paints, *erasers, *(erasure(piece.tobytes(), reach) for piece, reach in wrong)]

    return improve(start, truth, options)


def _wrong_pieces(mask: Region, near: Region, straight: bool) -> Iterator[tuple[np.ndarray, float]]:
    """Find what an eraser has to follow, and how wide it must be for that."""
    distance = ndimage.distance_transform_edt(mask)
    for branch in trace(centreline(mask)).branches:
        if near[tuple(branch.path.T)].mean() < 0.5:
            for piece in _pieces(branch.path, straight):
                yield piece, distance[tuple(np.rint(piece).astype(int).T)].max() + 2


def _pieces(path: np.ndarray, straight: bool) -> list[np.ndarray]:
    path = path.astype(float)
    if not straight:
        return [densified(path)[0]]
    corners = approximate_polygon(path, 1.0)
    return [densified(corners[i : i + 2])[0] for i in range(len(corners) - 1)]


def _sides(piece: np.ndarray, reach: float) -> list[np.ndarray]:
    """Return the ways of an eraser 6 px wide along either side of a vein."""
    if len(piece) < 3:
        return []
    sideways = _normals(piece) * (reach + 3)
    return [piece + sideways, piece - sideways]


def _slipped(piece: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Let the hand slip sideways, smoothly over about 10 px."""
    if len(piece) < 3:
        return piece + rng.normal(0, SLIP, 2)
    slip = ndimage.gaussian_filter1d(rng.normal(0, 1, len(piece) + 200), 20)[100:-100]
    # The sd of white noise after this filter is 1 / sqrt(2 sqrt(pi) sigma).
    return piece + (SLIP * slip * np.sqrt(2 * np.sqrt(np.pi) * 20))[:, None] * _normals(piece)


def _normals(piece: np.ndarray) -> np.ndarray:
    ahead = np.gradient(piece, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True) + 1e-9
    return np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
