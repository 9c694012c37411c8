"""Models converted for ONNX Runtime: the same answers as torch, without torch."""

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest

from napari_veinseg import VeinModel
from napari_veinseg.data.image_files import write_image
from napari_veinseg.model.card import DenseUNetArguments, Original2020Arguments
from napari_veinseg.model.file import build_network, read_model, write_model
from napari_veinseg.model.store import model_digest
from napari_veinseg.segmentation.runtimes import onnx_cache, onnx_runtime
from napari_veinseg.segmentation.runtimes.torch_runtime import TorchRuntime
from tests.models import SHIPPED, SMALL, lively_network, small_card, texture, write_small_model

pytest.importorskip("onnxruntime")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(onnx_cache.CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def model_file(tmp_path):
    return write_small_model(tmp_path / "small.safetensors")


@pytest.mark.parametrize(
    "network",
    [
        SMALL,
        SHIPPED,
        DenseUNetArguments(growth_rate=4, layers=(1, 2), stem_stride=1, norm=None),
        DenseUNetArguments(growth_rate=4, layers=(1, 2), act="leakyrelu"),
        Original2020Arguments(),
    ],
    ids=lambda network: f"{network.architecture}-{getattr(network, 'growth_rate', '')}",
)
def test_it_answers_as_torch_does(network, tmp_path, cache):
    card = small_card(network=network)
    weights = lively_network(card) if network.architecture == "DenseUNet" else build_network(card)
    path = tmp_path / "m.safetensors"
    write_model(path, card, weights.eval())
    place = onnx_cache.cached_path(model_digest(path))
    runtime = onnx_cache.convert(path, weights, place)
    assert runtime is not None
    assert onnx_cache.open_cached(place) is not None
    torch_runtime = TorchRuntime(weights)
    for shape in ((1, 96, 128), (3, 32, 80)):
        images = texture(shape, seed=shape[0]) * 2 - 1
        expected = torch_runtime(images)
        np.testing.assert_allclose(runtime(images), expected, atol=onnx_cache.TOLERANCE)
    assert runtime.geometry == weights.geometry


def test_loading_prepares_once_and_segments_the_same(model_file, cache, monkeypatch):
    image = texture((70, 90))
    first = VeinModel.load(model_file, "cpu")
    assert isinstance(first.runtime, onnx_runtime.OnnxRuntime)
    assert "ONNX Runtime" in str(first.device_choice)
    (made,) = cache.glob("*.onnx")
    monkeypatch.setattr(onnx_cache, "convert", None)
    again = VeinModel.load(model_file, "cpu")
    card, network = read_model(model_file)
    by_torch = VeinModel(card, network, "cpu").probability(image, vein_width=5)
    for model in (first, again):
        np.testing.assert_allclose(model.probability(image, vein_width=5), by_torch, atol=1e-3)
    assert made.exists()
    assert set(again.network.state_dict()) == set(network.state_dict())


def test_another_content_is_another_file(model_file, cache):
    VeinModel.load(model_file, "cpu")
    write_small_model(model_file, seed=1)
    VeinModel.load(model_file, "cpu")
    assert len(list(cache.glob("*.onnx"))) == 2


def test_the_switch_keeps_to_torch(model_file, cache, monkeypatch):
    monkeypatch.setenv(onnx_runtime.SWITCH_VARIABLE, "0")
    assert isinstance(VeinModel.load(model_file, "cpu").runtime, TorchRuntime)
    assert not cache.exists()


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_a_damaged_file_is_made_anew(model_file, cache, damage):
    VeinModel.load(model_file, "cpu")
    (made,) = cache.glob("*.onnx")
    made.write_bytes(made.read_bytes()[:2000] if damage is None else damage)
    assert isinstance(VeinModel.load(model_file, "cpu").runtime, onnx_runtime.OnnxRuntime)
    assert isinstance(onnx_cache.open_cached(made), onnx_runtime.OnnxRuntime)


def test_a_swapped_file_is_not_used(model_file, cache, tmp_path):
    VeinModel.load(model_file, "cpu")
    (made,) = cache.glob("*.onnx")
    right = made.read_bytes()
    VeinModel.load(write_small_model(tmp_path / "other.safetensors", seed=1), "cpu")
    (other,) = set(cache.glob("*.onnx")) - {made}
    for content in (other.read_bytes(), right[:32] + other.read_bytes()[32:]):
        made.write_bytes(content)
        assert onnx_cache.open_cached(made) is None
        assert not made.exists()
    VeinModel.load(model_file, "cpu")
    assert made.read_bytes() == right


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such modes")
def test_a_file_that_others_could_write_to_is_not_used(model_file, cache):
    VeinModel.load(model_file, "cpu")
    (made,) = cache.glob("*.onnx")
    assert made.stat().st_mode & 0o777 == 0o600
    assert cache.stat().st_mode & 0o777 == 0o700
    for mode in (0o620, 0o602):
        made.chmod(mode)
        assert onnx_cache.open_cached(made) is None
        VeinModel.load(model_file, "cpu")
    assert onnx_cache.open_cached(made) is not None


def test_what_cannot_be_prepared_is_left_to_torch(tmp_path, cache, monkeypatch):
    card = small_card(network=SMALL.model_copy(update={"act": "swish"}))
    path = tmp_path / "swish.safetensors"
    write_model(path, card, lively_network(card))
    assert isinstance(VeinModel.load(path, "cpu").runtime, TorchRuntime)

    monkeypatch.setattr(onnx_cache, "_agree", lambda *_runtimes: False)
    path = write_small_model(tmp_path / "small.safetensors")
    assert isinstance(VeinModel.load(path, "cpu").runtime, TorchRuntime)
    monkeypatch.setenv(onnx_cache.CACHE_VARIABLE, "/proc/nowhere")
    assert isinstance(VeinModel.load(path, "cpu").runtime, TorchRuntime)
    assert not list(cache.iterdir())


def test_a_broken_installation_is_left_to_torch(model_file, cache, monkeypatch):
    def broken(*_arguments):
        raise ImportError("DLL load failed while importing onnxruntime_pybind11_state")

    monkeypatch.setattr(onnx_runtime.OnnxRuntime, "__init__", broken)
    assert isinstance(VeinModel.load(model_file, "cpu").runtime, TorchRuntime)


def test_an_exporter_that_cannot_be_imported_is_left_to_torch(model_file, cache, monkeypatch):
    monkeypatch.delitem(
        sys.modules, "napari_veinseg.segmentation.runtimes.onnx_graph", raising=False
    )
    monkeypatch.setitem(sys.modules, "onnx", None)  # an import of it raises
    monkeypatch.setattr(onnx_runtime, "find_spec", lambda _name: True)
    assert isinstance(VeinModel.load(model_file, "cpu").runtime, TorchRuntime)


def test_a_file_that_is_replaced_while_it_is_loaded_is_not_prepared(model_file, cache, monkeypatch):
    def read_and_replace(path):
        read = read_model(path)
        write_small_model(path, seed=1)  # as training does with the best model so far
        return read

    monkeypatch.setattr("napari_veinseg.segmentation.loaded_model.read_model", read_and_replace)
    VeinModel.load(model_file, "cpu")
    assert not list(cache.iterdir())


def test_a_package_of_another_name_will_do(model_file, cache, monkeypatch):
    def version(package):
        if package != "onnxruntime-gpu":
            raise PackageNotFoundError(package)
        return "1.0"

    monkeypatch.setattr(onnx_cache, "version", version)
    assert isinstance(VeinModel.load(model_file, "cpu").runtime, onnx_runtime.OnnxRuntime)


def test_old_ones_are_forgotten(model_file, cache, monkeypatch):
    monkeypatch.setattr(onnx_cache, "_MOST_KEPT", 2)
    for seed in range(4):
        VeinModel.load(write_small_model(model_file, seed), "cpu")
    assert len(list(cache.iterdir())) == 2


def test_one_that_another_program_forgets_meanwhile_costs_nothing(model_file, cache):
    cache.mkdir()
    (cache / "gone.onnx").symlink_to(cache / "nothing")
    assert isinstance(VeinModel.load(model_file, "cpu").runtime, onnx_runtime.OnnxRuntime)


@pytest.mark.parametrize(
    ("fast", "needed", "spared"),
    [
        ("1", {"onnxruntime"}, {"torch", "monai", "napari", "dask", "matplotlib"}),
        (
            "0",
            {"torch", "monai"},
            {"pandas", "sklearn", "napari", "dask", "matplotlib", "scipy.signal", "torch._dynamo"},
        ),
    ],
)
def test_a_command_imports_no_more_than_it_needs(
    model_file, cache, tmp_path, monkeypatch, fast, needed, spared
):
    VeinModel.load(model_file, "cpu")
    write_image(tmp_path / "finger.png", (texture((60, 90)) * 255).astype(np.uint8))
    code = (
        "import sys; from napari_veinseg.cli import main\ntry: main()\nfinally: print(*sys.modules)"
    )
    arguments = ["segment", tmp_path / "finger.png", "--output", tmp_path / "out"]
    monkeypatch.setenv(onnx_runtime.SWITCH_VARIABLE, fast)
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments, "--model", model_file, "--device", "cpu"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "1 of 1 image seg" in done.stdout
    loaded = set(done.stdout.splitlines()[-1].split())
    assert needed <= loaded
    assert not loaded & spared
