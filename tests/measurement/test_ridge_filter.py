import numpy as np
import pytest

from napari_veinseg.measurement.ridge_filter import valley_strength


def bar(width, depth=40.0, side=96):
    image = np.full((side, side), 100.0)
    top = side // 2 - width // 2
    image[top : top + width] -= depth
    return image


@pytest.mark.parametrize("width", [3, 5, 9, 13])
def test_a_long_dark_bar_gives_its_depth_and_its_width(width):
    valleys = valley_strength(bar(width), widths=(3, 5, 9, 13))
    assert valleys.strength[48, 48] == pytest.approx(40, rel=0.12)
    assert valleys.width[48, 48] == width
    assert valleys.strength.dtype == valleys.width.dtype == np.float32


def test_bright_ridges_and_plain_ground_have_no_strength_along_them():
    assert valley_strength(200 - bar(5), widths=(5,)).strength[48, 48] == pytest.approx(0, abs=1e-3)
    assert valley_strength(np.full((40, 50), 7, np.uint8)).strength.max() == 0


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
def test_brightness_turning_and_type_do_not_matter(dtype):
    image = bar(5).astype(dtype)
    strength = valley_strength(image).strength
    np.testing.assert_allclose(valley_strength(image + dtype(50)).strength, strength, atol=2e-3)
    np.testing.assert_allclose(valley_strength(image.T).strength.T, strength, atol=2e-3)


def test_order_of_widths_does_not_matter():
    image = np.random.default_rng(0).normal(size=(40, 60))
    for one, other in zip(
        valley_strength(image, (3, 9, 5)), valley_strength(image, (3, 5, 9)), strict=True
    ):
        np.testing.assert_array_equal(one, other)
