"""Exported models: other runtimes, without this package, give the same probabilities."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import tifffile
import torch

from napari_veinseg.data.image_files import read_image, write_image
from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.card import Metric, Original2020Arguments
from napari_veinseg.segmentation.export.monai_bundle import export_bundle
from napari_veinseg.segmentation.export.standalone import AnyVeinWidth
from napari_veinseg.segmentation.export.torch_program import (
    CARD_NAME,
    WIDTHS_NAME,
    export_torch,
    standalone,
)
from napari_veinseg.segmentation.tiling import normalisation
from napari_veinseg.segmentation.vein_model import VeinModel
from tests.models import lively_network, small_card, texture

EXACT = 1e-4


@pytest.fixture(autouse=True)
def every_pixel_counts(monkeypatch):
    """For its percentiles the package takes a sample of an image's pixels, and the export all."""
    monkeypatch.setattr(normalisation, "ENOUGH_SAMPLES", 10**9)


@pytest.fixture(scope="module")
def model():
    card = small_card(working_vein_width=7.0)
    return VeinModel(card, lively_network(card), "cpu")


@pytest.fixture(scope="module")
def model_of_two_scales():
    card = small_card(working_vein_width=7.0, scales=(1, 2))
    return VeinModel(card, lively_network(card), "cpu")


def probability(module, image):
    with torch.inference_mode():
        return module(torch.from_numpy(image.astype(np.float32))[None, None])[0, 0].numpy()


@pytest.mark.parametrize("shape", [(64, 96), (90, 70), (33, 100), (9, 8)])
def test_the_standalone_model_is_the_model_at_working_width(model, shape):
    image = 1000 * texture(shape)
    expected = model.probability(image, vein_width=7.0)
    assert np.ptp(expected) > 0.1
    assert np.abs(probability(standalone(model), image) - expected).max() < EXACT


def test_a_constant_image_shows_nothing_and_a_nearly_constant_one_its_extremes(model):
    module = standalone(model)
    assert not probability(module, np.full((40, 50), 7.0)).any()
    image = np.zeros((40, 50), np.float32)
    image[20, 25] = 1
    expected = model.probability(image, vein_width=7.0)
    assert np.abs(probability(module, image) - expected).max() < EXACT


@pytest.mark.parametrize("scales", [(1.0,), (1.0, 2.0), (0.7, 1.3, 4.0)])
@pytest.mark.parametrize("width", [None, 4.0, 7.0, 15.0])
def test_any_vein_width_is_brought_to_the_working_width_at_each_scale(model, width, scales):
    card = small_card(working_vein_width=7.0, scales=scales)
    package = VeinModel(card, model.network, "cpu")
    module = AnyVeinWidth(model.network, 1, 99, card.working_vein_width, width, scales).eval()
    image = synthetic_finger(3, (100, 150)).image
    expected = package.probability(image, vein_width=width)
    assert np.ptp(expected) > 0.1
    assert np.abs(probability(module, image) - expected).max() < EXACT


def test_a_torch_export_takes_any_size_and_carries_its_card(model, tmp_path):
    export_torch(model, tmp_path / "model.pt2")
    described = {CARD_NAME: "", WIDTHS_NAME: ""}
    loaded = torch.export.load(tmp_path / "model.pt2", extra_files=described).module()
    assert json.loads(described[CARD_NAME]) == model.card.model_dump(mode="json")
    assert json.loads(described[WIDTHS_NAME]) == [7.0]
    for shape in [(64, 96), (90, 70), (40, 17), (18, 130), (200, 300)]:
        image = texture(shape)
        expected = model.probability(image, vein_width=7.0)
        assert np.abs(probability(loaded, image) - expected).max() < EXACT, shape
    images = torch.from_numpy(texture((3, 1, 48, 64)))
    one_by_one = torch.cat([loaded(image[None]) for image in images])
    torch.testing.assert_close(loaded(images), one_by_one, rtol=0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_network_of_three_channels_exports(tmp_path):
    card = small_card(network=Original2020Arguments())
    model = VeinModel(card, lively_network_of(card), "cpu")
    export_torch(model, tmp_path / "o.pt2")
    image = texture((50, 70))
    loaded = torch.export.load(tmp_path / "o.pt2").module()
    expected = model.probability(image, vein_width=card.working_vein_width)
    assert np.abs(probability(loaded, image) - expected).max() < EXACT


def lively_network_of(card):
    from napari_veinseg.model.file import build_network

    torch.manual_seed(0)
    return build_network(card).eval()


@pytest.mark.parametrize(
    ("export", "name", "said"),
    [(export_torch, "model.onnx", "pt2"), (export_torch, "no/model.pt2", "no/model.pt2")],
)
def test_a_place_that_cannot_be_written_is_one_sentence(model, tmp_path, export, name, said):
    with pytest.raises(VeinSegError, match=said):
        export(model, tmp_path / name)


def test_a_bundle_is_whole_loads_no_pickle_and_replaces_only_a_bundle(model, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(VeinSegError, match="no MONAI bundle"):
        export_bundle(model, tmp_path / "mine")
    export_bundle(model, tmp_path / "bundle")
    export_bundle(model, tmp_path / "bundle")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "mine"]
    bundle = tmp_path / "bundle"
    weights = torch.load(bundle / "models" / "model.pt", weights_only=True)
    assert weights.keys() == model.network.core.state_dict().keys()
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text())
    assert set(metadata["required_packages_version"]) == {"fire", "ignite", "PIL", "scipy"}
    for script in (bundle / "scripts").glob("*.py"):
        assert "import napari_veinseg" not in script.read_text()
        assert "from napari_veinseg" not in script.read_text()
    assert "pip install monai" in (bundle / "docs" / "README.md").read_text()
    text = "".join(path.read_text() for path in (bundle / "configs").iterdir())
    assert str(tmp_path) not in text


def test_no_text_of_a_card_is_code_in_a_bundle(tmp_path):
    code = "$__import__('os').getpid()"  # MONAI runs it when it is asked for the description
    metric = Metric(name="@run", mean=code, value=1.0, data="%other.json::run")
    card = small_card(name=code, description=code, licence=code, metrics=(metric,))
    export_bundle(VeinModel(card, lively_network(card), "cpu"), tmp_path / "bundle")
    text = (tmp_path / "bundle" / "configs" / "metadata.json").read_text("utf-8")
    assert "getpid" in text
    assert not re.search('"[$@%]', text)


def test_images_and_results_inside_a_bundle_are_not_replaced_with_it(model, tmp_path):
    export_bundle(model, tmp_path / "bundle")
    for name in ("images", "eval"):  # where the bundle itself looks for them, and puts them
        (tmp_path / "bundle" / name).mkdir()
        (tmp_path / "bundle" / name / "finger.png").touch()
    with pytest.raises(VeinSegError, match=r"bundle holds eval, images .*new folder"):
        export_bundle(model, tmp_path / "bundle")
    assert len(list((tmp_path / "bundle").rglob("finger.png"))) == 2


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_monai_runs_the_bundle_without_this_package(model_of_two_scales, tmp_path):
    model = model_of_two_scales
    export_bundle(model, tmp_path / "bundle")
    (tmp_path / "images").mkdir()
    grey = synthetic_finger(3, (100, 150)).image
    write_image(tmp_path / "images" / "grey.png", grey)
    write_image(tmp_path / "images" / "deep.tif", grey.astype(np.uint16) * 200)
    overexposed = np.minimum(2 * grey.astype(int), 255).astype(np.uint8)
    colours = np.stack([overexposed, grey // 2, grey], axis=-1)
    write_image(tmp_path / "images" / "colour.png", colours)
    (tmp_path / "block" / "napari_veinseg").mkdir(parents=True)
    blocker = tmp_path / "block" / "napari_veinseg" / "__init__.py"
    blocker.write_text("raise ImportError('this package is not installed here')")
    run = subprocess.run(
        [sys.executable, "-m", "monai.bundle", "run", "--config_file", "configs/inference.json",
         "--bundle_root", ".", "--dataset_dir", str(tmp_path / "images"), "--output_dir",
         str(tmp_path / "out"), "--vein_width", "7"],
        cwd=tmp_path / "bundle", env=os.environ | {"PYTHONPATH": str(tmp_path / "block")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-4000:]
    for name in ("grey.png", "deep.tif", "colour.png"):
        image = read_image(tmp_path / "images" / name)
        expected = model.probability(image, vein_width=7.0)
        stem = name.partition(".")[0]
        likely = tifffile.imread(tmp_path / "out" / f"{stem}_probability.tif")
        assert np.abs(likely - expected).max() < EXACT, name
        mask = read_image(tmp_path / "out" / f"{stem}_mask.png")
        np.testing.assert_array_equal(mask, 255 * (likely >= model.card.threshold).astype(np.uint8))
