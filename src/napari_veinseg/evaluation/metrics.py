"""How well a mask or a probability agrees with the truth: counts first, metrics derived from them.

Two reductions exist and every name in a report says which it is: *mean of images* (each image is
scored, then the scores are averaged) and *pooled* (the counts of all images are added, then scored
once).  Pixels that the truth labels 2 (unsure) count nowhere.  A prediction's 2 is background:
nobody gains by doubt, all contenders are judged on the same pixels, and the share of 2 in what they
say is reported.

**Empty masks.** A ratio of nothing to nothing is 1 where truth and prediction are both empty (they
agree), else 0.  Thus an empty prediction of a truth with veins has IoU, Dice, precision and recall
0, and so has a prediction of an image without veins.  No metric here is ever NaN.

The IoU of an image is computed by MONAI (`class_ious`), pooled figures from our counts; the tests
hold the two equal, and the other figures against MONAI's `DiceMetric` and scikit-learn.
"""

from dataclasses import astuple, dataclass

import numpy as np
from scipy import ndimage

from napari_veinseg.data.array_types import Binary, Mask, MaskStack, Px, Share
from napari_veinseg.data.labels import UNSURE, VEIN
from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation.error_map import Agreement, agreement
from napari_veinseg.measurement.measure import line_lengths
from napari_veinseg.measurement.skeleton import centreline
from napari_veinseg.measurement.vein_width_from_mask import median_width

TOLERANCE = 2.0
"""px by which a centreline may lie beside the true one."""
_SHORTEST_CORRECTION = 3.0  # vein widths: below that nobody would take up the pen
_USUAL_WIDTH = 5.0  # px, where a truth shows no vein


@dataclass(frozen=True)
class Counts:
    """Pixels by prediction and truth; add the counts of images for a pooled score."""

    true_positive: int
    """Vein in both."""
    false_positive: int
    """In the prediction only."""
    false_negative: int
    """In the truth only."""
    true_negative: int
    """In neither."""

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def pixels(self) -> int:
        """How many were counted."""
        return self.true_positive + self.false_positive + self.false_negative + self.true_negative

    @property
    def true_share(self) -> float:
        """Share of the pixels that are vein in the truth."""
        return self._ratio(self.true_positive + self.false_negative, self.pixels)

    @property
    def predicted_share(self) -> float:
        """Share of the pixels that are vein in the prediction."""
        return self._ratio(self.true_positive + self.false_positive, self.pixels)

    @property
    def vein_iou(self) -> float:
        """Intersection over union of the vein class."""
        return self._ratio(
            self.true_positive, self.true_positive + self.false_positive + self.false_negative
        )

    @property
    def background_iou(self) -> float:
        """Intersection over union of the background."""
        missed = self.false_positive + self.false_negative
        # Where nothing is missed both agree, be it that there is no background.
        return self.true_negative / (self.true_negative + missed) if missed else 1.0

    @property
    def two_class_mean_iou(self) -> float:
        """Mean of the vein's and the background's IoU; high wherever veins are few."""
        return (self.vein_iou + self.background_iou) / 2

    @property
    def dice(self) -> float:
        """Twice the intersection over the sum of both areas."""
        return self._ratio(
            2 * self.true_positive,
            2 * self.true_positive + self.false_positive + self.false_negative,
        )

    @property
    def precision(self) -> float:
        """Share of the predicted vein that is vein."""
        return self._ratio(self.true_positive, self.true_positive + self.false_positive)

    @property
    def recall(self) -> float:
        """Share of the vein that is predicted."""
        return self._ratio(self.true_positive, self.true_positive + self.false_negative)

    def _ratio(self, part: int, whole: int) -> float:
        nothing = self.true_positive + self.false_positive + self.false_negative == 0
        return part / whole if whole else float(nothing)


def counts(prediction: Mask, truth: Mask) -> Counts:
    """Count the pixels of one image by prediction and truth, as far as that is known."""
    true_negative, true_positive, false_negative, false_positive, _ = np.bincount(
        agreement(prediction, truth).ravel(), minlength=len(Agreement)
    ).tolist()
    return Counts(true_positive, false_positive, false_negative, true_negative)


def class_ious(prediction: Mask, truth: Mask) -> tuple[Share, Share]:
    """Compute the IoU of background and vein of one image with MONAI's `MeanIoU`.

    It is 1 for a class that is empty in both.  Training validates by the mean of the second one
    over images.
    """
    import torch
    from monai.metrics import MeanIoU

    labels = agreement(prediction, truth)
    known = labels != Agreement.UNSURE
    # A pixel that is unsure belongs to no class in either one, and so to no intersection or union.
    predicted, true = (
        torch.from_numpy(np.stack([known & (mask != VEIN), known & (mask == VEIN)])[None])
        for mask in (prediction, truth)
    )
    metric = MeanIoU(reduction="none", ignore_empty=False)
    background, vein = metric(predicted, true)[0].tolist()
    return background, vein


def mask_metrics(prediction: Mask, truth: Mask, tolerance: Px = TOLERANCE) -> dict[str, float]:
    """Score the predicted mask of one image.

    In [0, 1] are `vein_iou`, `two_class_mean_iou`, `dice`, `precision`, `recall`, `cldice`,
    `centreline_precision` and `centreline_recall`; a centreline may lie beside the true one by the
    tolerance.  Further `hausdorff_95_px`, and what a person would have to mend: `missed_length_px`
    and `too_much_length_px`, lengths of centreline beyond the tolerance, and `corrections`, how
    many stretches of it are longer than three vein widths.

    References
    ----------
    S. Shit et al., "clDice - a novel topology-preserving loss function for tubular structure
    segmentation", CVPR (2021).
    """
    background, vein = class_ious(prediction, truth)
    counted = counts(prediction, truth)
    known = truth != UNSURE
    predicted, true = (prediction == VEIN) & known, (truth == VEIN) & known
    # A centreline is drawn on the whole mask: cutting out what is unsure would bend it.
    predicted_line, true_line = centreline(prediction) & known, centreline(truth) & known
    nothing = float(not predicted.any() and not true.any())
    inside_true = _share(predicted_line, true, nothing)
    inside_predicted = _share(true_line, predicted, nothing)
    both = inside_true + inside_predicted
    right, found = _within(true_line, tolerance), _within(predicted_line, tolerance)
    missed, too_much = line_lengths(true_line & ~found), line_lengths(predicted_line & ~right)
    width = median_width(truth, true_line)
    shortest = _SHORTEST_CORRECTION * (width if np.isfinite(width) else _USUAL_WIDTH)
    return {
        "vein_iou": vein,
        "two_class_mean_iou": (vein + background) / 2,
        "dice": counted.dice,
        "precision": counted.precision,
        "recall": counted.recall,
        "cldice": 2 * inside_true * inside_predicted / both if both else 0.0,
        "centreline_precision": _share(predicted_line, right, nothing),
        "centreline_recall": _share(true_line, found, nothing),
        "hausdorff_95_px": hausdorff_95(predicted, true),
        "missed_length_px": float(missed.sum()),
        "too_much_length_px": float(too_much.sum()),
        "corrections": float(np.count_nonzero(np.append(missed, too_much) > shortest)),
    }


def mean_of_slices(
    prediction: MaskStack, truth: MaskStack, tolerance: Px = TOLERANCE
) -> dict[str, float]:
    """Score a mask; of a stack, average the scores of the slices of which something is known.

    Raise VeinSegError if the shapes differ, or nothing is known of the truth.
    """
    if prediction.shape != truth.shape:
        raise VeinSegError(
            f"The mask is {prediction.shape} and the truth {truth.shape}: choose layers of the "
            "same image."
        )
    planes = zip(
        prediction.reshape(-1, *truth.shape[-2:]), truth.reshape(-1, *truth.shape[-2:]), strict=True
    )
    scored = [
        mask_metrics(one, other, tolerance) for one, other in planes if (other != UNSURE).any()
    ]
    if not scored:
        raise VeinSegError("The truth says unsure everywhere: choose another.")
    return {name: float(np.mean([each[name] for each in scored])) for name in scored[0]}


def unsure_share(prediction: Mask, truth: Mask) -> Share:
    """Tell how much a prediction leaves undecided of what the truth knows."""
    known = truth != UNSURE
    return float(np.count_nonzero(known & (prediction == UNSURE)) / max(known.sum(), 1))


def drawn_unsure_share(truth: Mask) -> Share:
    """Tell how much of what is drawn in a truth is unsure and thus counts nowhere."""
    unsure, drawn = np.count_nonzero(truth == UNSURE), np.count_nonzero(truth)
    return float(unsure) / max(int(drawn), 1)


def hausdorff_95(prediction: Binary, truth: Binary) -> Px:
    """Measure how far the borders of two masks lie apart, without the farthest twentieth.

    It is the larger of the two directed 95 % distances; 0 where both are empty; the image's
    diagonal where one is.
    """
    if not prediction.any() or not truth.any():
        same = prediction.any() == truth.any()
        return 0.0 if same else float(np.hypot(*truth.shape))
    borders = [mask & ~ndimage.binary_erosion(mask, border_value=1) for mask in (prediction, truth)]
    # A mask that fills the image has no border: then it is all border.
    borders = [border if border.any() else np.ones_like(border) for border in borders]
    to_prediction, to_truth = (ndimage.distance_transform_edt(~border) for border in borders)
    return float(
        max(np.percentile(to_truth[borders[0]], 95), np.percentile(to_prediction[borders[1]], 95))
    )


def _share(line: Binary, region: Binary, if_nothing: float) -> float:
    length = np.count_nonzero(line)
    return float(np.count_nonzero(line & region) / length) if length else if_nothing


def _within(line: Binary, distance: float) -> Binary:
    if not line.any():
        return line
    return ndimage.distance_transform_edt(~line) <= distance
