"""OME-Zarr images: the labels of blocks are those of the whole, and lie where the image lies."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import zarr

from napari_veinseg.data.ome_zarr import OmeZarrImage
from napari_veinseg.errors import Cancelled, VeinSegError
from napari_veinseg.segmentation import masks
from napari_veinseg.segmentation.batch import file_steps
from napari_veinseg.segmentation.batch.plan_files import FolderOptions, plan_files
from napari_veinseg.segmentation.batch.segment_files import segment_files
from napari_veinseg.segmentation.batch.summary_csv import write_summary
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.segmentation.tiling import tiled_prediction
from napari_veinseg.segmentation.vein_model import VeinModel
from tests.models import lively_network, small_card, texture

SETTINGS = SegmentationSettings(vein_width=6.0, min_size=40)


def write_ome(path, array, names, version="0.4", levels=2):
    """An image group with a pyramid that leaves out every other row and column."""
    group = zarr.open_group(path, mode="w", zarr_format=2 if version == "0.4" else 3)
    units = {"t": "time", "c": "channel"}
    datasets = []
    for level in range(levels):
        step = 2**level
        part = array[..., ::step, ::step]
        separator = {"name": "v2" if version == "0.4" else "default", "separator": "/"}
        stored = group.create_array(
            f"level{level}", shape=part.shape, dtype=part.dtype, chunk_key_encoding=separator,
            chunks=(*[1] * (part.ndim - 2), 50, 60),
            dimension_names=None if version == "0.4" else tuple(names),
        )  # fmt: skip
        stored[...] = part
        scale = [7.0 if name == "c" else 1.5 for name in names[:-2]] + [0.5 * step, 0.5 * step]
        datasets.append(
            {
                "path": f"level{level}",
                "coordinateTransformations": [{"type": "scale", "scale": scale}],
            }
        )
    multiscale = {
        "axes": [{"name": name, "type": units.get(name, "space")} for name in names],
        "datasets": datasets,
    }
    if version == "0.4":
        group.attrs["multiscales"] = [{"version": "0.4", **multiscale}]
    else:
        group.attrs["ome"] = {"version": "0.5", "multiscales": [multiscale]}
    return path


@pytest.fixture(scope="module")
def model():
    card = small_card()
    return VeinModel(card, lively_network(card), "cpu")


@pytest.fixture
def small_blocks(monkeypatch):
    """Cut images of some hundred px as if they had some ten thousand."""
    monkeypatch.setattr(tiled_prediction, "_ONE_PIECE", 0)
    monkeypatch.setattr(tiled_prediction, "TILE_SIDE", 70)
    monkeypatch.setattr(masks, "_STRIP", 9000)
    monkeypatch.setattr("napari_veinseg.data.ome_labels._STRIP", 9000)


def whole(model, image):
    """Its mask in one piece, and which pixels are too close to the threshold to be told."""
    predicted = model.predict(image, SETTINGS)
    unsure = np.abs(predicted.probability - predicted.settings.threshold) < 1e-4
    return predicted.mask, unsure


def assert_same(labels, mask, doubtful):
    assert labels.shape == mask.shape
    assert mask.any()
    assert not mask.all()
    assert ((labels != mask) & ~doubtful).sum() == 0


def tree(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_blocks_are_the_whole_and_the_image_stays_untouched(
    model, tmp_path, version, small_blocks, monkeypatch
):
    image = (1000 * texture((210, 330))).astype(np.uint16)
    path = write_ome(tmp_path / "arm.zarr", image, "yx", version)
    before = tree(path)
    [row] = segment_files([path], tmp_path / "out", model, SETTINGS)
    assert (row.status, row.error, row.mask) == ("done", "", "arm.zarr")
    assert (row.height, row.width) == image.shape
    labels = OmeZarrImage.open(tmp_path / "out" / "arm.zarr")
    monkeypatch.undo()
    assert_same(labels.levels[0][...], *whole(model, image))
    assert row.vein_share == pytest.approx(labels.levels[0][...].mean())
    assert tree(path) == before
    assert labels.version == version
    assert [level.shape for level in labels.levels] == [(210, 330), (105, 165)]
    np.testing.assert_array_equal(labels.levels[1][...], labels.levels[0][1::2, 1::2])
    assert labels.transforms == OmeZarrImage.open(path).transforms
    attributes = dict(zarr.open_group(labels.path, mode="r").attrs)
    assert attributes.get("ome", attributes)["image-label"]["colors"][0]["label-value"] == 1
    assert [path.name for path in (tmp_path / "out").glob(".*")] == [".lock"]


def test_times_and_depths_are_planes_and_a_channel_is_chosen(model, tmp_path, small_blocks):
    array = (255 * texture((2, 2, 3, 90, 110))).astype(np.uint8)
    array[0, 1, 2] = 7  # one plane shows nothing
    path = write_ome(tmp_path / "stack.zarr", array, "tczyx")
    for channel in ("auto", 2, -1):
        with pytest.raises(VeinSegError, match="2 channels"):
            OmeZarrImage.open(path).planes(channel)
    settings = SegmentationSettings(vein_width=6.0, min_size=40, channel=1)
    [row] = segment_files([path], tmp_path / "out", model, settings)
    assert (row.error, row.slices) == ("", 6)
    labels = OmeZarrImage.open(tmp_path / "out" / "stack.zarr")
    assert labels.names == "tzyx"
    assert labels.transforms[1][0]["scale"] == [1.5, 1.5, 1.0, 1.0]
    expected, doubtful = whole(model, array[:, 1].reshape(6, 90, 110))
    assert_same(labels.levels[0][...].reshape(expected.shape), expected, doubtful)
    assert not labels.levels[0][0, 2].any()
    np.testing.assert_array_equal(labels.levels[1][...], labels.levels[0][..., 1::2, 1::2])


def test_three_channels_are_colours(model, tmp_path):
    array = (255 * texture((3, 60, 80))).astype(np.uint8)
    path = write_ome(tmp_path / "colour.zarr", array, "cyx", levels=1)
    segment_files([path], tmp_path / "out", model, SETTINGS)
    labels = OmeZarrImage.open(tmp_path / "out" / "colour.zarr")
    assert_same(labels.levels[0][...], *whole(model, np.moveaxis(array, 0, -1)))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_an_update_leaves_labels_that_somebody_has_edited(model, tmp_path, version):
    path = write_ome(tmp_path / "arm.zarr", texture((60, 80)), "yx", version)
    output, update = tmp_path / "out", FolderOptions(update=True)

    def run(threshold):
        settings = replace(SETTINGS, threshold=threshold)
        [row] = segment_files([path], output, model, settings, update)
        return row

    assert [run(threshold).status for threshold in (0.5, 0.5, 0.6)] == ["done", "kept", "done"]
    finest = zarr.open_group(output / "arm.zarr", mode="r+")["0"]
    finest[:9] = edited = 1 - finest[:9]
    row = run(0.7)
    assert (row.status, row.vein_share) == ("kept", None)
    assert row.note == "made with threshold=0.6, now 0.7; edited since"
    np.testing.assert_array_equal(finest[:9], edited)


def test_labels_of_before_are_kept_without_reading_them_all(model, tmp_path, monkeypatch):
    path, output = write_ome(tmp_path / "arm.zarr", texture((60, 80)), "yx"), tmp_path / "out"
    rows = segment_files([path], output, model, SETTINGS)
    write_summary(output / "summary.csv", [replace(row, mask_digest="") for row in rows])

    def read_all(_path):
        raise AssertionError

    monkeypatch.setattr(file_steps, "mask_digest", read_all)
    [row] = segment_files([path], output, model, SETTINGS)
    assert row.status == "kept"
    assert row.vein_share == pytest.approx(rows[0].vein_share, rel=1e-5)


def test_a_cancel_is_heard_while_the_vein_width_is_measured(model, tmp_path, monkeypatch):
    path = write_ome(tmp_path / "arm.zarr", texture((60, 80)), "yx")

    def forward(_images):
        raise AssertionError

    monkeypatch.setattr(model.runtime, "_forward", forward)
    with pytest.raises(Cancelled):
        segment_files(
            [path], tmp_path / "out", model, SegmentationSettings(), cancelled=lambda: True
        )


def test_a_folder_holds_both_kinds_and_what_is_finished_is_kept(model, tmp_path):
    (tmp_path / "in").mkdir()
    write_ome(tmp_path / "in" / "good.zarr", texture((60, 80)), "yx")
    zarr.open_group(tmp_path / "in" / "none.zarr", mode="w")
    first, second = segment_files([tmp_path / "in"], tmp_path / "out", model, SETTINGS)
    assert (first.status, second.status) == ("done", "failed")
    assert "none.zarr is no OME-Zarr image" in second.error
    before = tree(tmp_path / "out" / "good.zarr")
    rows = segment_files([tmp_path / "in"], tmp_path / "out", model, SETTINGS)
    assert rows[0].status == "kept"
    assert tree(tmp_path / "out" / "good.zarr") == before
    rows = segment_files(
        [tmp_path / "in"], tmp_path / "out", model, SETTINGS, FolderOptions(overwrite=True)
    )
    assert rows[0].status == "done"
    with (tmp_path / "out" / "summary.csv").open(encoding="utf-8") as file:
        assert [row["mask"] for row in csv.DictReader(file)] == ["good.zarr", ""]
    assert [path.name for path in (tmp_path / "out").glob(".*")] == [".lock"]


def test_what_fails_within_leaves_nothing_behind(model, tmp_path, monkeypatch):
    path = write_ome(tmp_path / "arm.zarr", texture((60, 80)), "yx")
    monkeypatch.setattr(masks, "_drop_small", lambda *_: 1 / 0)
    [row] = segment_files([path], tmp_path / "out", model, SETTINGS)
    assert row.status == "failed"
    assert {each.name for each in (tmp_path / "out").iterdir()} == {".lock", "summary.csv"}


def test_the_output_is_never_the_image(model, tmp_path):
    path = write_ome(tmp_path / "arm.zarr", texture((60, 80)), "yx")
    for output in (tmp_path, path, path / "labels"):
        with pytest.raises(VeinSegError, match="input folder"):
            segment_files([path], output, model, SETTINGS)
    with pytest.raises(VeinSegError, match="only labels"):
        segment_files([path], tmp_path / "out", model, SETTINGS, FolderOptions(probability=True))


def test_axes_that_are_no_image_are_refused(tmp_path):
    path = write_ome(tmp_path / "odd.zarr", texture((2, 60, 80)), "qyx")
    with pytest.raises(VeinSegError, match="qyx"):
        OmeZarrImage.open(path)


def test_images_of_one_file_get_names_of_their_own(tmp_path):
    folder = tmp_path / "in"
    for name in ("a.zarr", "b.ome.zarr"):
        root = zarr.open_group(folder / name, mode="w", zarr_format=2)
        root.attrs["bioformats2raw.layout"] = 3
        for number in ("0", "2", "10"):
            write_ome(folder / name / number, texture((60, 70)), "yx")
        root.create_group("OME")
    plans = plan_files([folder], tmp_path / "out")
    names = [plan.mask.name for plan in plans]
    assert names == [f"{stem}_{n}.zarr" for stem in "ab" for n in (0, 2, 10)]
    (plan,) = plan_files([folder / "a.zarr" / "2"], tmp_path / "out")
    assert plan.mask.name == "a_2.zarr"
