"""Lines become veins, and veins lines, and back."""

import numpy as np
import pytest

from napari_veinseg.correction.change import between, disk_union
from napari_veinseg.correction.lines import (
    Line,
    densified,
    lines_from_veins,
    smoothed,
    vein_redrawn,
    vein_region,
    veins_from_lines,
)

H_SHAPE = [
    Line(np.array([[20.0, 5], [20, 60], [30, 115]]), 5),
    Line(np.array([[60.0, 5], [62, 115]]), 5),
    Line(np.array([[20.0, 60], [61, 60]]), 5),
]


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("replace", [False, True])
def test_labels_of_other_things_stay_beside_the_lines(replace):
    mask = np.zeros((80, 120), np.int32)
    mask[40:45, 20:25] = 300
    for change in (
        veins_from_lines(mask, H_SHAPE, replace=replace),
        vein_redrawn(mask, H_SHAPE[0].points, 5),
    ):
        after = change.applied_to(mask)
        np.testing.assert_array_equal(after == 300, mask == 300)
        assert set(np.unique(after)) == {0, 1, 300}


def test_disks_are_those_of_a_round_brush():
    rows, columns = np.indices((30, 40))
    by_hand = (np.hypot(rows - 10.3, columns - 12) <= 4) | (np.hypot(rows - 25, columns - 38) <= 6)
    np.testing.assert_array_equal(
        disk_union((30, 40), [[10.3, 12], [25, 38], [500, 500]], [4, 6, 9]), by_hand
    )


def test_a_vein_of_odd_width_has_that_width():
    assert vein_region((30, 60), np.array([[15.0, 10], [15, 50]]), 7)[:, 30].sum() == 7


def test_a_change_names_only_pixels_that_differ():
    mask = np.zeros((30, 60), np.uint8)
    mask[15, :] = 1
    change = veins_from_lines(mask, [Line(np.array([[15.0, 0], [15, 59]]), 3)])
    assert len(change) == 2 * 60
    assert (mask[change.rows, change.columns] != change.values).all()
    assert len(between(change.applied_to(mask), change.applied_to(mask))) == 0


def test_lines_are_added_or_replace_all_veins():
    mask = np.zeros((80, 120), np.uint8)
    mask[70:75, :] = 1
    mask[2, 2] = 2
    added = veins_from_lines(mask, H_SHAPE).applied_to(mask)
    replaced = veins_from_lines(mask, H_SHAPE, replace=True).applied_to(mask)
    assert added[72, 50] == 1
    assert replaced[72, 50] == 0
    assert added[2, 2] == replaced[2, 2] == 2


def test_veins_to_lines_and_back_is_nearly_the_same_mask():
    mask = veins_from_lines(np.zeros((80, 120), np.uint8), H_SHAPE).applied_to(np.zeros((80, 120)))
    lines = lines_from_veins(mask)
    again = veins_from_lines(mask, lines, replace=True).applied_to(mask)
    assert dice(mask == 1, again == 1) > 0.93
    assert len(lines) == 5
    assert [line.width for line in lines] == pytest.approx([5] * 5, abs=0.7)
    assert max(len(line.points) for line in lines) < 12


def test_a_redrawn_vein_loses_its_width_but_not_its_neighbours():
    empty = np.zeros((80, 120), np.uint8)
    wide = Line(np.array([[40.0, 10], [40, 110]]), 13)
    others = [Line(np.array([[10.0, 10], [10, 110]]), 5), Line(np.array([[40.0, 10], [75, 10]]), 5)]
    before = veins_from_lines(empty, [wide, *others]).applied_to(empty)
    after = vein_redrawn(before, np.array([[40.0, 10], [40, 110]]), 7).applied_to(before)
    assert (after[30:50, 60] == 1).sum() == 7
    np.testing.assert_array_equal(after[:20], before[:20])
    np.testing.assert_array_equal(after[55:], before[55:])


def test_an_empty_mask_has_no_lines():
    assert lines_from_veins(np.zeros((20, 20))) == []


@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_smoothing_keeps_the_ends(count):
    path = np.cumsum(np.random.default_rng(count).integers(0, 2, (count, 2)), axis=0) + 0.0
    smooth = smoothed(path)
    assert smooth.shape == path.shape
    np.testing.assert_allclose(smooth[[0, -1]], path[[0, -1]], atol=1e-9)


def test_dense_points_are_close_and_carry_the_width():
    points, widths = densified(np.array([[0.0, 0], [0, 10], [5, 10]]), [2, 4, 4])
    assert np.linalg.norm(np.diff(points, axis=0), axis=1).max() <= 0.5
    assert widths[0] == 2
    assert widths[len(widths) // 3] == pytest.approx(3, abs=0.1)
    assert len(densified(np.array([[3.0, 3]]))[0]) == 1
