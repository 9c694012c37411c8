"""How wide the veins of an image are, measured on what the network draws.

A network marks veins that are told at about their width, and draws them as wide as they are.  Told
far too wide it marks only what is broad, and draws it narrower than told; told far too narrow it
draws wider.  So an image is looked at with told widths an octave apart, a few small tiles each,
and the widths drawn are averaged by how much is drawn, those that agree with the told one first.
"""

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.grey import is_constant
from napari_veinseg.segmentation.tiling.image_source import ImagePlane, ImageSource, spread_starts
from napari_veinseg.segmentation.tiling.normalisation import Normaliser
from napari_veinseg.segmentation.tiling.resampling import Resampling, resample

Image = Annotated[NDArray[np.float32], "`(Y, X)`, or `(N, Y, X)` of tiles"]
Predict = Callable[[Image], Image]
"""`(N, Y, X)` normalised grey at working scale to the probability of vein."""
WorkingWidth = Annotated[float, "px of a vein as the network sees it"]
PaddedSide = Callable[[int], int]
"""The side of the next larger input that the network takes."""

_WIDEST = 0.08  # of the shorter side: the first width told; the next ones are halves of it
_NARROWEST = 0.004  # of the shorter side ...
_LEAST = 1.0  # ... and px of the image: finer veins than a pixel are not drawn
_TILE = 96  # working px: 19 vein widths, nearly as high as a training patch
_SHARE = 8  # a look takes an eighth of a whole pass at its width ...
_MOST_TILES = 9  # ... between one tile and so many
_DOUBT = np.float32(0.2)  # probability up to which nothing counts as drawn
_FAINTEST = 2e-4  # mean squared probability of a look at a few px of vein
_TOLERANCE = 1.2  # octaves between told and drawn width that weigh a look by exp(-1/2)
_ENOUGH = 0.7  # octaves wider than told: finer looks would see nothing but parts of these veins
_MOST_EXCESS = 4.0  # times that veins can be drawn wider than told
_THINNER = 0.75  # the width to tell: a fine vein is lost at too wide, little at too narrow
_USUAL_SHARE = 0.03  # of the shorter side, where nothing is seen at any width
_MOST_SLICES = 5  # of a stack that the width is measured on
_APART = 2.0  # octaves between two widths that are not one ...
_AS_GOOD = 0.8  # ... of which the other weighs so much


@dataclass(frozen=True)
class Look:
    """What the network draws at one told width."""

    told: float
    drawn: float
    """Both are a width in px of the image; NaN where nothing is drawn."""
    evidence: float
    """Mean of the squared probability above doubt."""

    @property
    def sees(self) -> bool:
        """Whether more than a speck is drawn."""
        return self.evidence > _FAINTEST

    @property
    def excess(self) -> float:
        """Octaves that the veins are drawn wider than told."""
        return math.log2(self.drawn / self.told)

    @property
    def weight(self) -> float:
        """How far it is to be believed."""
        if not self.sees:
            return 0.0
        return self.evidence * math.exp(-0.5 * (self.excess / _TOLERANCE) ** 2)


@dataclass(frozen=True)
class MeasuredWidth:
    """The vein width of an image, and what it rests on."""

    width: float
    """To be told to the network, in px of the image."""
    looks: tuple[Look, ...]
    """From the widest told width on; none where the image shows nothing."""

    @property
    def remark(self) -> str:
        """A sentence for the user where the width is in doubt; empty where it is not."""
        if not any(look.sees for look in self.looks):
            if not self.looks:
                return ""
            widest, narrowest = self.looks[0].told, self.looks[-1].told
            return (
                f"No vein was found at widths from {narrowest:.1f} to {widest:.1f} px: give the "
                "vein width, try another channel, or say that veins are bright."
            )
        rivals = _rivals(self.looks)
        if not rivals:
            return ""
        one, other = sorted(rivals)
        return (
            f"Veins of {one:.1f} px and of {other:.1f} px answer equally well, the network "
            f"was told {self.width:.1f} px: give the vein width that you mean."
        )


def measure_width(
    grey: Image,
    normaliser: Normaliser,
    predict: Predict,
    working_width: WorkingWidth,
    padded_side: PaddedSide,
) -> MeasuredWidth:
    """Measure the width of the dark veins of an image, with a normaliser from the whole of it.

    The answer is three quarters of the mean width, so that fine veins are seen too; 3 % of the
    shorter side where nothing is drawn at any width.

    Width is twice the area over the perimeter of what is drawn, in the mean over all thresholds: by
    the coarea formula, twice the sum of the probability over its total variation.  It changes
    smoothly with the image and needs neither a threshold nor a centreline.

    References
    ----------
    H. Federer, Curvature measures, Trans. Amer. Math. Soc. 93 (1959).
    """
    looks: list[Look] = []
    told = _WIDEST * min(grey.shape)
    while told >= max(_LEAST, _NARROWEST * min(grey.shape)) or not looks:
        drawn = predict(_tiles(grey, normaliser, working_width / told, padded_side))
        looks.append(_look(drawn, told, working_width))
        if looks[-1].sees and looks[-1].excess > _ENOUGH:
            break
        told /= 2
    return MeasuredWidth(_believed(looks, min(grey.shape)), tuple(looks))


def measure_source_width(
    source: ImageSource,
    percentiles: Annotated[tuple[float, float], "of the model's normalisation"],
    predict: Predict,
    working_width: WorkingWidth,
    padded_side: PaddedSide,
) -> MeasuredWidth:
    """Measure the vein width of an image or stack on some slices, and on parts of large ones.

    A stack shows one thing: of those that saw veins, the one with the median width counts.  It is
    the working width where nothing is to be seen.
    """
    found = [
        measure_width(grey, normaliser, predict, working_width, padded_side)
        for plane in _some_planes(source)
        for grey, normaliser in _parts(plane, percentiles)
    ]
    seen = [each for each in found if any(look.sees for look in each.looks)] or found
    if not seen:
        return MeasuredWidth(working_width, ())
    width = statistics.median([each.width for each in seen])
    nearest = min(seen, key=lambda each: abs(each.width - width))
    return MeasuredWidth(width, nearest.looks)


def _some_planes(source: ImageSource) -> Iterator[ImagePlane]:
    last = len(source) - 1
    for index in sorted({round(last * part / (_MOST_SLICES - 1)) for part in range(_MOST_SLICES)}):
        yield source.plane(index)


def _parts(
    plane: ImagePlane, percentiles: tuple[float, float]
) -> Iterator[tuple[Image, Normaliser]]:
    """Give what is looked at, normalised as when it is segmented."""
    if not np.isfinite(plane.sample).any():
        return
    normaliser = Normaliser.from_image(plane.sample, *percentiles)
    for crop in plane.crops():
        if not normaliser.constant and not is_constant(crop):
            yield crop, normaliser


def _tiles(grey: Image, normaliser: Normaliser, factor: float, padded_side: PaddedSide) -> Image:
    """Cut the image as the network sees it, or tiles spread over it, `(N, Y, X)`."""
    working = [max(1, round(side * factor)) for side in grey.shape]
    budget = max(_TILE**2, working[0] * working[1] / _SHARE)
    if working[0] * working[1] <= 1.3 * budget:
        sides, count = working, 1
    else:
        sides = _tile_sides(working)
        count = math.ceil(math.sqrt(min(_MOST_TILES, round(budget / (sides[0] * sides[1])))))
    axes = [Resampling(side, wanted) for side, wanted in zip(grey.shape, working, strict=True)]
    rows, columns = (
        [(start, start + padded_side(side)) for start in spread_starts(whole, side, count)]
        for whole, side in zip(working, sides, strict=True)
    )
    tiles = [_cut(grey, normaliser, axes, (row, column)) for row in rows for column in columns]
    return np.stack(tiles)


def _tile_sides(working: Sequence[int]) -> list[int]:
    """Take a square, or as large a piece of an image that is narrower than that."""
    short = min(_TILE, *working)
    long = min(max(working), _TILE**2 // short)
    return [short, long] if working[0] <= working[1] else [long, short]


def _cut(
    grey: Image,
    normaliser: Normaliser,
    axes: Sequence[Resampling],
    place: tuple[tuple[int, int], tuple[int, int]],
) -> Image:
    needed = tuple(slice(*axis.needs(*span)) for axis, span in zip(axes, place, strict=True))
    rows, columns = (axis.matrix(*span) for axis, span in zip(axes, place, strict=True))
    return resample(normaliser(grey[needed]), rows, columns)


def _look(probability: Image, told: float, working_width: float) -> Look:
    """Measure what is drawn in the tiles of one look."""
    drawn = np.maximum(probability - _DOUBT, 0)
    down, right = np.diff(drawn, axis=1)[:, :, :-1], np.diff(drawn, axis=2)[:, :-1]
    variation = float(np.sqrt(down * down + right * right).sum(dtype=np.float64))
    if not variation:
        return Look(told, math.nan, 0.0)
    area = float(drawn.sum(dtype=np.float64))
    # What fills the tiles has next to no perimeter.
    width = min(2 * area / variation, _MOST_EXCESS * working_width)
    evidence = float(np.mean(drawn * drawn, dtype=np.float64))
    return Look(told, width * told / working_width, evidence)


def _believed(looks: Sequence[Look], side: int) -> float:
    """Average the drawn widths in octaves."""
    total = sum(look.weight for look in looks)
    if not total:
        return _rounded(max(_LEAST, _USUAL_SHARE * side))
    octaves = sum(look.weight * math.log2(look.drawn) for look in looks if look.weight)
    return _rounded(max(_LEAST, _THINNER * math.exp2(octaves / total)))


def _rounded(width: float) -> float:
    """Three digits: what runtimes differ by in the last bits makes no other width."""
    return float(f"{width:.3g}")


def _rivals(looks: Sequence[Look]) -> tuple[float, float] | None:
    """Find two drawn widths far apart that agree with the told ones, and none between them does."""
    seen = [look for look in looks if look.weight and abs(look.excess) < 0.5]
    for one in seen:
        for other in seen:
            between = [look for look in looks if other.told < look.told < one.told]
            apart = math.log2(one.told / other.told) >= _APART
            alike = min(one.weight, other.weight) >= _AS_GOOD * max(one.weight, other.weight)
            if apart and alike and all(abs(look.excess) >= 0.5 for look in between if look.sees):
                return one.drawn, other.drawn
    return None
