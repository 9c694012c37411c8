import numpy as np
import pytest

from napari_veinseg.measurement.ridge_filter import valley_strength

WIDTHS = (3, 5, 9, 13)


def bar(width, depth=40.0, side=96):
    image = np.full((side, side), 100.0)
    top = side // 2 - width // 2
    image[top : top + width] -= depth
    return image


@pytest.mark.parametrize("width", WIDTHS)
def test_a_long_dark_bar_gives_its_depth_and_most_at_its_width(width):
    strength = valley_strength(bar(width), WIDTHS)
    assert strength[48, 48] == pytest.approx(40, rel=0.12)
    alone = {each: valley_strength(bar(width), [each])[48, 48] for each in WIDTHS}
    assert max(alone, key=alone.get) == width
    assert strength[48, 48] == pytest.approx(alone[width], rel=0.02)
    assert strength.dtype == np.float32


def test_bright_ridges_and_plain_ground_have_no_strength_along_them():
    assert valley_strength(200 - bar(5), (5,))[48, 48] == pytest.approx(0, abs=1e-3)
    assert valley_strength(np.full((40, 50), 7, np.uint8), WIDTHS).max() == 0


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
def test_brightness_turning_and_type_do_not_matter(dtype):
    image = bar(5).astype(dtype)
    strength = valley_strength(image, WIDTHS)
    brighter, turned = valley_strength(image + dtype(50), WIDTHS), valley_strength(image.T, WIDTHS)
    np.testing.assert_allclose(brighter, strength, atol=2e-3)
    np.testing.assert_allclose(turned.T, strength, atol=2e-3)


def test_order_of_widths_does_not_matter():
    image = np.random.default_rng(0).normal(size=(40, 60))
    np.testing.assert_array_equal(
        valley_strength(image, (3, 9, 5)), valley_strength(image, (3, 5, 9))
    )
