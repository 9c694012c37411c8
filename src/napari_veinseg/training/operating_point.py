"""The threshold at which a mask leaves a person least to correct."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.data.array_types import Mask, Share
from napari_veinseg.data.labels import BACKGROUND, VEIN
from napari_veinseg.data.sample import Pair
from napari_veinseg.errors import Cancelled
from napari_veinseg.evaluation.metrics import class_ious
from napari_veinseg.measurement.skeleton import centreline
from napari_veinseg.segmentation.masks import mask_from_probability
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.segmentation.vein_model import VeinModel

THRESHOLDS = (0.3, 0.4, 0.55, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97)
"""Those that are tried, beside a model's own."""

_SLIP = 2  # px that a line may lie beside a vein
_SHORT_VEIN = 100.0  # px that what is to correct is held against, where there is less of a vein
_USUAL_SPREAD = 0.3  # of what the same change saves from image to image: a prior for few images


@dataclass(frozen=True)
class Outcome:
    """What a mask is worth to the person who corrects it, or several masks together."""

    vein_iou: float
    """With the reviewed mask; the mean of several."""
    to_correct: float
    """Px of centreline that are wrong or missing."""
    to_draw: float
    """Px of centreline that there are to draw by hand."""
    to_mend: float = 0.0
    """Px that are wrong along the borders of the veins that are found."""
    area: float = 0.0
    """Px of veins."""

    @property
    def left(self) -> float | None:
        """What is to correct by what there is to draw: 1 for an empty mask, more is worse.

        None where there is nothing to draw.
        """
        return self.to_correct / self.to_draw if self.to_draw else None

    @property
    def cost(self) -> float:
        """Lines to correct, borders to mend, 1 - vein IoU: 0 is perfect, an empty mask costs 2.

        Borders count twice, in the vein IoU, too: without that a low threshold, at which many veins
        are found far too wide, seems cheap, and takes more strokes (docs/correction.md).
        """
        lines = self.to_correct / max(self.to_draw, _SHORT_VEIN)
        return lines + self.to_mend / max(self.area, _SHORT_VEIN) + 1 - self.vein_iou

    @staticmethod
    def of_all(outcomes: "Sequence[Outcome]") -> "Outcome":
        """Add images up, at least one: a long vein is more work than a short one."""
        return Outcome(
            statistics.mean(each.vein_iou for each in outcomes),
            sum(each.to_correct for each in outcomes),
            sum(each.to_draw for each in outcomes),
            sum(each.to_mend for each in outcomes),
            sum(each.area for each in outcomes),
        )


Outcomes = Mapping[Share, Outcome]
"""Of one image, by threshold."""


class ReviewedMask:
    """What masks are held against."""

    def __init__(self, mask: Mask) -> None:
        self._mask, self._veins = mask, mask == VEIN
        self._line, self._clear = centreline(self._veins), ~_near(mask != BACKGROUND)

    def judge(self, mask: Mask) -> Outcome:
        """Measure what is to be erased, drawn and mended."""
        drawn = mask == VEIN
        reached = _near(drawn)
        wrong, missing = centreline(drawn) & self._clear, self._line & ~reached
        too_wide = drawn & (self._mask == BACKGROUND) & ~self._clear
        too_narrow = self._veins & ~drawn & reached
        return Outcome(
            class_ious(mask, self._mask)[1],
            to_correct=float(wrong.sum() + missing.sum()),
            to_draw=float(self._line.sum()),
            to_mend=float(too_wide.sum() + too_narrow.sum()),
            area=float(self._veins.sum()),
        )


def _near(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return ndimage.binary_dilation(region, iterations=_SLIP)


def judge(
    model: VeinModel,
    pair: Pair,
    settings: SegmentationSettings,
    thresholds: Sequence[Share],
    stop: Callable[[], bool] | None = None,
) -> dict[float, Outcome]:
    """Segment an image once, and judge it at several thresholds; `Cancelled` if `stop` says so."""
    resolved = model.resolve(settings, pair.image, stop)
    probability = model.probability(pair.image, resolved, cancelled=stop)
    reviewed, outcomes = ReviewedMask(pair.mask), {}
    for threshold in thresholds:
        if stop and stop():
            raise Cancelled("The judging was stopped.")
        mask = mask_from_probability(probability, threshold, resolved.min_size)
        outcomes[threshold] = reviewed.judge(mask)
    return outcomes


def cheapest_threshold(
    seen: Sequence[Outcomes], present: Share, *, keeps_iou: bool = False
) -> Share:
    """Choose the threshold, of those that all images were judged at, at which masks cost least.

    The present one stays where no other surely saves work.  `keeps_iou` lets the vein IoU not
    fall: where a model draws much that is no vein, nearly empty masks cost least, and show nothing.
    """
    if not seen:
        return present
    both = {t: Outcome.of_all([each[t] for each in seen]) for t in seen[0]}
    least = both[present].vein_iou if keeps_iou else 0.0
    allowed = [t for t in both if both[t].vein_iou >= least]
    best = min(allowed, key=lambda t: (both[t].cost, abs(t - present)))
    surely = saves_work([each[present] for each in seen], [each[best] for each in seen])
    return best if surely else present


def saves_work(before: Sequence[Outcome], after: Sequence[Outcome]) -> bool:
    """Whether masks of the same images cost less, by more than the standard error of that."""
    saved = Outcome.of_all(before).cost - Outcome.of_all(after).cost
    each = np.array([b.cost - a.cost for b, a in zip(before, after, strict=True)])
    variance = (_USUAL_SPREAD**2 + ((each - each.mean()) ** 2).sum()) / each.size
    return bool(saved > np.sqrt(variance / each.size))
