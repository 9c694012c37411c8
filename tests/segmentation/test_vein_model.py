import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from types import SimpleNamespace

import dask.array
import numpy as np
import pytest
import torch
import zarr

from napari_veinseg import VeinModel
from napari_veinseg.errors import Cancelled, VeinSegError
from napari_veinseg.segmentation.masks import mask_from_probability
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.segmentation.tiling.image_source import ImageSource
from tests.models import lively_network, small_card, texture, write_small_model

LARGER_THAN_MEMORY = SimpleNamespace(shape=(10**6, 100, 4096, 4096), dtype=np.dtype(np.uint16))


@pytest.fixture(scope="module")
def model():
    card = small_card()
    return VeinModel(card, lively_network(card), device="cpu")


@pytest.fixture(scope="module")
def image():
    return (texture((60, 84)) * 200).astype(np.uint8)


def test_a_saved_model_answers_the_same(model, image, tmp_path):
    model.save(tmp_path / "m.safetensors")
    again = VeinModel.load(tmp_path / "m.safetensors", device="cpu")
    np.testing.assert_allclose(again.probability(image), model.probability(image), atol=1e-5)
    assert again.device_choice.name == "cpu"


def by_pickle(model):
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("again", [by_pickle, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("fast", ["0", "1"])
def test_a_copy_answers_the_same(again, fast, image, tmp_path, monkeypatch):
    monkeypatch.setenv("VEINSEG_FAST", fast)
    monkeypatch.setenv("VEINSEG_CACHE", str(tmp_path / "cache"))
    path = write_small_model(tmp_path / "m.safetensors", threshold=0.3)
    first = VeinModel.load(path, "cpu")
    made = [first, again(first)]
    path.unlink()  # what was copied needs no file
    made.append(again(made[-1]))
    for model in made:
        np.testing.assert_array_equal(model.probability(image), first.probability(image))
        assert model.card == first.card
        assert str(model.device_choice) == str(first.device_choice)
        assert model.digest == first.digest
    weights = [model.network.state_dict() for model in made[1:]]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_other_processes_get_the_model(model, image):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        mask = pool.submit(model.segment, image).result()
    np.testing.assert_array_equal(mask, model.segment(image))


def test_weights_that_came_after_the_model_was_loaded_are_not_taken_for_its_own(
    tmp_path, monkeypatch
):
    pytest.importorskip("onnxruntime")
    monkeypatch.setenv("VEINSEG_CACHE", str(tmp_path / "cache"))
    path = write_small_model(tmp_path / "m.safetensors")
    model = VeinModel.load(path, "cpu")
    write_small_model(path, seed=1)
    with pytest.raises(VeinSegError, match="replaced since it was loaded"):
        model.to_bytes()


def test_probability_and_mask_have_the_shape_of_the_image(model, image):
    probability = model.probability(image, vein_width=5)
    assert probability.shape == image.shape
    assert probability.dtype == np.float32
    assert 0 <= probability.min() < probability.max() <= 1
    mask = model.segment(image, vein_width=5, threshold=0.5, min_size=0)
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, probability >= 0.5)


def test_segment_is_the_mask_of_the_prediction(model, image):
    prediction = model.predict(image)
    settings = prediction.settings
    np.testing.assert_array_equal(model.segment(image), prediction.mask)
    np.testing.assert_array_equal(model.probability(image, settings), prediction.probability)
    np.testing.assert_array_equal(
        prediction.mask,
        mask_from_probability(prediction.probability, settings.threshold, settings.min_size),
    )
    assert settings == model.resolve(SegmentationSettings(), image)


def test_left_open_settings_come_from_the_card_and_the_image(image):
    model = VeinModel(small_card(threshold=0.3), lively_network(small_card()), "cpu")
    resolved = model.resolve(SegmentationSettings(), image)
    assert resolved.threshold == 0.3
    assert resolved.vein_width == model.vein_width(image) >= 1
    assert resolved.min_size == round(3 * resolved.vein_width**2)
    chosen = SegmentationSettings(4.0, threshold=0.7, min_size=0, invert=True, channel=1)
    assert asdict(model.resolve(chosen, image)) == asdict(chosen) | {"remark": ""}


def test_the_vein_width_is_that_of_the_chosen_channel(model, image):
    colours = np.zeros((*image.shape, 3), np.uint8)
    colours[..., 1] = image
    assert model.vein_width(colours, channel="green") == model.vein_width(image)
    assert model.vein_width(255 - image, invert=True) == pytest.approx(model.vein_width(image))


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image.astype(np.int64),
        lambda image: image.astype(np.float64) * 1e6 + 1e7,
        lambda image: np.stack([image] * 3, axis=-1),
        lambda image: np.stack([image] * 4, axis=-1),
        lambda image: image.tolist(),
        lambda image: image.astype(">u2"),
        lambda image: np.asfortranarray(image),
    ],
)
def test_the_same_picture_in_another_form(model, image, change):
    expected = model.probability(image, vein_width=5)
    np.testing.assert_allclose(model.probability(change(image), vein_width=5), expected, atol=5e-3)


def test_inverting_and_channels(model, image):
    expected = model.probability(image, vein_width=5)
    inverted = model.probability(255 - image, vein_width=5, invert=True)
    np.testing.assert_allclose(inverted, expected, atol=1e-3)
    colours = np.zeros((*image.shape, 3), np.uint8)
    colours[..., 1] = image
    green = model.probability(colours, vein_width=5, channel="green")
    np.testing.assert_array_equal(green, expected)


@pytest.mark.parametrize("make", [np.asarray, dask.array.from_array, zarr.array])
def test_a_stack_is_its_slices(model, make):
    stack = texture((5, 40, 64))
    stack[2] = 0.5  # a constant slice among the others
    answer = model.probability(make(stack), vein_width=5)
    for index, plane in enumerate(stack):
        np.testing.assert_allclose(answer[index], model.probability(plane, vein_width=5), atol=1e-5)
    assert not answer[2].any()


def test_a_lost_frame_of_a_stack_shows_nothing_and_changes_nothing(model):
    stack = texture((3, 40, 64))
    whole = model.probability(stack[[0, 2]])
    stack[1] = np.nan
    answer = model.probability(stack)
    assert not answer[1].any()
    np.testing.assert_allclose(answer[[0, 2]], whole, atol=1e-5)


def test_an_image_is_read_once(model):
    """A Dask array would be computed again for the width and for the network."""
    image = texture((40, 64))
    read = []

    class Lazy:
        shape, dtype = image.shape, image.dtype

        def __getitem__(self, where):
            read.append(where)
            return image[where]

    np.testing.assert_array_equal(model.segment(Lazy()), model.segment(image))
    assert len(read) == 1


def test_a_stack_of_large_frames_with_wide_veins_is_not_read_at_once(model, monkeypatch):
    monkeypatch.setattr("napari_veinseg.segmentation.tiling.predict_parts._READ", 3 * 64 * 96)
    together = []
    read = ImageSource.plane

    def plane(self, index):
        together.append(index)
        return read(self, index)

    monkeypatch.setattr(ImageSource, "plane", plane)
    steps = []
    model.probability(
        texture((7, 64, 96)), vein_width=60, progress=lambda *step: steps.append(step)
    )
    assert steps[-1] == (3, 3), "seven frames, three at a time"
    assert sorted(together) == list(range(7))


def test_a_stack_is_never_read_whole(model):
    most = 0

    class Watched:
        shape, dtype = (12, 40, 64), np.dtype(np.float32)

        def __getitem__(self, where):
            nonlocal most
            part = texture(self.shape)[where]
            most = max(most, part.size)
            return part

    model.probability(Watched())
    assert most == 40 * 64


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((50, 50), np.uint8),
        np.ones((50, 50), bool),
        np.full((50, 50), 7.5),
        np.zeros((8, 8)),
    ],
)
def test_a_constant_image_has_no_veins(model, image):
    assert not model.segment(image).any()


def test_pixels_that_are_not_finite_do_not_spoil_the_rest(model):
    image = texture((120, 160))
    expected = model.probability(image, vein_width=5)
    spoiled = image.copy()
    spoiled[5, 5], spoiled[6, 9] = np.nan, np.inf
    answer = model.probability(spoiled, vein_width=5)
    assert np.isfinite(answer).all()
    np.testing.assert_allclose(answer[-40:, -40:], expected[-40:, -40:], atol=0.05)
    assert model.segment(spoiled).shape == image.shape


def test_a_boolean_image_is_segmented(model):
    assert model.segment(texture((60, 84)) > 0.5).shape == (60, 84)


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (np.zeros((0, 50)), "shape"),
        (np.zeros((1, 50)), "at least 8 x 8 px"),
        (np.zeros((50, 1)), "at least 8 x 8 px"),
        (np.full((50, 50), np.nan), "no finite value"),
        (np.zeros((50, 50), complex), "complex"),
        (np.array([["a"] * 9] * 9), "<U1"),
        (np.zeros((2, 3, 50, 50)), "shape"),
        (LARGER_THAN_MEMORY, "shape"),
        (np.zeros(50), "shape"),
        (5, "shape"),
    ],
)
def test_what_cannot_be_segmented_is_refused_with_one_sentence(model, image, sentence):
    for act in (model.probability, model.segment):
        with pytest.raises(VeinSegError, match=sentence) as caught:
            act(image)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [{"vein_width": 0}, {"vein_width": float("nan")}, {"threshold": 1.5}, {"min_size": -1}],
)
def test_a_setting_out_of_range_is_refused(model, image, changes):
    with pytest.raises(VeinSegError, match="out of range"):
        model.segment(image, **changes)


def test_progress_and_cancel_between_tiles(model):
    seen = []
    stack = texture((3, 600, 1000))
    model.probability(stack, vein_width=6, progress=lambda *step: seen.append(step))
    assert seen == [(step, len(seen) - 1) for step in range(len(seen))]
    assert len(seen) > 2
    calls = []
    with pytest.raises(Cancelled):
        model.probability(
            stack, vein_width=6, progress=lambda *step: calls.append(step), cancelled=lambda: True
        )
    assert len(calls) <= 2


@pytest.mark.parametrize("ask", ["predict", "probability", "segment"])
def test_cancel_before_the_width_is_measured(model, monkeypatch, ask):
    monkeypatch.setattr(type(model.runtime), "__call__", None)  # no network is asked
    with pytest.raises(Cancelled):
        getattr(model, ask)(texture((600, 1000)), cancelled=lambda: True)


def test_a_large_mask_needs_no_probability(model, image, monkeypatch):
    expected = model.segment(image, vein_width=5)
    monkeypatch.setattr(VeinModel, "probability", None)
    np.testing.assert_array_equal(model.segment(image, vein_width=5), expected)


def test_loading_by_name(tmp_path, monkeypatch, image):
    monkeypatch.setenv("VEINSEG_MODELS", str(tmp_path))
    write_small_model(tmp_path / "mine.safetensors")
    assert VeinModel.load("mine", "cpu").segment(image).shape == image.shape
