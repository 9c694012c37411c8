import math

import numpy as np
import pytest

from napari_veinseg.evaluation.bootstrap import Estimate, grouping


def test_intervals_by_finger_are_wider_when_shots_repeat():
    rng = np.random.default_rng(0)
    by_finger = np.repeat(rng.random(8), 10)
    fingers = np.repeat([f"f{k}" for k in range(8)], 10).tolist()
    honest = grouping(fingers).mean(by_finger)
    naive = grouping([""] * 80).mean(by_finger)
    assert honest.value == naive.value == pytest.approx(by_finger.mean())
    assert honest.low < naive.low < honest.value < naive.high < honest.high


@pytest.mark.parametrize(
    ("fingers", "by_finger"),
    [
        (["a", "b", "c", "d", "e", "e"], True),
        (["a", "b", "c", "d", "d", "d"], False),
        (["a", "b", "c", "d", "e", ""], False),
    ],
)
def test_fingers_are_resampled_from_five_on(fingers, by_finger):
    assert grouping(fingers).by_finger is by_finger


def test_the_interval_covers_the_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(60):
        effects = rng.normal(size=25)
        interval = grouping(np.repeat([f"{k}" for k in range(25)], 3)).mean(np.repeat(effects, 3))
        hits += interval.low <= 0 <= interval.high
    assert hits >= 51


@pytest.mark.parametrize(("count", "low", "high"), [(5, 0.82, 0.87), (10, 0.87, 0.92)])
def test_intervals_of_few_groups_are_as_narrow_as_is_said(count, low, high):
    rng, groups = np.random.default_rng(1), grouping([f"{k}" for k in range(count)])
    intervals = [groups.mean(rng.normal(size=count)) for _ in range(1500)]
    assert low < np.mean([each.low <= 0 <= each.high for each in intervals]) < high


@pytest.mark.parametrize("count", [1, 4])
def test_too_few_values_have_no_interval(count):
    interval = grouping(["a"] * count).mean([0.4] * count)
    assert interval.value == pytest.approx(0.4)
    assert interval.low is interval.high is None
    assert not interval.differs_from_0


def test_an_estimate_is_written_with_its_interval_where_it_has_one():
    assert f"{Estimate(0.25, 0.125, 0.5):.1%}" == "25.0% (12.5% to 50.0%)"
    assert f"{Estimate(0.25, None, None):.2f}" == "0.25"
    third = Estimate(1 / 3, 0.125, 2 / 3)
    assert str(third) == f"{third}" == "0.333 (0.125 to 0.667)"


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0, math.hypot(3000, 4001)])  # px, of empty masks
def test_equal_values_say_nothing_of_how_much_others_would_differ(value):
    interval = grouping(list("abcdefg")).mean([value] * 7)
    assert interval.value == pytest.approx(value)
    assert interval.low is interval.high is None
    assert not interval.differs_from_0
