"""Whole-mask tools change what they name and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from napari_veinseg.correction import cleanup

TOOLS = {
    "drop_specks": lambda mask: cleanup.drop_specks(mask, 5),
    "fill_holes": lambda mask: cleanup.fill_holes(mask, 5),
    "smooth": cleanup.smooth,
    "thicken": cleanup.thicken,
    "thin": cleanup.thin,
}


def bar() -> np.ndarray:
    mask = np.zeros((30, 40), np.uint8)
    mask[12:19, 5:35] = 1
    return mask


@pytest.mark.parametrize("name", TOOLS)
@given(mask=arrays(np.uint8, (12, 14), elements=st.integers(0, 2)))
@settings(max_examples=25)
def test_unsure_pixels_never_change_and_none_are_made(name, mask):
    after = TOOLS[name](mask).applied_to(mask)
    np.testing.assert_array_equal(after == 2, mask == 2)
    assert after.max(initial=0) <= 2


@pytest.mark.parametrize("name", TOOLS)
def test_labels_of_other_things_stay_as_they_are(name):
    mask = bar().astype(np.int32)
    mask[20:25, 20:25] = 300
    after = TOOLS[name](mask).applied_to(mask)
    np.testing.assert_array_equal(after == 300, mask == 300)


def test_small_pieces_go_and_large_ones_stay():
    mask = bar()
    mask[2, 2] = mask[3, 3] = 1
    np.testing.assert_array_equal(cleanup.drop_specks(mask, 3).applied_to(mask), bar())
    assert len(cleanup.drop_specks(mask, 2)) == 0


def test_small_holes_are_filled_and_the_outside_is_none():
    mask = bar()
    mask[15, 10] = mask[15, 20:24] = 0
    filled = cleanup.fill_holes(mask, 3).applied_to(mask)
    assert filled[15, 10] == 1
    assert filled[15, 21] == 0
    assert len(cleanup.fill_holes(np.zeros((3, 3)), 100)) == 0


def test_thick_and_thin_go_by_one_pixel_a_side():
    assert cleanup.thicken(bar()).applied_to(bar())[:, 20].sum() == 9
    assert cleanup.thin(bar()).applied_to(bar())[:, 20].sum() == 5


@pytest.mark.parametrize("tool", [cleanup.thin, cleanup.smooth])
def test_a_thin_vein_is_never_broken(tool):
    mask = np.zeros((30, 40), np.uint8)
    mask[15, 2:38] = 1
    mask[10:20, 20] = 1
    for _ in range(4):
        mask = tool(mask).applied_to(mask)
    assert ndimage.label(mask, np.ones((3, 3)))[1] == 1
    assert mask[15, 10] == 1


def test_a_rough_border_becomes_smooth():
    mask = bar()
    mask[11, 6:34:4] = 1
    smooth = cleanup.smooth(mask).applied_to(mask)
    assert smooth[11].sum() == 0
    assert (smooth[13:18, 8:32] == 1).all()
