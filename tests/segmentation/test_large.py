"""An image too large to be read whole: read in parts, normalised as a whole, masked in strips."""

import numpy as np
import pytest

from napari_veinseg.segmentation.masks import mask_from_probability
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.segmentation.tiling.image_source import WHOLE, ImageSource
from napari_veinseg.segmentation.tiling.normalisation import Normaliser
from napari_veinseg.segmentation.tiling.predict_parts import MultiScalePrediction
from napari_veinseg.segmentation.vein_model import VeinModel
from tests.models import lively_network, small_card, texture

SIDE = 4200


class OnDisk:
    """Counts the pixels of each read; bright ground, with veins in one corner."""

    shape, dtype, ndim = (SIDE, SIDE), np.dtype(np.uint8), 2

    def __init__(self):
        self.pixels = np.full(self.shape, 90, np.uint8)
        self.pixels[:700, :900] = texture((700, 900)) * 255
        self.reads = []

    def __getitem__(self, where):
        part = self.pixels[where]
        self.reads.append(part.size)
        return part


@pytest.fixture(scope="module", params=[(1,), (1, 2)])
def model(request):
    return VeinModel(small_card(scales=request.param), lively_network(small_card()), device="cpu")


def test_a_large_image_is_read_in_parts_and_masked_as_a_whole(model):
    image = OnDisk()
    assert image.pixels.size > WHOLE
    steps = []
    mask = model.segment(
        image, vein_width=6, threshold=0.5, min_size=40, progress=lambda *step: steps.append(step)
    )
    assert max(image.reads) < image.pixels.size / 4
    assert steps[-1][0] == steps[-1][1] == len(steps) - 1 > 4

    # One piece of it, with the normalisation of the whole, gives the same pixels.
    plane = ImageSource(image).plane(0)
    normaliser = Normaliser.from_image(plane.sample, 1, 99)
    crop = ImageSource(image.pixels[:1600, :1600]).plane(0)
    factors = [1 / scale for scale in model.card.scales]
    prediction = MultiScalePrediction((1600, 1600), factors, model.runtime)
    (piece,) = prediction.tiles([(crop, normaliser)])
    expected = mask_from_probability(piece.probability[0], 0.5, 40)
    np.testing.assert_array_equal(mask[:1000, :1000], expected[:1000, :1000])


def test_the_vein_width_of_a_large_image_is_found_without_reading_it_whole(model):
    image = OnDisk()
    image.pixels[...] = np.tile(texture((700, 700)) * 255, (6, 6))

    small = model.resolve(SegmentationSettings(), image.pixels[:1400, :1400]).vein_width
    assert model.resolve(SegmentationSettings(), image).vein_width == pytest.approx(small, rel=0.6)
    assert sum(image.reads) < image.pixels.size
