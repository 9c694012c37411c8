"""What is taken from a colour image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_veinseg.data.grey import colour_shares, to_grey
from napari_veinseg.segmentation.tiling import image_source
from napari_veinseg.segmentation.tiling.image_source import ImageSource

LUMINANCE = colour_shares(np.zeros((4, 3)))
RED, BLUE = 0, 2


def photograph(side: int = 64) -> np.ndarray:
    """Colours that nowhere reach the brightest value but in one pixel."""
    image = np.random.default_rng(1).integers(20, 200, (side, side, 3)).astype(np.uint8)
    image[0, 0] = 255
    return image


def overexposed(image: np.ndarray, colour: int, share: float) -> np.ndarray:
    image = image.copy()
    image[: round(share * len(image)), :, colour] = image.max()
    return image


@pytest.mark.parametrize("colours", [3, 4])
@pytest.mark.parametrize("alike", [0.0, 0.5])
def test_luminance_where_no_colour_is_more_overexposed_than_another(
    colours: int, alike: float
) -> None:
    image = np.dstack([photograph()] + [np.full((64, 64), 255, np.uint8)] * (colours - 3))
    for colour in range(3):
        image = overexposed(image, colour, alike)
    np.testing.assert_allclose(colour_shares(image), LUMINANCE, rtol=1e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("colour", [RED, BLUE])
def test_an_overexposed_colour_hardly_counts(dtype: type, colour: int) -> None:
    shares = colour_shares(overexposed(photograph(), colour, 0.2).astype(dtype))
    assert shares[colour] < 1e-3
    others = np.delete(shares, colour) / np.delete(LUMINANCE, colour)
    np.testing.assert_allclose(others[0], others[1], rtol=1e-2)


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from([RED, BLUE]))
def test_the_more_is_overexposed_the_less_it_counts(
    share: float, other: float, colour: int
) -> None:
    fewer, more = (
        colour_shares(overexposed(photograph(), colour, each)) for each in sorted((share, other))
    )
    assert fewer[colour] >= more[colour] - 1e-6
    for shares in (fewer, more):
        assert shares.min() >= 0
        assert shares.sum() == pytest.approx(1, abs=1e-6)


@given(st.floats(0.1, 100), st.floats(-100, 100))
def test_units_do_not_matter(factor: float, pedestal: float) -> None:
    image = overexposed(photograph(), RED, 0.02).astype(np.float64)
    np.testing.assert_allclose(
        colour_shares(image * factor + pedestal), colour_shares(image), atol=0.01
    )


def test_what_has_no_brightest_value_is_luminance() -> None:
    broken = photograph().astype(np.float32)
    broken[3, 3, 1] = np.nan
    for image in (broken, np.full((8, 8, 3), 7.0), np.full((8, 8, 3), np.inf)):
        np.testing.assert_array_equal(colour_shares(image), LUMINANCE)


def test_each_image_of_a_stack_is_judged_by_itself() -> None:
    stack = np.stack([photograph(), overexposed(photograph(), RED, 0.3)])
    expected = np.stack([to_grey(image) for image in stack])
    np.testing.assert_array_equal(to_grey(stack), expected)
    source = ImageSource(stack)
    np.testing.assert_array_equal(
        np.stack([source.plane(index).sample for index in range(2)]), expected
    )


@pytest.mark.parametrize("lazy", [False, True])
def test_parts_of_an_image_are_mixed_alike(lazy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    image = overexposed(photograph(), RED, 0.5)
    whole = to_grey(image)
    if lazy:
        monkeypatch.setattr(image_source, "WHOLE", 100)
    plane = ImageSource(image).plane(0)
    np.testing.assert_array_equal(plane.read(slice(8, 20), slice(30, 64)), whole[8:20, 30:])
    np.testing.assert_array_equal(plane.read(slice(40, 64), slice(0, 9)), whole[40:, :9])
