"""Removing one branch leaves its neighbours whole."""

import numpy as np
import pytest
from scipy import ndimage

from napari_veinseg.correction.branches import nearest_end, remove_branch
from napari_veinseg.correction.lines import Line, veins_from_lines

LINES = {
    "left": Line(np.array([[40.0, 5], [40, 50]]), 5),
    "upper": Line(np.array([[40.0, 50], [15, 110]]), 5),
    "lower": Line(np.array([[40.0, 50], [65, 110]]), 7),
    "alone": Line(np.array([[75.0, 5], [75, 40]]), 4),
}
CLICKS = {"left": (40, 25), "upper": (26, 84), "lower": (53, 80), "alone": (76, 20)}


def drawn(*names: str) -> np.ndarray:
    empty = np.zeros((90, 120), np.uint8)
    return veins_from_lines(empty, [LINES[name] for name in names]).applied_to(empty)


@pytest.mark.parametrize("name", LINES)
def test_the_branch_goes_and_the_others_stay_whole(name):
    whole = drawn(*LINES)
    others = drawn(*(other for other in LINES if other != name))
    left = remove_branch(whole, CLICKS[name]).applied_to(whole)
    missing = ndimage.binary_erosion(others == 1) & (left != 1)
    assert missing.sum() <= 20  # the outer corner of the meeting
    alone = (drawn(name) == 1) & (others == 0)
    assert (left[alone] == 1).mean() < 0.08
    pieces = ndimage.label(left == 1, np.ones((3, 3)))[1]
    assert pieces == ndimage.label(others == 1, np.ones((3, 3)))[1]


def test_a_rough_border_does_not_split_a_branch():
    whole = drawn(*LINES)
    for column in range(12, 45, 6):
        whole[36:45, column] = 1
    left = remove_branch(whole, CLICKS["left"]).applied_to(whole)
    assert left[:, :40][:60].sum() == 0
    assert left[26, 84] == left[53, 80] == 1


def test_a_ring_and_a_dot_go_whole():
    mask = np.zeros((60, 60), np.uint8)
    rows, columns = np.indices(mask.shape)
    away = np.hypot(rows - 30, columns - 30)
    mask[(away > 14) & (away < 19)] = 1
    mask[5, 5] = 1
    without_ring = remove_branch(mask, (30, 46)).applied_to(mask)
    assert without_ring.sum() == 1
    assert remove_branch(without_ring, (5, 5)).applied_to(without_ring).sum() == 0


def test_a_click_near_a_vein_means_it_and_one_far_off_nothing():
    whole = drawn("alone")
    assert len(remove_branch(whole, (79, 20))) > 0
    assert len(remove_branch(whole, (60, 60))) == 0


def test_a_branch_can_be_made_unsure():
    whole = drawn(*LINES)
    left = remove_branch(whole, CLICKS["alone"], label=2).applied_to(whole)
    assert left[75, 20] == 2
    assert left[40, 25] == 1


def test_the_nearest_end_and_its_width_are_found():
    found = nearest_end(drawn(*LINES), (72, 116), 20)
    assert found is not None
    (row, column), width = found
    assert np.hypot(row - 65, column - 111) < 4
    assert width == pytest.approx(7, abs=1.2)


def test_there_is_no_end_where_there_is_no_vein():
    assert nearest_end(drawn("alone"), (20, 80), 10) is None
