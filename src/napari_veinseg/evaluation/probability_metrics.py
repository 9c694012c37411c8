"""Probabilities against truth: ROC, precision-recall, thresholds and calibration.

The probabilities of an image are counted once, in fine bins, by what the truth says; everything
else is derived from these counts, and pooling images is adding their counts.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.array_types import Mask, Probability
from napari_veinseg.data.labels import UNSURE, VEIN
from napari_veinseg.errors import VeinSegError

BINS = 1000
_CALIBRATION_BINS = 20

Rates = Annotated[NDArray[np.float64], "`(n,)`, in [0, 1]"]


@dataclass(frozen=True)
class ScoreHistogram:
    """Pixels by probability and truth; add those of images to pool them."""

    vein: NDArray[np.int64]
    background: NDArray[np.int64]
    """Both `(1000,)`: pixels whose probability lies in [k / 1000, (k + 1) / 1000), the last bin
    with 1."""

    def __add__(self, other: "ScoreHistogram") -> "ScoreHistogram":
        return ScoreHistogram(self.vein + other.vein, self.background + other.background)

    def vein_iou(self) -> Rates:
        """Give the vein IoU at each threshold 0, 0.001, ... 0.999.

        Without any vein pixel it is 1 where nothing is predicted and 0 elsewhere.
        """
        found, wrong = self._above()
        union = self.vein.sum() + wrong
        return np.where(union > 0, found / np.maximum(union, 1), 1.0)

    def roc(self) -> tuple[Rates, Rates]:
        """Trace the receiver operating characteristic: false over true positive rates.

        They go from (0, 0), where nothing is vein, to (1, 1); a rate of a class without pixels is
        0.
        """
        found, wrong = (np.append(above, 0)[::-1] for above in self._above())
        return wrong / max(self.background.sum(), 1), found / max(self.vein.sum(), 1)

    @property
    def roc_area(self) -> float:
        """Area under the ROC curve; 0.5 where one class has no pixels."""
        if not self.vein.any() or not self.background.any():
            return 0.5
        false_positive_rate, true_positive_rate = self.roc()
        height = (true_positive_rate[1:] + true_positive_rate[:-1]) / 2
        return float(np.sum(np.diff(false_positive_rate) * height))

    def precision_recall(self) -> tuple[Rates, Rates]:
        """Trace precision over recall, at thresholds 0.999 down to 0.

        Precision is 1 where nothing is predicted.
        """
        found, wrong = (above[::-1] for above in self._above())
        predicted = found + wrong
        precision = np.where(predicted > 0, found / np.maximum(predicted, 1), 1.0)
        return precision, found / max(self.vein.sum(), 1)

    @property
    def average_precision(self) -> float:
        """Precision averaged over recall, the area under their curve; 0 without vein pixels."""
        precision, recall = self.precision_recall()
        return float(np.sum(precision * np.diff(recall, prepend=0)))

    def calibration(self) -> tuple[Rates, Rates, Rates]:
        """Hold the probability against what it foretells, in 20 bins of equal width.

        Gives their mean probability, the share of vein pixels among them (0 in an empty bin) and
        the share of all pixels that lie in the bin.
        """
        both = (self.vein + self.background).reshape(_CALIBRATION_BINS, -1)
        vein = self.vein.reshape(_CALIBRATION_BINS, -1).sum(axis=1)
        middle = ((np.arange(BINS) + 0.5) / BINS).reshape(_CALIBRATION_BINS, -1)
        pixels = both.sum(axis=1)
        some = np.maximum(pixels, 1)
        mean = np.where(pixels > 0, (both * middle).sum(axis=1) / some, middle.mean(axis=1))
        return mean, vein / some, pixels / max(pixels.sum(), 1)

    @property
    def calibration_error(self) -> float:
        """Expected calibration error: mean distance of probability and share of vein pixels."""
        probability, share, weight = self.calibration()
        return float(np.sum(weight * np.abs(probability - share)))

    def _above(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Count vein and background pixels at or above each bin."""
        return np.cumsum(self.vein[::-1])[::-1], np.cumsum(self.background[::-1])[::-1]


def score_histogram(probability: Probability, truth: Mask) -> ScoreHistogram:
    """Count the pixels of one image by probability and truth.

    Raise VeinSegError if the shapes differ or a probability lies outside [0, 1] or is not finite.
    """
    if probability.shape != truth.shape:
        raise VeinSegError(
            f"A probability of shape {probability.shape} cannot be held against a truth of shape "
            f"{truth.shape}: give those of the same image."
        )
    if probability.size and not (probability.min() >= 0 and probability.max() <= 1):
        raise VeinSegError("A probability lies outside [0, 1] or is not finite: rescale it.")
    known = truth != UNSURE
    # Edges in float32, too: a probability at a threshold then falls on its upper side.
    edges = (np.arange(BINS) / BINS).astype(np.float32)
    bins = np.searchsorted(edges, probability[known].astype(np.float32), side="right") - 1
    is_vein = truth[known] == VEIN
    return ScoreHistogram(
        np.bincount(bins[is_vein], minlength=BINS), np.bincount(bins[~is_vein], minlength=BINS)
    )


def best_threshold(histograms: list[ScoreHistogram]) -> tuple[float, float]:
    """Find the threshold with the best vein IoU, mean of images, and that IoU.

    Of several equals it is the middle one.  It is fitted to the images it is scored on: an
    optimistic figure, not a result.
    """
    mean = np.mean([histogram.vein_iou() for histogram in histograms], axis=0)
    best = np.flatnonzero(mean >= mean.max())
    return float(best[len(best) // 2] / BINS), float(mean.max())
