"""A click grows the missing vein, and no more; a redrawn mask is as wide as the image says."""

import numpy as np
import pytest
from scipy import ndimage

from napari_veinseg.correction.growing import grown_vein, redrawn_as_measured
from napari_veinseg.correction.lines import Line, veins_from_lines
from napari_veinseg.correction.profile import centred
from napari_veinseg.correction.tracing import path_cost

SHAPE = (120, 180)
TRUNK = Line(np.array([[60.0, 0], [50, 60], [70, 120], [60, 179]]), 6)
BRANCH = Line(np.array([[69.0, 118], [30, 170]]), 5)
FAR = Line(np.array([[100.0, 20], [105, 150]]), 5)


def drawn(*lines: Line) -> np.ndarray:
    empty = np.zeros(SHAPE, np.uint8)
    return veins_from_lines(empty, lines).applied_to(empty)


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    vein = ndimage.gaussian_filter((drawn(TRUNK, BRANCH, FAR) == 1).astype(float), 1.2)
    return 150 - 50 * vein + np.random.default_rng(0).normal(0, 1.5, SHAPE)


@pytest.fixture(scope="module")
def cost(grey):
    return path_cost(grey, 6)


def dice(a, b) -> float:
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_labels_of_other_things_stay_when_veins_are_redrawn(grey):
    mask = drawn(TRUNK).astype(np.int32)
    mask[5:10, 20:30] = 300
    after = redrawn_as_measured(mask, grey, 6).applied_to(mask)
    np.testing.assert_array_equal(after == 300, mask == 300)


def test_a_click_grows_the_branch_that_is_missing_and_no_other_vein(grey, cost):
    before = drawn(TRUNK)
    after = grown_vein(before, grey, cost, (48, 146), 6).applied_to(before)
    assert dice(after == 1, drawn(TRUNK, BRANCH) == 1) > 0.9
    assert not after[90:].any()
    assert ndimage.label(after, np.ones((3, 3)))[1] == 1  # joined to the trunk


def test_on_an_empty_mask_a_click_grows_a_vein_with_its_branch(grey, cost):
    before = np.zeros(SHAPE, np.uint8)
    after = grown_vein(before, grey, cost, (55, 75), 6, label=2).applied_to(before)
    assert dice(after == 2, drawn(TRUNK, BRANCH) == 1) > 0.85


def test_a_click_on_a_vein_of_the_mask_changes_nothing(grey, cost):
    assert len(grown_vein(drawn(TRUNK), grey, cost, (50, 60), 6)) == 0


@pytest.mark.parametrize("wrong", [2, 11])
def test_redrawn_veins_have_the_width_of_the_image_and_unsure_stays(grey, wrong):
    lines = [Line(line.points, wrong) for line in (TRUNK, FAR)]
    before = drawn(*lines)
    before[:20] = 2
    after = redrawn_as_measured(before, grey, 6).applied_to(before)
    true = drawn(TRUNK, FAR) == 1
    assert dice(after == 1, true) > max(0.85, dice(before == 1, true))
    assert (after[:20] == 2).all()


def test_a_line_beside_a_vein_is_moved_into_its_middle():
    rows = 60 + 15 * np.sin(np.arange(200) / 30)
    middle = np.stack([rows, np.arange(200.0)], axis=1)
    vein = veins_from_lines(np.zeros((120, 200)), [Line(middle, 12)])
    grey = 150 - 40 * ndimage.gaussian_filter(
        vein.applied_to(np.zeros((120, 200))).astype(float), 1.5
    )
    aside = middle + np.array([3.0, 0])
    moved = centred(grey, aside, 10)
    np.testing.assert_array_equal(moved[[0, -1]], aside[[0, -1]])
    inner = slice(15, -15)
    assert np.abs(moved[inner, 0] - np.interp(moved[inner, 1], middle[:, 1], rows)).max() < 1
