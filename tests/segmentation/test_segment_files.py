"""Folders: nothing is lost, nothing is written where it should not be, one bad file stays alone."""

import csv
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_veinseg.data.image_files import read_image, write_image
from napari_veinseg.data.mask_files import read_mask
from napari_veinseg.errors import Cancelled, VeinSegError, VeinSegWarning
from napari_veinseg.segmentation.batch.plan_files import FolderOptions, plan_files
from napari_veinseg.segmentation.batch.segment_files import segment_files
from napari_veinseg.segmentation.batch.summary_csv import read_summary
from napari_veinseg.segmentation.runtimes.runtime import Runtime
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.segmentation.vein_model import Prediction, VeinModel
from tests.models import lively_network, small_card, texture

SETTINGS = SegmentationSettings()
rng = np.random.default_rng(0)


class Lanes(Runtime):
    """A runtime that opens lanes and computes nothing."""

    def __init__(self, threads: int) -> None:
        self.count = threads

    @property
    def _threads(self):
        return self.count

    def _forward(self, images):
        raise NotImplementedError


class DarkIsVein:
    """Stands for a VeinModel: veins are what is darker than the middle of the grey values."""

    def __init__(self, stop_after: int = 10**6, threads: int = 1) -> None:
        self.card, self.digest = small_card(), "d" * 64
        self.runtime = Lanes(threads)
        self.calls = 0
        self.stop_after = stop_after
        self.threads = set()

    def resolve(self, settings, image):
        return replace(settings, min_size=0).resolved(vein_width=6.0, threshold=0.5)

    def predict(self, source, settings, **_):
        self.threads.add(threading.get_ident())
        self.calls += 1
        if self.calls > self.stop_after:
            raise Cancelled("Stopped.")
        planes = np.stack([source.plane(index).sample for index in range(len(source))])
        grey = planes.reshape(source.shape)
        if grey.max() == 13:
            raise RuntimeError("the network\nhas a bug")
        veins = grey < grey.mean()
        return Prediction(veins.astype(np.float32), veins.astype(np.uint8), settings)

    def segment(self, source, settings, **_):
        return self.predict(source, settings).mask


@pytest.fixture
def folder(tmp_path):
    images = tmp_path / "Bilder ü"
    images.mkdir()
    write_image(images / "a.tif", rng.integers(0, 255, (20, 30), dtype=np.uint16))
    write_image(images / "b.png", rng.integers(0, 255, (25, 30), dtype=np.uint8))
    write_image(images / "stack.tif", rng.integers(0, 255, (4, 20, 30), dtype=np.uint8))
    write_image(images / "colour.tif", rng.integers(0, 255, (20, 30, 3), dtype=np.uint8))
    return images


def summary(output):
    with (output / "summary.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tree(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_folder_becomes_masks_of_the_same_size_and_a_summary(folder, tmp_path):
    before = tree(folder)
    rows = segment_files([folder], tmp_path / "deep" / "out", DarkIsVein(), SETTINGS)
    output = tmp_path / "deep" / "out"
    assert {path.name for path in output.iterdir()} == {
        "a.tif",
        "b.tif",
        "stack.tif",
        "colour.tif",
        "summary.csv",
        ".lock",
    }
    for path, shape in {
        "a": (20, 30),
        "b": (25, 30),
        "stack": (4, 20, 30),
        "colour": (20, 30),
    }.items():
        mask = read_image(output / f"{path}.tif")
        assert (mask.shape, mask.dtype) == (shape, np.uint8)
        assert set(np.unique(mask)) == {0, 1}
    assert [row.status for row in rows] == ["done"] * 4
    table = {row["mask"]: row for row in summary(output)}
    assert table["stack.tif"]["slices"] == "4"
    assert (table["b.tif"]["height"], table["b.tif"]["width"]) == ("25", "30")
    assert float(table["b.tif"]["vein_width"]) == 6.0
    assert 0.4 < float(table["a.tif"]["vein_share"]) < 0.6
    assert tree(folder) == before


@pytest.mark.parametrize(
    ("threads", "at_once", "large", "here"),
    [
        (1, 4, 10**6, {True}),
        (4, 1, 10**6, {True}),
        (4, 4, 10**6, {False}),
        (4, 4, 1000, {True, False}),  # of the images of the folder, some are larger
        (4, 4, 0, {True}),
    ],
)
def test_small_images_share_the_cores_and_large_ones_do_not(
    folder, tmp_path, monkeypatch, threads, at_once, large, here
):
    monkeypatch.setattr("napari_veinseg.segmentation.batch.segment_files._LARGE", large)
    model = DarkIsVein(threads=threads)
    rows = segment_files([folder], tmp_path / "out", model, SETTINGS, at_once=at_once)
    assert {thread == threading.get_ident() for thread in model.threads} == here
    assert [row.mask for row in rows] == ["a.tif", "b.tif", "colour.tif", "stack.tif"]


@pytest.mark.parametrize(
    "changes",
    [{"working_vein_width": 600.0}, {"working_vein_width": 150.0, "scales": (1.0, 0.25)}],
)
def test_an_image_that_is_large_to_the_network_shares_no_cores(folder, tmp_path, changes):
    model = DarkIsVein(threads=4)
    model.card = small_card(**changes)  # its veins are 6 px wide
    segment_files([folder], tmp_path / "out", model, SETTINGS)
    assert model.threads == {threading.get_ident()}


def test_side_by_side_gives_the_same_masks(tmp_path):
    model = VeinModel(small_card(), lively_network(small_card()), "cpu")
    images = tmp_path / "in"
    images.mkdir()
    for number in range(6):
        write_image(images / f"{number}.tif", texture((60, 80 + number)))
    usual = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        segment_files([images], tmp_path / "two", model, SETTINGS, at_once=2)
        with ThreadPoolExecutor(1) as later:  # what begins now has all cores again
            assert later.submit(torch.get_num_threads).result() == 2
        segment_files([images], tmp_path / "one", model, SETTINGS, at_once=1)
    finally:
        torch.set_num_threads(usual)
    for number in range(6):
        one, two = (read_mask(tmp_path / name / f"{number}.tif") for name in ("one", "two"))
        assert (one != two).mean() < 0.001


def test_probabilities_are_written_when_asked(folder, tmp_path):
    segment_files(
        [folder / "b.png"],
        tmp_path / "out",
        DarkIsVein(),
        SETTINGS,
        FolderOptions(probability=True),
    )
    probability = read_image(tmp_path / "out" / "b_probability.tif")
    assert (probability.shape, probability.dtype) == ((25, 30), np.float32)
    np.testing.assert_array_equal(probability >= 0.5, read_mask(tmp_path / "out" / "b.tif"))


def test_a_bad_file_fails_alone_and_is_told(folder, tmp_path):
    (folder / "aa_broken.png").write_bytes(b"no image")
    write_image(folder / "z_bug.png", np.full((9, 9), 13, np.uint8))
    seen = []
    rows = segment_files(
        [folder], tmp_path / "out", DarkIsVein(), SETTINGS, report=lambda *told: seen.append(told)
    )
    failed = {row.image: row for row in rows if row.status == "failed"}
    assert set(failed) == {str(folder / "aa_broken.png"), str(folder / "z_bug.png")}
    for image, row in failed.items():
        assert image in row.error
        assert "\n" not in row.error
        assert row.mask == ""
    assert sum(row.status == "done" for row in rows) == 4
    assert [told[1:] for told in seen] == [(number, 6) for number in range(1, 7)]
    assert [row["status"] for row in summary(tmp_path / "out")] == [row.status for row in rows]


def test_what_is_finished_is_kept_unless_overwritten(folder, tmp_path):
    output = tmp_path / "out"
    segment_files([folder], output, DarkIsVein(), SETTINGS)
    (output / "b.tif").unlink()
    before = tree(output)
    again = DarkIsVein()
    rows = segment_files([folder], output, again, SETTINGS)
    assert again.calls == 1
    assert [row.status for row in rows] == ["kept", "done", "kept", "kept"]
    assert (
        before.items()
        >= {
            path: time for path, time in tree(output).items() if path.name in ("a.tif", "stack.tif")
        }.items()
    )
    everything = DarkIsVein()
    segment_files([folder], output, everything, SETTINGS, FolderOptions(overwrite=True))
    assert everything.calls == 4


def test_a_cancel_keeps_what_is_done_and_tells_it(folder, tmp_path):
    with pytest.raises(Cancelled):
        segment_files([folder], tmp_path / "out", DarkIsVein(stop_after=2), SETTINGS)
    whole = list((tmp_path / "out").glob("*.tif"))
    assert {read_mask(path).max() for path in whole} == {1}
    assert [path.name for path in (tmp_path / "out").glob(".*")] == [".lock"]
    assert len(summary(tmp_path / "out")) == len(whole) == 2


def test_a_resumed_folder_keeps_the_figures_of_all_masks(folder, tmp_path):
    output = tmp_path / "out"
    segment_files([folder / "a.tif", folder / "b.png"], output, DarkIsVein(), SETTINGS)
    first = {row["mask"]: row for row in summary(output)}
    (output / "a.tif").unlink()
    rows = segment_files([folder / "stack.tif", folder / "b.png"], output, DarkIsVein(), SETTINGS)
    assert [row.status for row in rows] == ["done", "kept"]
    table = {row["mask"]: row for row in summary(output)}
    assert table["b.tif"] == first["b.tif"] | {"status": "kept"}
    assert set(table) == {"stack.tif", "b.tif"}, "a mask that is gone has no row"
    segment_files([folder / "a.tif"], output, DarkIsVein(), SETTINGS)
    assert {row["mask"] for row in summary(output)} == {"a.tif", "stack.tif", "b.tif"}


def test_two_runs_into_one_folder_lose_no_row(folder, tmp_path):
    output = tmp_path / "out"
    (folder / "broken.png").write_bytes(b"no image")

    def run_another(_row, done, _total):
        if done == 1:
            segment_files(list(folder.glob("b*.png")), output, DarkIsVein(), SETTINGS)

    chosen = [folder / name for name in ("a.tif", "b.png", "colour.tif")]
    segment_files(chosen, output, DarkIsVein(), SETTINGS, report=run_another)
    table = {Path(row["image"]).name: row for row in summary(output)}
    assert table.keys() == {"a.tif", "b.png", "colour.tif", "broken.png"}
    assert table["broken.png"]["status"] == "failed"
    assert table["b.png"]["height"] == "25"


def test_the_mask_of_another_image_of_that_name_is_not_taken_for_this_ones(folder, tmp_path):
    other, output = tmp_path / "other", tmp_path / "out"
    other.mkdir()
    write_image(other / "b.tif", rng.integers(0, 255, (25, 30), dtype=np.uint8))
    segment_files([folder / "b.png"], output, DarkIsVein(), SETTINGS)
    before = tree(output)
    with pytest.raises(VeinSegError, match=r"b\.png, not of .*other.*another folder"):
        segment_files([other], output, DarkIsVein(), SETTINGS)
    assert tree(output).keys() == before.keys()
    segment_files([other], output, DarkIsVein(), SETTINGS, FolderOptions(overwrite=True))
    assert [row["image"] for row in summary(output)] == [str(other / "b.tif")]


def test_an_image_is_known_by_a_relative_path_from_another_folder(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    segment_files([f"{folder.name}/b.png"], tmp_path / "out", DarkIsVein(), SETTINGS)
    monkeypatch.chdir(folder)
    (row,) = segment_files([folder / "b.png"], tmp_path / "out", DarkIsVein(), SETTINGS)
    assert row.status == "kept"


def test_a_summary_that_cannot_be_written_is_told_before_any_work(folder, tmp_path):
    (tmp_path / "out" / "summary.csv").mkdir(parents=True)
    model = DarkIsVein()
    with pytest.raises(VeinSegError, match=r"summary\.csv was not written"):
        segment_files([folder], tmp_path / "out", model, SETTINGS)
    assert model.calls == 0


def test_a_summary_that_a_spreadsheet_saved_keeps_its_rows(folder, tmp_path):
    segment_files([folder / "b.png"], tmp_path / "out", DarkIsVein(), SETTINGS)
    table = tmp_path / "out" / "summary.csv"
    table.write_text(table.read_text("utf-8").replace("\n", "\r\n"), "utf-8-sig", newline="")
    segment_files([folder / "a.tif"], tmp_path / "out", DarkIsVein(), SETTINGS)
    assert [row["mask"] for row in summary(tmp_path / "out")] == ["a.tif", "b.tif"]


@pytest.mark.parametrize(
    "text", ["my notes", "\nmine", "image,mask\na,b\n", "{rows}a,b\n", "{rows}\0"]
)
def test_a_summary_that_is_none_is_not_replaced(folder, tmp_path, text):
    segment_files([folder / "b.png"], tmp_path / "out", DarkIsVein(), SETTINGS)
    table = tmp_path / "out" / "summary.csv"
    table.write_text(text.format(rows=table.read_text("utf-8")), "utf-8")
    before = tree(tmp_path / "out")
    with pytest.raises(VeinSegError, match=r"summary\.csv is no table .*: move it"):
        segment_files(
            [folder], tmp_path / "out", DarkIsVein(), SETTINGS, FolderOptions(overwrite=True)
        )
    assert table.stat().st_mtime_ns == before[table]


def test_a_summary_that_is_locked_meanwhile_loses_no_mask(folder, tmp_path):
    output = tmp_path / "out"

    def lock(_row, done, _total):
        if done == 4:
            (output / "summary.csv").unlink()
            (output / "summary.csv").mkdir()

    with pytest.warns(VeinSegWarning, match=r"summary\.csv was not written"):
        rows = segment_files([folder], output, DarkIsVein(), SETTINGS, report=lock)
    assert [row.status for row in rows] == ["done"] * 4
    assert len(list(output.glob("*.tif"))) == 4


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are Unicode")
def test_names_of_another_encoding_come_back(folder, tmp_path):
    odd = folder / os.fsdecode(b"\xe4.tif")  # Latin-1, as old archives unpack
    (folder / "a.tif").rename(odd)
    for status in ("done", "kept"):
        rows = segment_files([odd, folder / "b.png"], tmp_path / "out", DarkIsVein(), SETTINGS)
        assert [row.status for row in rows] == [status] * 2
        read = read_summary(tmp_path / "out" / "summary.csv")
        assert [(row.image, row.mask) for row in read] == [
            (str(odd), odd.name),
            (str(folder / "b.png"), "b.tif"),
        ]


def test_a_sentence_names_the_file_in_whatever_folder_the_results_are(folder, monkeypatch):
    write_image(folder / "z_bug.png", np.full((9, 9), 13, np.uint8))
    (folder / ".." / "here").mkdir()
    monkeypatch.chdir(folder / ".." / "here")
    (row,) = segment_files([folder / "z_bug.png"], ".", DarkIsVein(), SETTINGS)
    assert str(folder / "z_bug.png") in row.error


def test_a_cancel_reaches_the_image_at_hand(folder, tmp_path):
    asked = []

    class Slow(DarkIsVein):
        def segment(self, image, settings, cancelled, **_):
            asked.append(cancelled())
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        segment_files([folder], tmp_path / "out", Slow(), SETTINGS, cancelled=lambda: True)
    assert asked == [True]


@pytest.mark.parametrize("output", [".", "inside", "inside/deeper", "../Bilder ü"])
def test_nothing_is_written_into_an_input_folder(folder, output):
    before = tree(folder)
    with pytest.raises(VeinSegError, match="input folder"):
        segment_files([folder], folder / output, DarkIsVein(), SETTINGS)
    assert tree(folder) == before


def test_nothing_is_written_beside_an_input_file_but_into_a_folder_there(folder):
    with pytest.raises(VeinSegError, match="input folder"):
        plan_files([folder / "b.png"], folder)
    assert plan_files([folder / "b.png"], folder / "out")


def test_a_link_to_an_input_folder_is_one(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    with pytest.raises(VeinSegError, match="input folder"):
        plan_files([folder], tmp_path / "link" / "out")


@pytest.mark.parametrize(
    ("names", "probability"),
    [
        (("x.tif", "x.png"), False),
        (("X.tif", "x.png"), False),
        (("x.tif", "x_probability.tif"), True),
    ],
)
def test_two_images_with_one_result_are_refused_before_any_work(tmp_path, names, probability):
    (tmp_path / "in").mkdir()
    for name in names:
        (tmp_path / "in" / name).touch()
    with pytest.raises(VeinSegError) as raised:
        plan_files([tmp_path / "in"], tmp_path / "out", FolderOptions(probability=probability))
    assert all(name in str(raised.value) for name in names)
    assert not (tmp_path / "out").exists()


def test_an_image_given_twice_is_done_once(folder, tmp_path, monkeypatch):
    assert len(plan_files([folder, folder / "b.png"], tmp_path / "out")) == 4
    monkeypatch.chdir(folder)
    assert len(plan_files([folder, "b.png"], tmp_path / "out")) == 4


def test_a_result_never_replaces_an_image_that_is_reached_by_a_link(folder, tmp_path):
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "a.tif").symlink_to(folder / "a.tif")
    before = tree(folder)
    with pytest.raises(VeinSegError, match=r"would replace the image .*links"):
        segment_files(
            [tmp_path / "links"], folder, DarkIsVein(), SETTINGS, FolderOptions(overwrite=True)
        )
    assert tree(folder) == before


@pytest.mark.parametrize("given", [[], ["nowhere"], ["nowhere.png"], ["empty"]])
def test_inputs_without_images_are_refused(tmp_path, given):
    (tmp_path / "empty").mkdir()
    with pytest.raises(VeinSegError):
        plan_files([tmp_path / name for name in given], tmp_path / "out")


def test_an_output_that_is_a_file_is_refused(folder, tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(VeinSegError, match="is a file where a folder is wanted"):
        segment_files([folder], tmp_path / "out", DarkIsVein(), SETTINGS)
