"""The threshold that leaves a person least to correct."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation

from napari_veinseg.training.operating_point import Outcome, ReviewedMask, cheapest_threshold


def veins(*rows: slice, width: int = 5, value: int = 1) -> np.ndarray:
    """Draw a horizontal vein of 100 px for each slice of rows."""
    mask = np.zeros((90, 120), np.uint8)
    for row in rows:
        mask[row.start : row.start + width, 10:110] = value
    return mask


TRUTH = veins(slice(20, 25), slice(60, 65))
UNSURE = TRUTH.copy()
UNSURE[38:47] = 2


@pytest.mark.parametrize(
    ("mask", "truth", "left"),
    [
        (TRUTH, TRUTH, 0.0),
        (0 * TRUTH, TRUTH, 1.0),
        (veins(slice(20, 25)), TRUTH, 0.5),  # one of two is missing
        (TRUTH | veins(slice(40, 45)), TRUTH, 0.5),  # one too many
        (veins(slice(40, 45)), TRUTH, 1.5),  # worse than nothing
        (veins(slice(19, 26), slice(59, 66), width=7), TRUTH, 0.0),  # width is no matter here
        (veins(slice(21, 26), slice(61, 66)), TRUTH, 0.0),  # nor is a slip of the hand
        (TRUTH | veins(slice(40, 45)), UNSURE, 0.0),  # nobody knows what is there
    ],
)
def test_what_is_left_to_correct_is_told_by_length(mask, truth, left):
    assert ReviewedMask(truth).judge(mask).left == pytest.approx(left, rel=0.06, abs=0.02)


def test_where_there_is_nothing_to_draw_what_is_wrong_still_costs():
    reviewed = ReviewedMask(0 * TRUTH)
    more, less, none = map(reviewed.judge, (TRUTH, veins(slice(20, 25)), 0 * TRUTH))
    assert more.left is less.left is none.left is None  # a share of nothing is no number
    assert 1 < less.cost < more.cost < 10
    assert none.cost == 0


def test_borders_cost_where_veins_are_found_and_nothing_where_they_are_not():
    reviewed = ReviewedMask(TRUTH)
    wider = reviewed.judge(binary_dilation(TRUTH, iterations=2).astype(np.uint8))
    exact, nothing = reviewed.judge(TRUTH), reviewed.judge(0 * TRUTH)
    assert wider.to_correct == exact.to_correct == exact.to_mend == nothing.to_mend == 0
    assert wider.to_mend == pytest.approx(wider.area * (1 / wider.vein_iou - 1))
    assert exact.cost == 0 < wider.cost < nothing.cost == 2


def outcomes(length: float = 100, **left: float) -> dict[float, Outcome]:
    return {
        float(name[1:]) / 100: Outcome(0.5, length * value, length) for name, value in left.items()
    }


def test_long_veins_count_for_more_than_short_ones():
    long, short = Outcome(0.8, 200, 1000), Outcome(0.2, 300, 100)
    both = Outcome.of_all([long, short])
    assert (both.vein_iou, both.to_correct, both.to_draw) == (0.5, 500, 1100)
    assert both.cost == pytest.approx(500 / 1100 + 0.5)


@pytest.mark.parametrize(
    ("seen", "chosen"),
    [
        ([], 0.5),
        ([outcomes(t50=0.8, t70=0.4, t90=0.9)], 0.7),
        ([outcomes(t50=0.6, t70=0.4, t90=0.9)], 0.5),  # one image says little
        ([outcomes(t50=0.6, t70=0.4, t90=0.9)] * 4, 0.7),
        ([outcomes(t50=0.6, t70=0.55, t90=0.9)] * 4, 0.5),  # hardly less
        ([outcomes(t50=0.6, t70=0.55, t90=0.9)] * 8, 0.7),
        ([outcomes(t50=3, t70=0.4), *[outcomes(t50=0.3, t70=0.8)] * 3], 0.5),  # one image's luck
        ([outcomes(t50=0.6, t70=0.6, t90=0.6)] * 4, 0.5),
        ([outcomes(t50=1.0, t70=0.8, t90=0.8)] * 4, 0.7),  # the nearer of two that are as good
        ([outcomes(2, t50=9, t70=5, t90=2), *[outcomes(t50=0.2, t70=0.5, t90=1)] * 3], 0.5),
    ],
)
def test_a_threshold_changes_where_that_saves_work(seen, chosen):
    assert cheapest_threshold(seen, 0.5) == chosen


def test_a_nearly_empty_mask_is_no_choice_where_one_shows_more():
    seen = [{0.5: Outcome(0.2, 300, 100), 0.7: Outcome(0.2, 200, 100), 0.9: Outcome(0.02, 95, 100)}]
    assert cheapest_threshold(seen, 0.5) == 0.9
    assert cheapest_threshold(seen, 0.5, keeps_iou=True) == 0.7


@given(
    st.lists(
        st.lists(st.floats(0, 5), min_size=3, max_size=3).map(
            lambda left: outcomes(t50=left[0], t70=left[1], t90=left[2])
        ),
        min_size=1,
        max_size=6,
    )
)
def test_the_chosen_threshold_never_costs_more_than_the_present_one(seen):
    cost = {t: Outcome.of_all([each[t] for each in seen]).cost for t in seen[0]}
    assert cost[cheapest_threshold(seen, 0.7)] <= cost[0.7]
