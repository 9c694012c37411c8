import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score, jaccard_score, precision_score, recall_score

from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation.metrics import (
    Counts,
    class_ious,
    counts,
    hausdorff_95,
    mask_metrics,
    unsure_share,
)

masks = arrays(np.uint8, (9, 11), elements=st.integers(0, 2))
RATIOS = (
    "vein_iou",
    "two_class_mean_iou",
    "dice",
    "precision",
    "recall",
    "cldice",
    "centreline_precision",
    "centreline_recall",
)
LENGTHS = ("missed_length_px", "too_much_length_px", "corrections")


def square(top, left, side=8, shape=(30, 40)):
    mask = np.zeros(shape, np.uint8)
    mask[top : top + side, left : left + side] = 1
    return mask


@given(masks, masks)
def test_against_scikit_learn(prediction, truth):
    known = truth != 2
    pair = (truth[known] == 1, prediction[known] == 1)
    found = counts(prediction, truth)
    if not (pair[0].any() or pair[1].any()):
        assert found.vein_iou == found.dice == found.precision == found.recall == 1
        return
    assert found.vein_iou == pytest.approx(jaccard_score(*pair, zero_division=0))
    assert found.dice == pytest.approx(f1_score(*pair, zero_division=0))
    assert found.precision == pytest.approx(precision_score(*pair, zero_division=0))
    assert found.recall == pytest.approx(recall_score(*pair, zero_division=0))
    if not (pair[0].all() and pair[1].all()):
        assert found.two_class_mean_iou == pytest.approx(
            jaccard_score(*pair, average="macro", labels=[False, True], zero_division=0)
        )


@given(masks, masks)
def test_the_iou_of_an_image_is_that_of_its_counts(prediction, truth):
    background, vein = class_ious(prediction, truth)
    counted = counts(prediction, truth)
    assert vein == pytest.approx(counted.vein_iou)
    assert background == pytest.approx(counted.background_iou)


@settings(max_examples=60)
@given(masks, masks)
def test_no_metric_is_ever_nan_or_out_of_range(prediction, truth):
    metrics = mask_metrics(prediction, truth)
    assert set(metrics) == {*RATIOS, *LENGTHS, "hausdorff_95_px"}
    assert all(0 <= metrics[name] <= 1 for name in RATIOS)
    assert 0 <= metrics["hausdorff_95_px"] <= np.hypot(9, 11)


@settings(max_examples=40)
@given(masks, masks, arrays(np.uint8, (9, 11), elements=st.integers(0, 1)))
def test_pixels_that_the_truth_leaves_open_count_nowhere(prediction, truth, other):
    changed = np.where(truth == 2, other, prediction)
    original = np.where(truth == 2, 0, prediction)
    assert counts(changed, truth) == counts(original, truth)


@settings(max_examples=40)
@given(masks, masks)
def test_nobody_gains_by_doubt(prediction, truth):
    certain = np.where(prediction == 2, 0, prediction)
    assert mask_metrics(prediction, truth) == mask_metrics(certain, truth)
    assert class_ious(prediction, truth) == class_ious(certain, truth)
    known = truth != 2
    doubt = (prediction == 2)[known].mean() if known.any() else 0
    assert unsure_share(prediction, truth) == pytest.approx(doubt)


@pytest.mark.parametrize("pixel", [0, 1])
def test_an_annotator_who_is_unsure_everywhere_scores_nothing(pixel):
    truth, doubtful = square(5, 5), np.full((30, 40), 2, np.uint8)
    doubtful[6, 6 : 6 + pixel] = 1
    metrics = mask_metrics(doubtful, truth)
    assert metrics["vein_iou"] <= 1 / 64
    assert metrics["dice"] <= 2 / 65
    assert unsure_share(doubtful, truth) > 0.99


def test_what_a_person_would_mend_is_measured():
    truth, prediction = np.zeros((2, 80, 200), np.uint8)
    truth[20:25, 10:190] = truth[60:65, 10:190] = 1  # two veins of 5 px
    prediction[20:25, 10:190] = prediction[60:65, 70:190] = 1  # 60 px of one are missed
    prediction[40:45, 50:80] = 1  # and 30 px are no vein
    prediction[60:65, 100:104] = 0  # a gap that nobody would mend
    metrics = mask_metrics(prediction, truth)
    assert metrics["missed_length_px"] == pytest.approx(60 + 4, abs=6)
    assert metrics["too_much_length_px"] == pytest.approx(26, abs=4)
    assert metrics["corrections"] == 2


@settings(max_examples=40)
@given(masks)
def test_a_mask_agrees_with_itself(mask):
    metrics = mask_metrics(np.where(mask == 2, 0, mask), mask)
    assert metrics.pop("hausdorff_95_px") == 0
    assert [metrics.pop(name) for name in LENGTHS] == [0, 0, 0]
    background_only = mask[mask != 2].sum() == 0
    assert set(metrics.values()) == {1.0}, background_only


EMPTY, FULL = np.zeros((30, 40), np.uint8), np.ones((30, 40), np.uint8)


@pytest.mark.parametrize(
    ("prediction", "truth", "expected", "distance"),
    [
        (EMPTY, EMPTY, 1, 0),
        (EMPTY, square(5, 5), 0, 50),
        (square(5, 5), EMPTY, 0, 50),
        (EMPTY, np.full_like(EMPTY, 2), 1, 0),
        (square(2, 2), square(2, 22), 0, 20),
    ],
)
def test_degenerate_pairs_have_the_documented_values(prediction, truth, expected, distance):
    metrics = mask_metrics(prediction, truth)
    for name in set(RATIOS) - {"two_class_mean_iou"}:
        assert metrics[name] == expected, name
    assert metrics["hausdorff_95_px"] == distance


def test_two_full_masks_agree():
    assert counts(FULL, FULL).two_class_mean_iou == 1
    assert counts(EMPTY, FULL).two_class_mean_iou == 0
    assert hausdorff_95(FULL == 1, FULL == 1) == 0


def test_pooling_adds_counts_and_differs_from_the_mean_of_images():
    one, other = Counts(9, 0, 0, 1), Counts(0, 1, 1, 8)
    assert (one + other) == Counts(9, 1, 1, 9)
    assert (one + other).vein_iou == pytest.approx(9 / 11)
    assert (one.vein_iou + other.vein_iou) / 2 == 0.5


def test_a_thinner_stroke_costs_iou_but_not_the_centreline():
    truth, thin = EMPTY.copy(), EMPTY.copy()
    truth[10:17], thin[12:15] = 1, 1
    metrics = mask_metrics(thin, truth)
    assert metrics["vein_iou"] == pytest.approx(3 / 7)
    assert metrics["cldice"] == metrics["centreline_recall"] == 1


@pytest.mark.parametrize(("shift", "expected"), [(2, 1), (3, 0)])
def test_the_tolerance_is_in_pixels(shift, expected):
    truth, moved = EMPTY.copy(), EMPTY.copy()
    truth[10], moved[10 + shift] = 1, 1
    metrics = mask_metrics(moved, truth, tolerance=2)
    assert metrics["centreline_precision"] == metrics["centreline_recall"] == expected
    assert metrics["hausdorff_95_px"] == shift


def test_against_monai_where_it_is_defined():
    import torch
    from monai.metrics import compute_dice, compute_hausdorff_distance, compute_iou

    rng = np.random.default_rng(0)
    prediction, truth = (rng.random((2, 40, 50)) > 0.7).astype(np.uint8)
    pair = [torch.from_numpy(mask)[None, None].float() for mask in (prediction, truth)]
    metrics = mask_metrics(prediction, truth)
    assert metrics["vein_iou"] == pytest.approx(compute_iou(*pair).item())
    assert metrics["dice"] == pytest.approx(compute_dice(*pair).item())
    theirs = compute_hausdorff_distance(*pair, include_background=True, percentile=95).item()
    assert metrics["hausdorff_95_px"] == pytest.approx(theirs, abs=0.01)


def test_masks_of_different_images_are_refused():
    with pytest.raises(VeinSegError, match=r"\(3, 4\).*\(4, 3\)"):
        counts(np.zeros((3, 4)), np.zeros((4, 3)))
