"""The mean over several vein widths: of whole images, of tiles, with progress and cancel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_veinseg.errors import Cancelled
from napari_veinseg.segmentation.runtimes.torch_runtime import TorchRuntime
from napari_veinseg.segmentation.tiling import tiled_prediction
from napari_veinseg.segmentation.tiling.image_source import ImageSource
from napari_veinseg.segmentation.tiling.normalisation import Normaliser
from napari_veinseg.segmentation.tiling.predict_parts import MultiScalePrediction
from napari_veinseg.segmentation.tiling.tiled_prediction import TiledPrediction
from napari_veinseg.segmentation.vein_model import VeinModel
from tests.models import lively_network, small_card, texture

NETWORK = lively_network(small_card())
RUNTIME = TorchRuntime(NETWORK)


def model_of(*scales):
    return VeinModel(small_card(scales=scales), NETWORK, "cpu")


def pieces(image, prediction):
    plane = ImageSource(image).plane(0)
    answer = np.full(image.shape, np.nan, np.float32)
    for tile in prediction.tiles([(plane, Normaliser.from_image(plane.sample, 1, 99))]):
        answer[tile.rows, tile.columns] = tile.probability[0]
    return answer


@pytest.mark.parametrize(
    ("shape", "width", "scales"),
    [
        ((120, 160), 6, (1, 2)),
        ((120, 160), 6, (2,)),
        ((90, 70), 4.5, (0.25, 1, 4)),
        ((70, 90), 9, (4, 0.5, 1.3, 2)),
        ((8, 8), 6, (1, 2, 4)),
        ((8, 9), 90, (1, 4)),  # the network sees less than a pixel of it
        ((3, 60, 84), 5, (1, 2)),
    ],
)
def test_it_is_the_mean_of_the_probabilities_of_the_scales(shape, width, scales):
    image = texture(shape)
    single = [model_of(1).probability(image, vein_width=width * scale) for scale in scales]
    answer = model_of(*scales).probability(image, vein_width=width)
    np.testing.assert_allclose(answer, np.mean(single, axis=0), atol=1e-6)
    if min(shape) > 8:
        spread = max(np.abs(each - answer).max() for each in single)
        assert (spread > 0.05) == (len(scales) > 1), "scales that agree would prove nothing"


def test_the_mask_is_of_the_mean_and_the_measured_width_is_as_before():
    image, model = texture((120, 160)), model_of(1, 2)
    predicted = model.predict(image)
    assert predicted.settings.vein_width == model_of(1).predict(image).settings.vein_width
    expected = predicted.probability >= predicted.settings.threshold
    np.testing.assert_array_equal(model.segment(image, min_size=0), expected)
    assert (model_of(1).segment(image, min_size=0) != expected).any()


@pytest.mark.parametrize("tile_side", [None, 50])
def test_one_scale_is_bit_for_bit_as_without_scales(tile_side):
    image = texture((150, 130))
    alone = pieces(image, TiledPrediction(image.shape, 0.83, RUNTIME, tile_side))
    np.testing.assert_array_equal(
        pieces(image, MultiScalePrediction(image.shape, [0.83], RUNTIME, tile_side)), alone
    )


@settings(max_examples=15)
@given(
    st.integers(60, 200),
    st.integers(60, 200),
    st.lists(st.floats(0.1, 2.5), min_size=1, max_size=3),
    st.integers(33, 90),
)
def test_tiled_equals_whole_whatever_the_scales(height, width, factors, tile_side):
    image = texture((height, width), seed=height)
    whole = pieces(image, MultiScalePrediction(image.shape, factors, RUNTIME, max(image.shape)))
    tiled = pieces(image, MultiScalePrediction(image.shape, factors, RUNTIME, tile_side))
    np.testing.assert_allclose(tiled, whole, atol=1e-4)


@pytest.fixture
def small_tiles(monkeypatch):
    monkeypatch.setattr(tiled_prediction, "_ONE_PIECE", 0)
    monkeypatch.setattr(tiled_prediction, "TILE_SIDE", 40)


@pytest.mark.parametrize(
    ("scales", "tiles"),
    [
        ((1,), 4 * 5),
        ((1, 2), 2 * 4 * 5),
        ((2, 0.5), 2 * 8 * 10),  # the finest scale decides how the image is cut
        ((2, 4), 2 * 2 * 3),
    ],
)
def test_progress_counts_every_look_and_ends_at_all_of_them(small_tiles, scales, tiles):
    seen = []
    image, model = texture((160, 200)), model_of(*scales)
    model.segment(image, vein_width=6, progress=lambda *step: seen.append(step))
    assert seen == [(done, tiles) for done in range(tiles + 1)]


@pytest.mark.parametrize("looks", [1, 2, 5])
def test_a_cancel_is_heard_after_each_look(small_tiles, monkeypatch, looks):
    model, calls = model_of(1, 2, 4), []
    forward = model.runtime._forward

    def counted(images):
        calls.append(images.shape)
        return forward(images)

    monkeypatch.setattr(model.runtime, "_forward", counted)
    with pytest.raises(Cancelled):
        model.probability(texture((160, 200)), vein_width=6, cancelled=lambda: len(calls) >= looks)
    assert len(calls) == looks


def test_an_image_of_one_tile_is_cancelled_between_its_scales(monkeypatch):
    steps = []
    with pytest.raises(Cancelled):
        model_of(1, 2).probability(
            texture((60, 80)),
            vein_width=6,
            progress=lambda *step: steps.append(step),
            cancelled=lambda: len(steps) > 1,
        )
    assert steps == [(0, 2), (1, 2)]


def test_a_coarse_scale_does_not_make_the_tiles_of_a_fine_one_larger():
    shape = (6000, 6000)
    fine = MultiScalePrediction(shape, [1.0], RUNTIME)
    both = MultiScalePrediction(shape, [0.25, 1.0], RUNTIME)
    assert [len(each) for each in both.scales] == [len(fine), len(fine)]
    assert len(fine) > 9
