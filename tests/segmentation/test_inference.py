import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_veinseg.model.card import DenseUNetArguments
from napari_veinseg.segmentation.inference import Predictor, TiledPrediction
from napari_veinseg.segmentation.source import ImageSource
from napari_veinseg.segmentation.transforms import Normaliser
from tests.models import lively_network, small_card, texture


def predict(image, factor, predictor, tile_side=None):
    plane = ImageSource(image).plane(0)
    normaliser = Normaliser.from_image(plane.sample, 1, 99)
    answer = np.full(image.shape, np.nan, np.float32)
    for tile in TiledPrediction(image.shape, factor, predictor, tile_side).tiles(
        [plane], [normaliser]
    ):
        answer[tile.rows, tile.columns] = tile.probability[0]
    return answer


@pytest.fixture(scope="module")
def network():
    return lively_network(small_card())


@pytest.fixture(scope="module")
def predictor(network):
    return Predictor(network)


def test_folding_and_memory_layout_change_nothing(network, predictor):
    image = np.random.default_rng(0).normal(size=(2, 64, 80)).astype(np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(image)[:, None]).sigmoid()[:, 0].numpy()
    np.testing.assert_allclose(predictor(image), expected, atol=1e-5)
    assert np.std(expected) > 0.1, "a flat answer would prove nothing"


@settings(max_examples=15, deadline=None)
@given(
    st.integers(150, 260),
    st.integers(150, 260),
    st.sampled_from([0.6, 0.83, 1.0, 1.27]),
    st.integers(33, 90),
)
def test_tiled_equals_whole(predictor, height, width, factor, tile_side):
    """The halo covers all that a pixel depends on, whatever the scale and where the cuts are."""
    image = texture((height, width), seed=height)
    whole = predict(image, factor, predictor)
    tiled = predict(image, factor, predictor, tile_side)
    np.testing.assert_allclose(tiled, whole, atol=1e-4)


def test_a_smaller_halo_would_not_do(network):
    """The test above can fail: without a halo, tiles differ."""
    image = texture((200, 200))
    predictor = Predictor(network)
    whole = predict(image, 1.0, predictor)
    predictor.receptive_radius = 0
    assert np.abs(predict(image, 1.0, predictor, 50) - whole).max() > 1e-2


def test_tiled_equals_whole_for_the_shipped_architecture():
    predictor = Predictor(lively_network(small_card(network=DenseUNetArguments())))
    image = texture((700, 120))
    whole = predict(image, 1.0, predictor)
    np.testing.assert_allclose(predict(image, 1.0, predictor, 96), whole, atol=1e-4)


def test_constant_ground_costs_nothing_and_changes_nothing(predictor):
    image = texture((900, 96))
    image[200:] = image.mean()
    whole = predict(image, 1.0, predictor)

    class Counting:
        def __init__(self):
            self.calls = 0

        def __getattr__(self, name):
            return getattr(predictor, name)

        def __call__(self, images):
            self.calls += 1
            return predictor(images)

    counting = Counting()
    tiled = predict(image, 1.0, counting, 48)
    np.testing.assert_allclose(tiled, whole, atol=1e-4)
    assert counting.calls < 900 / 48 * 2 / 2
