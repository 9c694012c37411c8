import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from napari_veinseg.measurement.skeleton import centreline
from napari_veinseg.measurement.vein_width_from_mask import median_width, widths
from tests.measurement.shapes import capsule


@settings(max_examples=25)
@given(
    width=st.floats(2.5, 20),
    angle=st.floats(0.1, np.pi / 2 - 0.1),
    shift=st.floats(0, 1),
)
@example(width=9.0, angle=0.1, shift=0.25)
def test_the_width_of_an_oblique_vein_is_right_within_about_a_pixel(width, angle, shift):
    along = 70 * np.array([np.sin(angle), np.cos(angle)])
    middle = np.array([100 + shift, 150])
    mask = capsule(middle - along, middle + along, width)
    # Whole pixels alone take up to a pixel of a width; the example is 1.004 off.
    assert median_width(mask) == pytest.approx(width, abs=1.05)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 7, 10, 15])
def test_the_width_of_a_level_bar_is_right_within_a_pixel(width):
    mask = np.zeros((60, 200), np.uint8)
    mask[20 : 20 + width, 10:190] = 1
    assert median_width(mask) == pytest.approx(width, abs=1)
    assert median_width(mask.T) == median_width(mask)


def test_the_median_is_the_typical_width_not_the_widest():
    mask = capsule((40, 20), (40, 280), 5) | capsule((140, 20), (140, 60), 25)
    assert median_width(mask) == pytest.approx(5, abs=1)


def test_no_vein_has_no_width():
    assert np.isnan(median_width(np.zeros((20, 20), np.uint8)))
    assert np.isnan(median_width(np.full((20, 20), 2, np.uint8)))


def test_a_vein_half_hidden_by_unsure_is_not_measured_there():
    mask = np.zeros((60, 200), np.uint8)
    mask[20:29] = 1
    whole = median_width(mask)
    mask[25:40, 100:] = 2
    assert median_width(mask) == whole
    row_24, row_22 = np.zeros_like(mask, bool), np.zeros_like(mask, bool)
    row_24[24] = row_22[22] = True
    assert np.isnan(widths(mask, row_22)[22, 100:]).all()
    assert np.isfinite(widths(mask, row_24)[24, :90]).all()


def test_width_follows_the_pixel_size():
    mask = capsule((100, 40), (100, 260), 9).astype(np.uint8)
    line = centreline(mask)
    in_px = widths(mask, line)[line]
    np.testing.assert_allclose(widths(mask, line, (0.5, 0.5))[line], in_px / 2)


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("width", [5, 8, 9, 12])
def test_the_frame_is_the_border_of_a_vein_along_it(width, turn):
    mask = np.zeros((100, 200), np.uint8)
    mask[:width] = 1
    inside = np.roll(mask, 40, axis=0)
    assert median_width(np.rot90(mask, turn)) == pytest.approx(median_width(inside), abs=0.01)


@pytest.mark.parametrize("angle", [20, 45, 70, 90])
def test_a_vein_that_leaves_the_frame_goes_on(angle):
    along = 400 * np.array([np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))])
    middle = np.array([100, 150])
    mask = capsule(middle - along, middle + along, 10).astype(np.uint8)
    line = centreline(mask)
    near = np.zeros_like(line)
    near[:8] = near[-8:] = near[:, :8] = near[:, -8:] = True
    # Thinning bends into the frame's corner; a border there would halve the width.
    assert np.nanmedian(widths(mask, line)[line & near]) == pytest.approx(10, abs=2)
