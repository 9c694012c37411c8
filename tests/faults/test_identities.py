"""What is saved is what was meant, and no way of cutting the work changes a pixel."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.samples_csv import stem_from
from napari_veinseg.model.card import Metric, TrainingData
from napari_veinseg.model.file import build_network, read_model, write_model
from napari_veinseg.segmentation.vein_model import VeinModel
from tests.faults.conftest import times
from tests.models import lively_network, small_card, texture

EXAMPLES = settings(
    max_examples=times(6, 60),
    database=None,
    suppress_health_check=list(HealthCheck),
)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
figures = st.floats(0.01, 0.99)


@EXAMPLES
@given(words, words, figures, st.floats(0.5, 50), st.lists(words, max_size=3), st.integers(0, 99))
def test_a_model_comes_back(tmp_path, name, words, threshold, width, hashes, seed):
    card = small_card(
        name=name,
        description=words,
        licence=words,
        parent=name or None,
        threshold=threshold,
        working_vein_width=width,
        training_data=TrainingData(summary=words, image_hashes=tuple(hashes)),
        metrics=(Metric(name=name, mean="mean", value=threshold, data=words),),
    )
    torch.manual_seed(seed)
    network = build_network(card)
    for half in (False, True):
        write_model(tmp_path / "m.safetensors", card, network, half=half)
        again, weights = read_model(tmp_path / "m.safetensors")
        assert again == card
        for key, tensor in network.state_dict().items():
            kept = tensor.half().float() if half and tensor.is_floating_point() else tensor
            assert torch.equal(weights.state_dict()[key], kept)


shapes = st.tuples(st.integers(5, 12), st.integers(5, 12))
numbers = st.sampled_from([np.uint8, np.uint16, np.int16, np.float32, np.float64])


@EXAMPLES
@given(words, words, words, shapes, numbers, st.booleans(), st.data())
def test_a_sample_comes_back(tmp_path_factory, name, finger, source, shape, kind, colour, data):
    folder = tmp_path_factory.mktemp("set")
    if colour:
        kind = np.uint8
    full = (*shape, 3) if colour else shape
    image = data.draw(hnp.arrays(kind, full))
    mask = data.draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, 2)))
    stem = stem_from(name)
    Dataset.create(folder).add(stem, image, mask, finger=finger, source=source, reviewed=True)
    sample = Dataset.open(folder)[stem]
    assert (sample.finger, sample.source, sample.reviewed) == (finger, source, True)
    assert sample.image().dtype == kind
    np.testing.assert_array_equal(sample.image(), image)
    np.testing.assert_array_equal(sample.mask(), mask)


@pytest.fixture(scope="module")
def model():
    return VeinModel(small_card(), lively_network(small_card()), "cpu")


@settings(EXAMPLES, max_examples=times(4, 25))
@given(st.permutations(range(4)), st.integers(40, 90))
def test_neither_order_nor_company_of_slices_changes_a_pixel(model, order, side):
    stack = np.stack([texture((side, 64), seed) for seed in range(4)])
    how = {"vein_width": 6.0, "min_size": 0, "threshold": 0.5}
    alone = np.stack([model.segment(plane, **how) for plane in stack])
    together = model.segment(stack[list(order)], **how)
    np.testing.assert_array_equal(together, alone[list(order)])


@pytest.mark.parametrize("seed", range(times(2, 10)))
def test_no_transform_of_the_layer_changes_a_pixel(
    viewer, segment, press, vein_image, seed
):  # fmt: skip
    chance = np.random.default_rng(seed)
    image = viewer.add_image(vein_image)
    press(segment)
    plain = viewer.layers[-1].data.copy()
    viewer.layers.clear()
    turn = np.deg2rad(chance.uniform(0, 360))
    image = viewer.add_image(
        vein_image,
        scale=chance.uniform(0.01, 50, 2),
        translate=chance.uniform(-1e3, 1e3, 2),
        rotate=chance.uniform(0, 360),
        shear=[chance.uniform(-1, 1)],
        affine=[[np.cos(turn), -np.sin(turn), 3], [np.sin(turn), np.cos(turn), 9], [0, 0, 1]],
    )
    press(segment)
    mask = viewer.layers[-1]
    assert mask is not image
    np.testing.assert_array_equal(mask.data, plain)
    corners = np.array([[0, 0], [63, 79], [10, 50]])
    for corner in corners:
        np.testing.assert_allclose(mask.data_to_world(corner), image.data_to_world(corner))
