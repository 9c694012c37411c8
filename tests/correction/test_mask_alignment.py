"""A mask that was drawn beside the veins is moved onto them."""

import numpy as np
import pytest
from scipy import ndimage

from napari_veinseg.correction.lines import Line, veins_from_lines
from napari_veinseg.correction.mask_alignment import best_shift, shifted

EMPTY = np.zeros((120, 160), np.uint8)
MASK = veins_from_lines(
    EMPTY,
    [
        Line(np.array([[40.0, 10], [50, 80], [30, 150]]), 6),
        Line(np.array([[90.0, 10], [70, 90], [85, 150]]), 6),
        Line(np.array([[50.0, 80], [72, 85]]), 6),
    ],
).applied_to(EMPTY)


@pytest.mark.parametrize("shift", [(0, 0), (7, 1), (-5, 3)])
def test_the_shift_is_found_and_undone(shift):
    noise = np.random.default_rng(0).normal(0, 2, MASK.shape)
    image = 120 - 40 * ndimage.gaussian_filter((MASK == 1).astype(float), 2) + noise
    moved = shifted(MASK, *(-part for part in shift)).applied_to(MASK)
    assert np.abs(np.subtract(best_shift(image, moved, 6), shift)).max() <= 1


def test_an_empty_mask_and_a_mask_over_nothing_stay():
    assert best_shift(np.ones((40, 40)), np.zeros((40, 40)), 5) == (0, 0)
    assert best_shift(np.ones(MASK.shape), MASK, 5) == (0, 0)


def test_moving_there_and_back_changes_only_the_border():
    there = shifted(MASK, 4, -3).applied_to(MASK)
    back = shifted(there, -4, 3).applied_to(there)
    np.testing.assert_array_equal(back[8:-8, 8:-8], MASK[8:-8, 8:-8])
    assert set(np.unique(there)) <= {0, 1}
