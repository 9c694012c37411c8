"""Every file of the corpus, by every way in which a user's files are read."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from napari_veinseg.cli import main
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.image_files import read_image
from napari_veinseg.data.mask_files import read_mask, write_mask
from napari_veinseg.data.sample import Fault, read_pairs
from tests.data.corpus import CASES, MASK, MASKS, Case
from tests.models import write_small_model

by_name = {"argvalues": CASES, "ids": [case.name for case in CASES]}
masks_by_name = {"argvalues": MASKS, "ids": [case.name for case in MASKS]}


def assert_right(read: np.ndarray, case: Case) -> None:
    assert read.shape == case.right.shape
    assert read.dtype == case.right.dtype.newbyteorder("=")
    np.testing.assert_allclose(read.astype(float), case.right.astype(float), rtol=0, atol=case.near)


def without_suffix(case: Case) -> str:
    return case.name.replace(".", "_")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """All images, each under a name of its own whatever its suffix."""
    path = tmp_path_factory.mktemp("corpus")
    for case in CASES:
        case.write(path / f"{without_suffix(case)}{Path(case.name).suffix}")
    return path


@pytest.fixture(scope="module")
def files(folder) -> dict[str, Path]:
    return {path.stem: path for path in folder.iterdir()}


def test_the_corpus_is_a_corpus():
    assert len({case.name for case in CASES}) == len(CASES) >= 120
    assert len({case.name for case in MASKS}) == len(MASKS)


@pytest.mark.parametrize("case", **by_name)
def test_an_image_is_read(files, case):
    assert_right(read_image(files[without_suffix(case)]), case)


@pytest.mark.parametrize("case", **masks_by_name)
def test_a_mask_is_read(tmp_path, case):
    case.write(tmp_path / case.name)
    read = read_mask(tmp_path / case.name)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, case.right)


@pytest.fixture(scope="module")
def layers(files):
    """What napari's builtin reader makes of the files, and a dock of ours of its layers."""
    from napari.layers import Layer
    from napari.layers._source import layer_source
    from napari_builtins.io import napari_get_reader

    from napari_veinseg.widgets.common.opened_files import show_as_read

    shown = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for stem, path in files.items():
            ((data, *_),) = napari_get_reader(str(path))(str(path))
            kind = "labels" if data.dtype in ("u4", "i4", "u8", "i8") else "image"  # as napari does
            with layer_source(path=str(path), reader_plugin="napari"):
                shown[stem] = Layer.create(data, {}, kind)
            show_as_read(shown[stem])
    return shown


@pytest.mark.parametrize("case", **by_name)
def test_the_viewer_shows_what_is_read(layers, case):
    data = np.asarray(layers[without_suffix(case)].data)
    if data.ndim == 4 and case.stack:  # times and depths keep their sliders
        data = data.reshape(case.right.shape)
    assert_right(data, case)
    assert getattr(layers[without_suffix(case)], "rgb", False) == (case.right.shape[-1] in (3, 4))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_small_model(tmp_path_factory.mktemp("model") / "small.safetensors")


@pytest.fixture(scope="module")
def segmented(folder, model, tmp_path_factory):
    """The probabilities of one run of the command line over the whole folder."""
    output = tmp_path_factory.mktemp("masks")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(sys, "argv", [
            "veinseg", "segment", str(folder), "--output", str(output), "--model", str(model),
            "--probability", "--vein-width", "3", "--device", "cpu",
        ])  # fmt: skip
        with pytest.raises(SystemExit) as end:
            main()
    assert not end.value.code
    return output


@pytest.fixture(scope="module")
def expected(model):
    """The probability of the right image, through Python."""
    from napari_veinseg import VeinModel

    loaded = VeinModel.load(model, "cpu")
    known: dict[bytes, np.ndarray] = {}

    def probability(case: Case) -> np.ndarray:
        key = repr((case.right.shape, case.right.dtype)).encode() + case.right.tobytes()
        if key not in known:
            known[key] = loaded.probability(case.right, vein_width=3)
        return known[key]

    return probability


@pytest.mark.parametrize("case", **by_name)
def test_the_command_line_segments_what_is_read(segmented, expected, case):
    found = read_image(segmented / f"{without_suffix(case)}_probability.tif")
    right = expected(case)
    assert found.shape == right.shape
    # A lossy format makes other pixels, but the image is neither turned nor inverted.
    limit = 0.5 if case.near else 1e-3
    assert np.abs(found - right).mean() < limit / 5


@pytest.fixture(scope="module")
def pairs(folder, tmp_path_factory):
    dataset = tmp_path_factory.mktemp("dataset")
    (dataset / "images").mkdir()
    (dataset / "masks").mkdir()
    for case in CASES:
        name = without_suffix(case)
        (dataset / "images" / f"{name}{Path(case.name).suffix}").write_bytes(
            (folder / f"{name}{Path(case.name).suffix}").read_bytes()
        )
        shape = case.right.shape[1:3] if case.stack else case.right.shape[:2]
        mask = np.kron(MASK, np.ones([a // b for a, b in zip(shape, MASK.shape, strict=True)]))
        write_mask(dataset / "masks" / f"{name}_mask.png", mask)
    opened = Dataset.open(dataset)
    assert opened.left_out == []
    return dict(zip((sample.stem for sample in opened), read_pairs(opened), strict=True))


@pytest.mark.parametrize("case", **by_name)
def test_a_dataset_holds_what_is_read(pairs, case):
    pair = pairs[without_suffix(case)]
    if case.stack:
        assert isinstance(pair, Fault)
        assert "is a stack" in pair.message
    else:
        assert_right(pair.image, case)
        assert pair.mask.shape == pair.image.shape[:2]
