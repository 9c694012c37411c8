"""Redrawn veins are as wide as the image says, and still leave the image where they left it."""

import numpy as np
import pytest
from scipy import ndimage

from napari_veinseg.correction.cleanup import redrawn_as_measured
from napari_veinseg.correction.lines import Line, lines_from_veins, veins_from_lines
from napari_veinseg.correction.vein_profile import centred

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


def dice(a, b) -> float:
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_labels_of_other_things_stay_when_veins_are_redrawn(grey):
    mask = drawn(TRUNK).astype(np.int32)
    mask[5:10, 20:30] = 300
    after = redrawn_as_measured(mask, grey, 6).applied_to(mask)
    np.testing.assert_array_equal(after == 300, mask == 300)


@pytest.mark.parametrize("width", [4, 9, 15])
def test_a_trunk_still_reaches_the_border_of_the_image(width):
    trunk = Line(np.array([[60.0, -5], [50, 60], [70, 120], [60, 185]]), width)
    before = drawn(trunk)
    vein = ndimage.gaussian_filter((before == 1).astype(float), 1.2)
    after = redrawn_as_measured(before, 150 - 50 * vein, width).applied_to(before)
    for column in (0, -1):
        assert (after[:, column] == 1).sum() >= 0.6 * width
    reach = [line.points[:, 1] for line in lines_from_veins(before)]
    assert min(each.min() for each in reach) == 0
    assert max(each.max() for each in reach) == SHAPE[1] - 1


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
