import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation.metrics import counts
from napari_veinseg.evaluation.probability_metrics import best_threshold, score_histogram

shape = (8, 9)
# Thousandths in the middle of a bin: binned and unbinned probabilities then have one order.
probabilities = arrays(
    np.float64, shape, elements=st.integers(0, 999).map(lambda k: (k + 0.5) / 1e3)
)
truths = arrays(np.uint8, shape, elements=st.integers(0, 2))


@settings(max_examples=60)
@given(probabilities, truths)
def test_areas_against_scikit_learn(probability, truth):
    scores = score_histogram(probability, truth)
    known = truth != 2
    vein, p = truth[known] == 1, probability[known]
    if not vein.any():
        assert scores.average_precision == 0
        assert scores.roc_area == 0.5
        return
    assert scores.average_precision == pytest.approx(average_precision_score(vein, p))
    if vein.all():
        assert scores.roc_area == 0.5
    else:
        assert scores.roc_area == pytest.approx(roc_auc_score(vein, p))
    precision, recall = scores.precision_recall()
    theirs = np.round(np.transpose(precision_recall_curve(vein, p)[:2]), 9).tolist()
    ours = np.round(np.transpose([precision, recall]), 9).tolist()
    assert all(point in [*ours, [1, 0]] for point in theirs)


@settings(max_examples=40)
@given(probabilities, truths, st.integers(0, 999))
def test_a_threshold_counts_what_its_mask_counts(probability, truth, thousandths):
    threshold = thousandths / 1000
    scores = score_histogram(probability, truth)
    mask = (probability >= threshold).astype(np.uint8)
    counted = counts(mask, truth)
    assert scores.vein[thousandths:].sum() == counted.true_positive
    assert scores.vein[:thousandths].sum() == counted.false_negative
    assert scores.background[thousandths:].sum() == counted.false_positive
    assert scores.background[:thousandths].sum() == counted.true_negative
    assert scores.vein_iou()[thousandths] == pytest.approx(counted.vein_iou)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_probability_at_the_threshold_is_vein(dtype):
    probability = (np.arange(1000)[None] / 1000).astype(dtype)
    scores = score_histogram(probability, np.ones_like(probability))
    assert (scores.vein == 1).all()


def test_pooling_is_adding():
    rng = np.random.default_rng(1)
    probability, truth = rng.random((2, 20, 20)), rng.integers(0, 3, (2, 20, 20))
    apart = [score_histogram(p, t) for p, t in zip(probability, truth, strict=True)]
    assert (apart[0] + apart[1]).roc_area == score_histogram(probability, truth).roc_area


def test_calibration_by_hand():
    probability = np.array([0.9] * 10 + [0.2] * 10)
    truth = np.array([1] * 8 + [0] * 2 + [1] * 2 + [0] * 8)
    # 0.9 foretells 0.8 (off by 0.1), 0.2 foretells 0.2; a bin's middle stands for the probability.
    assert score_histogram(probability, truth).calibration_error == pytest.approx(0.05, abs=1e-3)


def test_a_calibrated_probability_has_no_error():
    rng = np.random.default_rng(2)
    probability = rng.random(200_000)
    truth = rng.random(200_000) < probability
    assert score_histogram(probability, truth.astype(int)).calibration_error < 0.01


def test_the_best_threshold_parts_what_can_be_parted():
    probability, truth = np.array([[0.1, 0.2, 0.7, 0.8]]), np.array([[0, 0, 1, 1]])
    threshold, iou = best_threshold([score_histogram(probability, truth)])
    assert 0.2 < threshold <= 0.7
    assert iou == 1


@pytest.mark.parametrize("wrong", [-0.1, 1.1, np.nan])
def test_what_is_no_probability_is_refused(wrong):
    with pytest.raises(VeinSegError, match="outside"):
        score_histogram(np.array([[0.5, wrong]]), np.array([[0, 1]]))
