import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.tiling.normalisation import Normaliser
from napari_veinseg.segmentation.tiling.resampling import Resampling, resample
from tests.models import texture

SIDES = st.integers(1, 200)


def normalise(grey):
    return Normaliser.from_image(grey, 1, 99)(np.float32(grey))


def test_normalising_ignores_gain_offset_and_type():
    grey = texture((60, 80))
    expected = normalise(grey)
    assert np.percentile(expected, (1, 99)) == pytest.approx([-1, 1], abs=0.02)
    for other in (1e6 * grey + 3e7, -5 + 1e-4 * grey):
        np.testing.assert_allclose(normalise(np.float64(other)), expected, atol=0.02)


def test_what_is_not_finite_does_not_spread():
    grey = texture((60, 80))
    spoiled = grey.copy()
    spoiled[3, 4], spoiled[5, 6], spoiled[7, 8] = np.nan, np.inf, -np.inf
    values = normalise(spoiled)
    assert (values[3, 4], values[5, 6], values[7, 8]) == (0, 3, -3)
    elsewhere = np.isfinite(spoiled)
    np.testing.assert_allclose(values[elsewhere], normalise(grey)[elsewhere], atol=1e-2)
    with pytest.raises(VeinSegError, match="no finite value"):
        normalise(np.full((9, 9), np.nan))


def test_a_constant_image_shows_nothing():
    assert Normaliser.from_image(np.full((9, 9), 7.0), 1, 99).constant
    assert not normalise(np.full((9, 9), 7.0)).any()


def test_one_bright_pixel_is_a_range_too():
    grey = np.zeros((20, 20))
    grey[3, 3] = 1
    assert not Normaliser.from_image(grey, 1, 99).constant


@given(SIDES, SIDES, st.data())
def test_a_part_gets_the_pixels_that_the_whole_gets(source, target, data):
    start = data.draw(st.integers(0, target - 1))
    stop = data.draw(st.integers(start + 1, target + 8))  # also beyond, where the border repeats
    axis = Resampling(source, target)
    signal = texture((source, 1), seed=source)
    whole = axis.matrix(0, target) @ signal[slice(*axis.needs(0, target))]
    part = axis.matrix(start, stop) @ signal[slice(*axis.needs(start, stop))]
    expected = whole[np.minimum(np.arange(start, stop), target - 1)]
    np.testing.assert_allclose(part, expected, atol=1e-6)


@given(SIDES, SIDES)
def test_resampling_keeps_constants_and_the_identity(source, target):
    axis = Resampling(source, target)
    np.testing.assert_allclose(axis.matrix(0, target).sum(axis=1), 1, atol=1e-6)
    same = Resampling(source, source)
    np.testing.assert_array_equal(same.matrix(0, source).todense(), np.eye(source))


def test_a_ramp_stays_where_it_is_and_fine_patterns_vanish():
    ramp = np.linspace(0, 1, 200, dtype=np.float32)[:, None]
    axis = Resampling(200, 70)
    small = axis.matrix(0, 70) @ ramp
    centres = (np.arange(70) + 0.5) * (200 / 70) - 0.5
    np.testing.assert_allclose(small[3:-3, 0], centres[3:-3] / 199, atol=1e-3)
    stripes = np.float32(np.arange(200) % 2)[:, None]
    assert np.ptp((axis.matrix(0, 70) @ stripes)[3:-3]) < 0.15


def test_both_axes():
    grey = texture((40, 60))
    rows, columns = Resampling(40, 20), Resampling(60, 90)
    resampled = resample(grey, rows.matrix(0, 20), columns.matrix(0, 90))
    assert resampled.shape == (20, 90)
    assert resampled.mean() == pytest.approx(grey.mean(), abs=0.02)
