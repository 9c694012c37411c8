"""The vein width measured on what the network draws: right, steady, alike at every scale."""

import itertools
import warnings
from dataclasses import asdict, replace

import dask.array
import numpy as np
import pytest
from scipy import ndimage

from napari_veinseg import VeinModel
from napari_veinseg.data.image_files import write_image
from napari_veinseg.data.mask_files import read_mask
from napari_veinseg.data.synthesis import SynthesisSettings, synthetic_finger
from napari_veinseg.errors import VeinSegWarning
from napari_veinseg.measurement.measure import measure
from napari_veinseg.measurement.tables import image_row
from napari_veinseg.measurement.vein_width_from_mask import median_width
from napari_veinseg.segmentation.batch.segment_files import segment_files
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.segmentation.tiling import image_source, tiled_prediction
from napari_veinseg.segmentation.tiling.normalisation import Normaliser
from napari_veinseg.segmentation.vein_width_from_network import Look, MeasuredWidth, measure_width

_WORKING = 5.0


def bars(shape: tuple[int, int], width: float) -> np.ndarray:
    """Give straight dark veins, one every six widths."""
    y = np.arange(shape[0], dtype=np.float32)[:, None] % (6 * width)
    vein = 1 / (1 + np.exp((np.abs(y - 3 * width) - width / 2) / (0.15 * width)))
    return np.broadcast_to(200 * (1 - 0.5 * vein), shape).astype(np.float32)


def ideal(tiles: np.ndarray) -> np.ndarray:
    """Draw what is dark, whatever its scale, as a perfect network would."""
    return (tiles < 0).astype(np.float32)


def measured(image: np.ndarray, predict=ideal) -> MeasuredWidth:
    def whole(side: int) -> int:
        return side

    return measure_width(image, Normaliser.from_image(image, 1, 99), predict, _WORKING, whole)


@pytest.mark.parametrize("width", [3, 6, 12, 20])
@pytest.mark.parametrize("shape", [(240, 320), (512, 512), (300, 90)])
def test_a_perfect_drawing_gives_the_width(width, shape):
    assert 0.6 < measured(bars(shape, width)).width / width < 1.1


def test_widths_are_told_from_wide_to_fine_until_they_are_drawn_wider():
    looks = measured(bars((400, 400), 16)).looks
    assert [round(a.told / b.told, 6) for a, b in itertools.pairwise(looks)] == [2.0] * (
        len(looks) - 1
    )
    assert looks[-1].excess > 0.7
    assert all(look.excess <= 0.7 for look in looks[:-1] if look.sees)


@pytest.mark.parametrize(
    "image",
    [
        np.full((1, 500), 1e30),
        np.eye(9),
        np.random.default_rng(0).normal(size=(33, 47)),
        np.random.default_rng(0).normal(size=(8, 3000)),
        np.where(np.eye(64) > 0, np.nan, np.arange(64.0)),
    ],
    ids=["constant row", "tiny", "noise", "strip", "gaps"],
)
@pytest.mark.parametrize("level", [0.0, 1.0, 0.1])
def test_any_image_and_any_answer_have_a_width(image, level):
    found = measured(image.astype(np.float32), lambda tiles: np.full_like(tiles, level))
    assert np.isfinite(found.width)
    assert 1 <= found.width <= max(image.shape)
    assert found.remark.startswith("No vein was found at widths from")


def test_an_answer_that_fills_the_image_gives_a_width_that_can_be_used():
    image = np.random.default_rng(0).normal(size=(3000, 4000)).astype(np.float32)

    def nearly_all(tiles):
        return 0.9 + 1e-4 * np.sign(tiles)

    assert 1 <= measured(image, nearly_all).width < 1000


def test_two_widths_that_answer_equally_well_are_told():
    looks = (Look(32, 32, 0.01), Look(16, 5, 0.01), Look(8, 5, 0.01), Look(4, 4, 0.01))
    assert "Veins of 4.0 px and of 32.0 px" in MeasuredWidth(8, looks).remark
    steady = (Look(32, 16, 0.01), Look(16, 14, 0.01), Look(8, 14, 0.01))
    assert not MeasuredWidth(8, steady).remark


@pytest.fixture(scope="module")
def starter() -> VeinModel:
    return VeinModel.load("starter", "cpu")


@pytest.mark.parametrize("seed", [1, 4, 9])
def test_the_starter_finds_the_width_of_fingers_at_any_size(starter, seed):
    finger = synthetic_finger(seed, (240, 320))
    once = starter.vein_width(finger.image)
    assert 0.4 < once / median_width(finger.mask) < 1.6
    twice = ndimage.zoom(finger.image.astype(np.float32), 2, order=1)
    assert starter.vein_width(twice) / once == pytest.approx(2, rel=0.3)


def test_the_starter_finds_fine_trees(starter):
    fine = replace(
        SynthesisSettings(),
        tree_share=1.0,
        height=(480, 481),
        aspect=(1.0, 1.1),
        vein_radius=(0.008, 0.01),
        contrast=(0.5, 0.6),
        scatter=(0.1, 0.2),
        noise=(0.3, 1.0),
    )
    errors = []
    for seed in range(6):
        tree = synthetic_finger(seed, settings=fine)
        true = median_width(tree.mask)
        if np.isfinite(true):
            errors.append(abs(np.log2(starter.vein_width(tree.image) / true)))
    assert np.median(errors) < 0.7


def test_the_told_width_and_the_width_of_the_mask_stand_under_two_names(starter, tmp_path):
    image = synthetic_finger(3, (160, 220)).image
    write_image(tmp_path / "finger.png", image)
    files, output = [tmp_path / "finger.png"], tmp_path / "masks"
    (row,) = segment_files(files, output, starter, SegmentationSettings())
    assert row.vein_width == starter.vein_width(image)
    whole = image_row(measure(read_mask(output / "finger.tif")))
    assert whole["median_width_px"] > 1.1 * row.vein_width
    assert set(asdict(row)).isdisjoint(whole)


def test_every_way_uses_one_width(starter):
    image = synthetic_finger(3, (160, 220)).image
    width = starter.vein_width(image)
    prediction = starter.predict(image)
    assert prediction.settings.vein_width == width
    assert starter.resolve(SegmentationSettings(), image).vein_width == width
    np.testing.assert_array_equal(starter.segment(image), starter.segment(image, vein_width=width))
    np.testing.assert_array_equal(prediction.mask, starter.segment(image))
    assert starter.vein_width(np.stack([image] * 3)) == width


@pytest.mark.parametrize("seed", [2, 5, 9])
def test_torch_and_onnx_runtime_answer_alike(starter, seed):
    pytest.importorskip("onnxruntime")
    image = synthetic_finger(seed, (160, 220)).image
    torch_model = VeinModel(starter.card, starter.network, "cpu")
    assert type(torch_model.runtime) is not type(starter.runtime)
    assert torch_model.vein_width(image) == pytest.approx(starter.vein_width(image), rel=0.01)
    one, other = (model.segment(image) for model in (torch_model, starter))
    assert (one & other).sum() > 0.98 * (one | other).sum() > 0


def test_tiled_equals_whole_with_the_measured_width(starter, monkeypatch):
    """The width is measured on the image, not on a tile: cuts change nothing."""
    image = synthetic_finger(7, (190, 260)).image
    width, whole = starter.vein_width(image), starter.probability(image)
    monkeypatch.setattr(tiled_prediction, "_ONE_PIECE", 0)
    monkeypatch.setattr(tiled_prediction, "TILE_SIDE", 100)
    tiles = []
    tiled = starter.probability(image, progress=lambda done, of: tiles.append((done, of)))
    assert tiles[-1][1] > 4
    assert starter.vein_width(image) == width
    np.testing.assert_allclose(tiled, whole, atol=1e-4)


@pytest.mark.parametrize("seed", [2, 6])
def test_a_large_plane_has_the_width_of_its_parts(starter, monkeypatch, seed):
    """Whether it is in memory or read part by part, and from parts nearly the same as whole."""
    image = synthetic_finger(seed, (480, 640)).image
    whole = starter.vein_width(image)
    monkeypatch.setattr(image_source, "WHOLE", 1000)
    monkeypatch.setattr(image_source, "_CROP_SIDE", 360)
    in_parts = starter.vein_width(image)
    assert abs(np.log2(in_parts / whole)) < 0.5
    assert starter.vein_width(dask.array.from_array(image, chunks=100)) == in_parts


def test_an_empty_mask_is_never_silent(starter):
    ramp = np.tile(np.linspace(0, 255, 120, dtype=np.float32), (90, 1))
    with pytest.warns(VeinSegWarning, match="No vein was found"):
        assert not starter.segment(ramp).any()
    with pytest.warns(VeinSegWarning, match="No vein was found at a width of 6 px"):
        starter.predict(ramp, vein_width=6)
    with warnings.catch_warnings():
        warnings.simplefilter("error", VeinSegWarning)
        starter.segment(synthetic_finger(1, (240, 320)).image)
