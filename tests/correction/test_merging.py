"""A model's veins around a person's pixels: nothing of theirs changes, and no rim is left."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from napari_veinseg.correction.branches import remove_branch
from napari_veinseg.correction.lines import Line, veins_from_lines
from napari_veinseg.correction.merging import merged_with_edits
from napari_veinseg.segmentation.masks import mask_from_probability

SHAPE = (120, 180)
LINES = [
    Line(np.array([[60.0, 0], [50, 60], [70, 120], [60, 179]]), 9),
    Line(np.array([[20.0, 0], [25, 179]]), 7),
]


@pytest.fixture(scope="module")
def probability():
    empty = np.zeros(SHAPE, np.uint8)
    vein = veins_from_lines(empty, LINES).applied_to(empty).astype(float)
    return ndimage.gaussian_filter(vein, 2).astype(np.float32)


@pytest.mark.parametrize("label", [0, 2])
@pytest.mark.parametrize("threshold", [0.05, 0.2, 0.35, 0.5, 0.8])
def test_a_removed_vein_leaves_no_rim_at_any_threshold(probability, threshold, label):
    mask = (probability >= 0.5).astype(np.uint8)
    change = remove_branch(mask, (22, 90), label=label)
    edited = np.zeros(SHAPE, bool)
    edited[change.rows, change.columns] = True
    merged = merged_with_edits(change.applied_to(mask), probability >= threshold, edited, 20)
    beside = ndimage.binary_dilation(edited, iterations=6) & ~edited
    assert not (merged[beside] == 1).any()
    assert (merged[edited] == label).all()
    kept = merged == 1
    kept[:40] = (probability >= threshold)[:40]
    np.testing.assert_array_equal(kept, probability >= threshold)  # the other vein is the model's


def test_small_parts_are_dropped_after_merging():
    model = np.zeros((40, 60), bool)
    model[20:24, 5:55] = True
    mask = model.astype(np.uint8)
    mask[20:24, 12:50] = 0
    edited = np.zeros(model.shape, bool)
    edited[20:24, 12:50] = True
    merged = merged_with_edits(mask, model, edited, 25)
    assert merged[21, 8] == 1  # 28 px are left of the vein on this side
    assert merged[21, 53] == 0  # and 20 on that
    edited[21, 53], mask[21, 53] = True, 1
    assert merged_with_edits(mask, model, edited, 25)[21, 53] == 1  # unless a person marked it


planes = st.sampled_from([(9, 11), (2, 9, 11)])


@settings(max_examples=60)
@given(st.data(), planes, st.floats(0.05, 0.95), st.floats(0.05, 0.95), st.integers(0, 12))
def test_the_result_is_the_same_whatever_thresholds_came_before(data, shape, one, other, size):
    likely = data.draw(arrays(np.float32, shape, elements=st.floats(0, 1, width=32)))
    mask = data.draw(arrays(np.uint8, shape, elements=st.integers(0, 2)))
    edited = data.draw(arrays(np.bool_, shape))
    merged = merged_with_edits(mask, likely >= other, edited, size)
    np.testing.assert_array_equal(merged[edited], mask[edited])
    detour = merged_with_edits(mask, likely >= one, edited, size)
    np.testing.assert_array_equal(merged_with_edits(detour, likely >= other, edited, size), merged)
    nothing = merged_with_edits(mask, likely >= other, np.zeros(shape, bool), size)
    np.testing.assert_array_equal(nothing, mask_from_probability(likely, other, size))
