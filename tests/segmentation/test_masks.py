import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_veinseg.segmentation.masks import _drop_small, mask_from_probability


def test_components_join_over_corners_and_the_exact_size_is_kept():
    probability = np.zeros((5, 6), np.float32)
    probability[[0, 1, 2], [0, 1, 2]] = 0.5  # three pixels that touch by corners
    probability[4, 4:] = 0.9  # two pixels
    mask = mask_from_probability(probability, threshold=0.5, min_size=3)
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(np.argwhere(mask), [[0, 0], [1, 1], [2, 2]])


def test_a_component_does_not_reach_into_the_next_slice():
    probability = np.zeros((2, 4, 4), np.float32)
    probability[:, 1, 1] = 1
    assert not mask_from_probability(probability, 0.5, min_size=2).any()


@pytest.mark.parametrize("min_size", [0, 1])
def test_without_a_smallest_size_it_is_the_threshold_alone(min_size):
    probability = np.random.default_rng(0).random((7, 9), np.float32)
    np.testing.assert_array_equal(
        mask_from_probability(probability, 0.3, min_size), probability >= 0.3
    )


@given(
    hnp.arrays(np.float32, (6, 7), elements=st.floats(0, 1, width=32)),
    st.floats(0, 1),
    st.integers(0, 9),
)
def test_a_stricter_choice_never_adds_a_pixel(probability, threshold, min_size):
    loose = mask_from_probability(probability, threshold, min_size)
    assert not (mask_from_probability(probability, threshold, min_size + 1) & ~loose).any()
    assert not (mask_from_probability(probability, threshold + 0.1, min_size) & ~loose).any()


@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(2, 9))
def test_strips_change_nothing(seed, min_size, height):
    mask = (np.random.default_rng(seed).random((37, 23)) > 0.62).view(np.uint8)
    whole, strips = mask.copy(), mask.copy()
    _drop_small(whole, min_size, height=37)
    _drop_small(strips, min_size, height)
    np.testing.assert_array_equal(strips, whole)
