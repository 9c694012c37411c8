"""A region of interest: nothing outside of it, and inside as if the image were cut out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_veinseg import VeinModel
from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.region import Region
from napari_veinseg.segmentation.settings import SegmentationSettings
from tests.models import lively_network, small_card, texture


@pytest.fixture(scope="module")
def model():
    return VeinModel(small_card(), lively_network(small_card()), device="cpu")


@pytest.mark.parametrize("shape", [(80, 120), (3, 80, 120), (80, 120, 3)])
def test_a_rectangle_is_segmented_as_if_it_were_cut_out(model, shape):
    image = texture(shape) if shape[-1] != 3 else np.moveaxis(texture((3, 80, 120)), 0, -1)
    part = (..., slice(20, 70), slice(30, 100)) if shape[-1] != 3 else np.s_[20:70, 30:100]
    prediction = model.predict(image, region=Region.parse("30,20,100,70"))
    cut = model.predict(image[part])
    whole = np.zeros_like(prediction.probability)
    inside = (..., slice(20, 70), slice(30, 100))
    whole[inside] = cut.probability
    np.testing.assert_array_equal(prediction.probability, whole)
    np.testing.assert_array_equal(prediction.mask[inside], cut.mask)
    assert not np.delete(prediction.mask, np.s_[20:70], axis=-2).any()
    assert prediction.settings.vein_width == cut.settings.vein_width
    np.testing.assert_array_equal(
        model.segment(image, region=Region.parse("30,20,100,70")), prediction.mask
    )


def test_beside_a_polygon_nothing_is_vein(model):
    image = texture((80, 120))
    triangle = Region(((10, 5), (110, 5), (60, 75)))
    probability = model.probability(image, region=triangle, vein_width=5)
    box = model.probability(image, region=Region.parse("10,5,111,76"), vein_width=5)
    rows, columns = np.mgrid[:80, :120]
    left, right = 10 + (rows - 5) * 50 / 70, 110 - (rows - 5) * 50 / 70
    inside = (rows >= 5) & (columns > left + 1) & (columns < right - 1)
    outside = (rows < 5) | (columns < left - 1) | (columns > right + 1)
    np.testing.assert_array_equal(probability[inside], box[inside])
    assert not probability[outside].any()
    assert inside.sum() > 3000


def test_tiles_know_where_they_lie(model, monkeypatch):
    image = texture((160, 200))
    triangle = Region(((10, 5), (190, 15), (60, 155)))
    expected = model.probability(image, region=triangle, vein_width=6)
    monkeypatch.setattr("napari_veinseg.segmentation.tiling.tiled_prediction._ONE_PIECE", 0)
    monkeypatch.setattr("napari_veinseg.segmentation.tiling.tiled_prediction.TILE_SIDE", 40)
    tiled = model.probability(image, region=triangle, vein_width=6)
    np.testing.assert_allclose(tiled, expected, atol=1e-4)


@given(st.tuples(*[st.floats(-50, 250)] * 4), st.tuples(st.integers(8, 200), st.integers(8, 200)))
def test_a_window_lies_within_the_image_or_is_refused(corners, shape):
    region = Region(((corners[0], corners[1]), (corners[2], corners[3])))
    try:
        rows, columns = region.window(shape)
    except VeinSegError:
        return
    assert 0 <= rows.start < rows.stop <= shape[0]
    assert 0 <= columns.start < columns.stop <= shape[1]
    assert region.window((7, *shape)) == (rows, columns)
    assert region.inside(rows, columns).shape == (
        rows.stop - rows.start,
        columns.stop - columns.start,
    )


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "0,0,nan,9", "0,0,inf,9"])
def test_what_is_no_region_is_refused(text):
    with pytest.raises(VeinSegError, match=r"is none: give x0,y0,x1,y1"):
        Region.parse(text)


def test_a_region_beside_the_image_is_refused_with_both(model):
    settings = SegmentationSettings(region=Region.parse("300,10,400,60"))
    with pytest.raises(VeinSegError, match=r"300,10,400,60 leaves .* 120 x 80 px"):
        model.segment(texture((80, 120)), settings)
