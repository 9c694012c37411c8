"""The exported file alone, in ONNX Runtime, against the model in torch."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from napari_veinseg import VeinModel
from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.card import ModelCard, Normalisation
from napari_veinseg.model.file import CARD_KEY
from napari_veinseg.segmentation.export.onnx_file import WIDTHS_KEY, export_onnx
from tests.models import SHIPPED, SMALL, lively_network, small_card

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


@pytest.fixture(scope="module", params=["small", "shipped"])
def model(request):
    network = SMALL if request.param == "small" else SHIPPED
    normalisation = Normalisation(low_percentile=2, high_percentile=97)
    card = small_card(network=network, normalisation=normalisation)
    return VeinModel(card, lively_network(card), "cpu")


@pytest.fixture(scope="module")
def session(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    export_onnx(model, path)
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("shape", [(120, 240), (97, 131), (8, 9), (301, 400)])
def test_any_size_gives_the_probability_of_the_model(model, session, shape):
    fingers = [synthetic_finger(seed, shape).image for seed in range(2)]
    images = np.stack(fingers).astype(np.float32)[:, None] * 37 + 1000
    answer = session.run(["probability"], {"image": images})[0]
    assert answer.shape == images.shape
    width = model.card.working_vein_width
    for image, probability in zip(images[:, 0], answer[:, 0], strict=True):
        expected = model.probability(image, vein_width=width)
        assert np.ptp(expected) > 0.1, "a flat answer would prove nothing"
        np.testing.assert_allclose(probability, expected, atol=1e-3)


def test_two_grey_values_and_one(model, session):
    """Where the percentiles coincide the extremes stand in; a constant image has no vein."""
    image = np.full((64, 96), 5, np.float32)
    assert not session.run(None, {"image": image[None, None]})[0].any()
    image[3, 4] = 9
    answer = session.run(None, {"image": image[None, None]})[0][0, 0]
    expected = model.probability(image, vein_width=model.card.working_vein_width)
    np.testing.assert_allclose(answer, expected, atol=1e-3)


def test_the_card_travels_with_it(model, session):
    stored = session.get_modelmeta().custom_metadata_map[CARD_KEY]
    assert ModelCard.model_validate(json.loads(stored)) == model.card


def test_the_documented_lines_segment_as_the_package_does(tmp_path):
    """They find the widths in the file, and make the mean that the threshold is for."""
    starter = VeinModel.load("starter", device="cpu")
    export_onnx(starter, tmp_path / "starter.onnx")
    session = onnxruntime.InferenceSession(
        tmp_path / "starter.onnx", providers=["CPUExecutionProvider"]
    )
    widths = json.loads(session.get_modelmeta().custom_metadata_map[WIDTHS_KEY])
    assert tuple(widths) == starter.card.seen_widths

    formats = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"^```python\n(.*?)^```$", formats, re.DOTALL | re.MULTILINE)
    names: dict[str, object] = {}
    exec(lines, names)
    image = synthetic_finger(3, (240, 320)).image.astype(np.float32)
    mask = names["vein_probability"](session, image, 9.0) >= starter.card.threshold
    expected = starter.probability(image, vein_width=9.0) >= starter.card.threshold
    assert expected.mean() > 0.05
    assert (mask != expected).sum() < 0.05 * expected.sum()


def test_what_cannot_be_written_is_one_sentence(model, tmp_path):
    with pytest.raises(VeinSegError, match=r"ends in \.onnx"):
        export_onnx(model, tmp_path / "model.pt")
    with pytest.raises(VeinSegError, match="was not written"):
        export_onnx(model, tmp_path / "nowhere" / "model.onnx")
    card = small_card(network=SMALL.model_copy(update={"act": "swish"}))
    with pytest.raises(VeinSegError, match="cannot be written as ONNX"):
        export_onnx(VeinModel(card, lively_network(card), "cpu"), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
