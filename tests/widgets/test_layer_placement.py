"""Layers that are placed, scaled, turned or sliced in every way that napari allows."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.masks.layer_placement import PixelSize, offset_of, require_same_place
from napari_veinseg.widgets.masks.layers import as_image_or_stack, displayed_plane

MM = ("mm", "mm")
TURN = [[0, -1], [1, 0]]


def labels(**how) -> Labels:
    return Labels(np.zeros((9, 12), int), **how)


@pytest.mark.parametrize(
    ("how", "spacing"),
    [
        ({"scale": (0.1, 0.2)}, (0.1, 0.2)),
        ({"affine": np.diag([0.1, 0.2, 1])}, (0.1, 0.2)),
        ({"scale": (2, 2), "affine": np.diag([0.1, 0.2, 1])}, (0.2, 0.4)),
        ({"scale": (0.1, 0.2), "rotate": 30}, (0.1, 0.2)),
        ({"scale": (0.1, 0.2), "rotate": 90}, (0.1, 0.2)),
        ({"scale": (-0.1, 0.2), "translate": (50, 3)}, (0.1, 0.2)),
        ({"affine": np.block([[0.1 * np.array(TURN), np.zeros((2, 1))], [0, 0, 1]])}, (0.1, 0.1)),
    ],
)
def test_the_size_of_a_pixel_is_read_from_all_that_places_it(how, spacing):
    size = PixelSize.of(labels(units=MM, **how))
    assert size.unit == "mm"
    assert size.spacing == pytest.approx(spacing)


def test_without_a_length_a_pixel_is_a_pixel():
    assert PixelSize.of(labels(affine=np.diag([0.1, 0.1, 1]))) == PixelSize()
    assert PixelSize.of(labels(scale=(2, 2), units=("mm", "s"))) == PixelSize()


@pytest.mark.parametrize("how", [{"shear": [0.5]}, {"affine": [[1, 0.3, 0], [0, 1, 0], [0, 0, 1]]}])
def test_a_sheared_layer_is_not_measured_as_if_it_were_straight(how):
    with pytest.raises(VeinSegError, match="sheared"):
        PixelSize.of(labels(units=MM, **how))


@pytest.mark.parametrize(
    ("how", "away"),
    [
        ({}, (0, 0)),
        ({"translate": (3, -2)}, (3, -2)),
        ({"scale": (2, 1)}, (8, 0)),
        ({"affine": [[1, 0, 0], [0, 1, 5], [0, 0, 1]]}, (0, 5)),
    ],
)
def test_a_mask_that_lies_elsewhere_is_told(how, away):
    mask, image = labels(name="veins", **how), Image(np.zeros((9, 12)), name="finger")
    assert offset_of(mask, image) == pytest.approx(away)
    if any(away):
        with pytest.raises(VeinSegError, match=r"'veins' and 'finger' have one size but lie"):
            require_same_place(mask, image)
    else:
        require_same_place(mask, image)


def test_a_transposed_view_shows_the_same_plane():
    viewer = ViewerModel()
    plain, stack = viewer.add_image(np.zeros((9, 12))), viewer.add_image(np.zeros((4, 9, 12)))
    viewer.dims.set_point(0, 2)
    viewer.dims.order = (0, 2, 1)
    assert displayed_plane(viewer, plain) == ()
    assert displayed_plane(viewer, stack) == (2,)
    viewer.dims.order = (1, 0, 2)
    with pytest.raises(VeinSegError, match="Show the stack in 2D"):
        displayed_plane(viewer, stack)


def test_of_many_dimensions_the_shown_slice_is_taken():
    viewer = ViewerModel()
    data = np.random.default_rng(0).random((2, 3, 9, 12))
    layer = viewer.add_image(data, name="film", scale=(1, 1, 0.5, 0.5), translate=(0, 0, 4, 5))
    viewer.dims.set_point([0, 1], [1, 2])
    shown = as_image_or_stack(viewer, layer)
    np.testing.assert_array_equal(shown.data, data[1, 2])
    assert shown.name == "film [1, 2]"
    np.testing.assert_array_equal(shown.scale, (0.5, 0.5))
    np.testing.assert_array_equal(shown.translate, (4, 5))
    assert as_image_or_stack(viewer, layer) is shown
    assert as_image_or_stack(viewer, shown) is shown


@pytest.mark.parametrize(
    ("shape", "taken"),
    [((1, 1, 9, 12), (9, 12)), ((9, 12, 1), (9, 12)), ((9, 12), (9, 12)), ((4, 9, 12), (4, 9, 12))],
)
def test_a_layer_of_any_dimensions_becomes_an_image_or_a_stack(shape, taken):
    viewer = ViewerModel()
    layer = viewer.add_image(np.zeros(shape))
    assert as_image_or_stack(viewer, layer).data.shape == taken
