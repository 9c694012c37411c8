from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_veinseg.errors import VeinSegError, VeinSegWarning
from napari_veinseg.model.card import DenseUNetArguments
from napari_veinseg.segmentation.runtimes.torch_runtime import TorchRuntime
from napari_veinseg.segmentation.tiling.image_source import ImagePlane, ImageSource
from napari_veinseg.segmentation.tiling.normalisation import Normaliser
from napari_veinseg.segmentation.tiling.tiled_prediction import TiledPrediction
from tests.models import lively_network, small_card, texture


def predict(image, factor, predictor, tile_side=None):
    plane = ImageSource(image).plane(0)
    normaliser = Normaliser.from_image(plane.sample, 1, 99)
    answer = np.full(image.shape, np.nan, np.float32)
    for tile in TiledPrediction(image.shape, factor, predictor, tile_side).tiles(
        [(plane, normaliser)]
    ):
        answer[tile.rows, tile.columns] = tile.probability[0]
    return answer


@pytest.fixture(scope="module")
def network():
    return lively_network(small_card())


@pytest.fixture(scope="module")
def predictor(network):
    return TorchRuntime(network)


def test_folding_and_memory_layout_change_nothing(network, predictor):
    image = np.random.default_rng(0).normal(size=(2, 64, 80)).astype(np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(image)[:, None]).sigmoid()[:, 0].numpy()
    np.testing.assert_allclose(predictor(image), expected, atol=1e-5)
    assert np.std(expected) > 0.1, "a flat answer would prove nothing"


@settings(max_examples=15)
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
    predictor = TorchRuntime(network)
    whole = predict(image, 1.0, predictor)
    predictor.geometry = replace(predictor.geometry, receptive_radius=0)
    assert np.abs(predict(image, 1.0, predictor, 50) - whole).max() > 1e-2


def test_tiled_equals_whole_for_the_shipped_architecture():
    predictor = TorchRuntime(lively_network(small_card(network=DenseUNetArguments())))
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


class Scarce(TorchRuntime):
    """A device with room for so many pixels; `elsewhere` it is one that is not the CPU."""

    def __init__(self, network, room, elsewhere=False):
        super().__init__(network)
        self.room, self.elsewhere, self.sizes = room, elsewhere, []

    def _forward(self, images):
        if images.size > self.room:
            raise torch.OutOfMemoryError("simulated")
        self.sizes.append(images.size)
        return super()._forward(images)

    def move_to_cpu(self):
        moved, self.elsewhere = self.elsewhere, False
        if moved:
            self._tell("on the CPU")
            self.room = self.limit = float("inf")
        return moved


def predict_batch(images, predictor):
    planes = [ImageSource(image).plane(0) for image in images]
    batch = [(plane, Normaliser.from_image(plane.sample, 1, 99)) for plane in planes]
    (tile,) = TiledPrediction(images[0].shape, 1.0, predictor).tiles(batch)
    return tile.probability


@pytest.mark.parametrize(
    ("room", "elsewhere", "steps"),
    [
        (2 * 256 * 320, False, ["fewer images"]),
        (256 * 320, False, ["fewer images"]),
        (192 * 256, False, ["fewer images", "smaller tiles"]),
        (9, True, ["fewer images", "smaller tiles", "on the CPU"]),
    ],
)
def test_out_of_memory_goes_down_the_ladder_and_changes_nothing(network, room, elsewhere, steps):
    images = [texture((256, 320), seed) for seed in range(4)]
    expected = predict_batch(images, TorchRuntime(network))
    scarce = Scarce(network, room, elsewhere)
    with pytest.warns(VeinSegWarning, match="too small") as told:
        answer = predict_batch(images, scarce)
    np.testing.assert_allclose(answer, expected, atol=1e-4)
    assert len(told) == len(steps), "each step is told once"
    for warning, step in zip(told, steps, strict=True):
        assert step in str(warning.message)
    assert scarce.sizes
    assert max(scarce.sizes) <= scarce.room


def test_out_of_memory_on_the_cpu_is_one_sentence(network):
    with (
        pytest.warns(UserWarning, match="smaller tiles"),
        pytest.raises(VeinSegError, match="memory is too small"),
    ):
        predict_batch([texture((256, 320))], Scarce(network, 9))


def test_after_it_failed_the_next_image_is_tried_again(network):
    scarce = Scarce(network, 9)
    with pytest.warns(UserWarning, match="smaller tiles"), pytest.raises(VeinSegError):
        predict_batch([texture((256, 320))], scarce)
    scarce.room = 10**6  # other programs were closed
    np.testing.assert_allclose(
        predict_batch([texture((256, 320))], scarce),
        predict_batch([texture((256, 320))], TorchRuntime(network)),
        atol=1e-6,
    )


@pytest.mark.parametrize(
    "said",
    [
        "DefaultCPUAllocator: not enough memory: you tried to allocate 4 bytes.",
        "CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "Non-zero status code returned while running Conv node: std::bad_alloc",
        "Invalid buffer size: 9.54 GiB",
    ],
)
def test_every_runtime_is_understood_when_its_memory_is_too_small(network, said):
    class Failing(Scarce):
        def _forward(self, images):
            if images.size > self.room:
                raise Exception(said)  # ONNX Runtime's classes derive from nothing narrower
            return super()._forward(images)

    images = [texture((256, 320), seed) for seed in range(2)]
    with pytest.warns(VeinSegWarning, match="fewer images"):
        answer = predict_batch(images, Failing(network, 256 * 320))
    np.testing.assert_allclose(answer, predict_batch(images, TorchRuntime(network)), atol=1e-4)


def test_memory_that_is_too_small_to_read_a_tile_is_met_by_smaller_tiles(network):
    image = texture((256, 320))

    def read(rows, columns):
        part = image[rows, columns]
        if part.size > 200 * 320:
            raise MemoryError
        return part

    plane = ImagePlane(image.shape, read)
    tiles = TiledPrediction(image.shape, 1.0, TorchRuntime(network))
    (tile,) = tiles.tiles([(plane, Normaliser.from_image(image, 1, 99))])
    np.testing.assert_allclose(
        tile.probability, predict_batch([image], TorchRuntime(network)), atol=1e-4
    )


@given(height=st.integers(64, 3000), width=st.integers(64, 3000), factor=st.floats(0.05, 0.4))
def test_an_image_of_usual_size_is_never_cut(predictor, height, width, factor):
    assert len(TiledPrediction((height, width), factor, predictor)) == 1


def test_wide_veins_in_a_huge_image_do_not_make_a_tile_of_all_of_it(predictor):
    tiles = TiledPrediction((20_000, 20_000), 5 / 120, predictor)
    assert len(tiles) >= 25


def test_another_runtime_error_is_not_taken_for_it(network):
    predictor = TorchRuntime(network)
    predictor.core = torch.nn.Conv2d(5, 1, 1)
    with pytest.raises(RuntimeError, match="channels"):
        predict_batch([texture((256, 320))], predictor)
