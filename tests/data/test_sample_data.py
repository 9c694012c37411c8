"""The sample images are what napari and the demo expect, each time."""

import numpy as np
import pytest

from napari_veinseg.data import sample_data


@pytest.mark.parametrize(
    ("make", "layers", "shape"),
    [
        (sample_data.sample_finger, sample_data.finger_layers, (240, 480)),
        (sample_data.sample_stack, sample_data.stack_layers, (5, 240, 480)),
        (sample_data.sample_field, sample_data.field_layers, (1024, 1024)),
    ],
)
def test_samples_show_veins_and_never_change(make, layers, shape):
    sample = make()
    assert sample.image.shape == sample.mask.shape == shape
    assert sample.image.dtype == sample.mask.dtype == np.uint8
    veins = sample.mask == 1
    assert 0.02 < veins.mean() < 0.3
    assert sample.image[veins].mean() > 10  # lit well enough to be seen
    (image, image_options, image_kind), (mask, mask_options, mask_kind) = layers()
    assert (image_kind, mask_kind) == ("image", "labels")
    assert image_options["name"] != mask_options["name"]
    np.testing.assert_array_equal(image, sample.image)
    np.testing.assert_array_equal(mask, sample.mask)


def test_the_five_shots_differ_a_little():
    shots = sample_data.sample_stack().image.astype(float)
    for shot in shots[1:]:
        assert 0 < np.abs(shot - shots[0]).mean() < 60
