"""Masks that were there already: what is kept, what is made anew, and what is said of both."""

import csv
import errno
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_veinseg.data.image_files import read_image, write_image
from napari_veinseg.data.mask_files import read_mask, write_mask
from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.batch import summary_csv
from napari_veinseg.segmentation.batch.plan_files import FolderOptions, plan_files, subfolders
from napari_veinseg.segmentation.batch.segment_files import segment_files
from napari_veinseg.segmentation.region import Region
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.segmentation.vein_model import VeinModel
from tests.models import lively_network, small_card, texture

SETTINGS = SegmentationSettings(vein_width=6.0, min_size=0)


def make_model(seed: int = 0) -> VeinModel:
    return VeinModel(small_card(), lively_network(small_card(), seed), "cpu")


@pytest.fixture(scope="module")
def model():
    return make_model()


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(3):
        image = (255 * texture((40, 50), number)).astype(np.uint8)
        write_image(folder / f"i{number}.png", image)
    return folder


def table(output):
    with (output / "summary.csv").open(encoding="utf-8", newline="") as file:
        return {row["mask"]: row for row in csv.DictReader(file)}


OTHER_SETTINGS = [
    ({"threshold": 0.7}, "made with threshold=model, now 0.7"),
    ({"vein_width": 4.0}, "made with vein_width=6.0, now 4.0"),
    ({"vein_width": None}, "made with vein_width=6.0, now auto"),
    ({"min_size": 9}, "made with min_size=0, now 9"),
    ({"invert": True}, "made with invert=no, now yes"),
    ({"channel": "green"}, "made with channel=auto, now green"),
    ({"region": Region.parse("0,0,40,40")}, "made with region=all, now 0,0,40,40"),
]


@pytest.mark.parametrize(("change", "said"), OTHER_SETTINGS)
def test_other_settings_are_noticed_and_told(model, images, tmp_path, change, said):
    output = tmp_path / "out"
    segment_files([images], output, model, SETTINGS)
    assert {row.note for row in segment_files([images], output, model, SETTINGS)} == {""}
    before = {path.name: path.read_bytes() for path in output.glob("*.tif")}
    rows = segment_files([images], output, model, replace(SETTINGS, **change))
    assert [(row.status, row.note) for row in rows] == [("kept", said)] * 3
    assert {path.name: path.read_bytes() for path in output.glob("*.tif")} == before


def test_another_model_and_another_image_are_noticed_and_told(model, images, tmp_path):
    output = tmp_path / "out"
    segment_files([images], output, model, SETTINGS)
    write_image(images / "i1.png", np.flipud((255 * texture((40, 50), 1)).astype(np.uint8)))
    rows = segment_files([images], output, make_model(seed=1), SETTINGS)
    other = "made by another model"
    assert [row.note for row in rows] == [other, f"{other}; made from another image", other]
    rows = segment_files([images], output, model, SETTINGS)
    assert [row.note for row in rows] == ["", "made from another image", ""]


def test_an_update_makes_anew_what_would_be_otherwise_and_nothing_else(model, images, tmp_path):
    output = tmp_path / "out"
    segment_files([images], output, model, SETTINGS)
    newer = make_model(seed=1)
    edited = 1 - read_mask(output / "i0.tif")
    write_mask(output / "i0.tif", edited)
    rows = segment_files([images], output, newer, SETTINGS, FolderOptions(update=True))
    assert [row.status for row in rows] == ["kept", "done", "done"]
    assert rows[0].note == "made by another model; edited since"
    assert rows[0].vein_share == pytest.approx(edited.mean()), "the edited mask's own figure"
    np.testing.assert_array_equal(read_mask(output / "i0.tif"), edited)
    expected = newer.segment(255 * texture((40, 50), 1).astype(np.float32), SETTINGS)
    assert (read_mask(output / "i1.tif") != expected).mean() < 0.02
    again = segment_files([images], output, newer, SETTINGS, FolderOptions(update=True))
    assert [row.status for row in again] == ["kept"] * 3
    segment_files([images], output, newer, SETTINGS, FolderOptions(overwrite=True))
    assert (read_mask(output / "i0.tif") != edited).any()


def test_a_probability_that_is_asked_for_later_leaves_the_mask_as_it_is(model, images, tmp_path):
    output = tmp_path / "out"
    segment_files([images], output, model, SETTINGS)
    write_mask(output / "i0.tif", 1 - read_mask(output / "i0.tif"))
    before = {path: path.read_bytes() for path in output.glob("*.tif")}
    options = FolderOptions(probability=True)
    rows = segment_files([images], output, model, SETTINGS, options)
    assert [(row.status, row.note) for row in rows] == [
        ("kept", "edited since"), ("kept", ""), ("kept", "")
    ]  # fmt: skip
    assert {path: path.read_bytes() for path in before} == before
    probability = read_image(output / "i1_probability.tif")
    np.testing.assert_array_equal(probability >= 0.5, read_mask(output / "i1.tif"))
    assert [row.status for row in segment_files([images], output, model, SETTINGS, options)] == [
        "kept"
    ] * 3


def test_a_mask_whose_image_failed_later_is_still_known(model, images, tmp_path):
    output, other = tmp_path / "out", tmp_path / "other"
    (made, *_) = segment_files([images], output, model, SETTINGS)
    content = (images / "i0.png").read_bytes()
    (images / "i0.png").write_bytes(b"no image")
    failed = segment_files([images], output, model, SETTINGS, FolderOptions(overwrite=True))[0]
    assert (failed.status, failed.mask, failed.vein_share) == ("failed", "i0.tif", made.vein_share)
    assert "i0.png" in failed.error
    other.mkdir()
    (other / "i0.png").write_bytes(content)
    with pytest.raises(VeinSegError, match=r"is the mask of .*in.i0\.png, not of .*other"):
        segment_files([other], output, model, SETTINGS)
    (images / "i0.png").write_bytes(content)
    kept = segment_files([images], output, model, SETTINGS)[0]
    assert (kept.status, kept.note, kept.error) == ("kept", "", "")
    assert kept.provenance == made.provenance


def test_masks_of_a_killed_run_are_measured_or_blank(model, images, tmp_path):
    output = tmp_path / "out"
    first = segment_files([images], output, model, SETTINGS)
    (output / "summary.csv").unlink()
    rows = segment_files([images], output, model, SETTINGS, FolderOptions(update=True))
    for row, made in zip(rows, first, strict=True):
        assert (row.status, row.slices, row.height, row.width) == ("kept", 1, 40, 50)
        assert row.vein_share == pytest.approx(made.vein_share)
        assert row.vein_width is row.seconds is None
        assert row.note == "made in an unknown way, by a run that was stopped"
    told = table(output)
    assert {row["vein_width"] for row in told.values()} == {""}
    assert "0" not in {row["vein_share"] for row in told.values()}
    again = summary_csv.read_summary(output / "summary.csv")
    assert [row.vein_width for row in again] == [None] * 3


def test_a_kept_file_that_is_no_mask_has_no_figures(model, images, tmp_path):
    output = tmp_path / "out"
    output.mkdir()
    (output / "i0.tif").write_bytes(b"a letter")
    row, *_ = segment_files([images], output, model, SETTINGS)
    assert (row.status, row.vein_share) == ("kept", None)
    assert "i0.tif" in row.note
    assert (output / "i0.tif").read_bytes() == b"a letter"


def test_rows_are_written_while_a_run_goes_on(model, images, tmp_path, monkeypatch):
    monkeypatch.setattr(summary_csv, "_SECONDS_BETWEEN_WRITES", 0.0)
    seen = []
    segment_files(
        [images], tmp_path / "out", model, SETTINGS,
        report=lambda *_: seen.append(len(table(tmp_path / "out"))),
    )  # fmt: skip
    assert max(seen) >= 1, "a kill loses the rows of some seconds, not of hours"
    assert len(table(tmp_path / "out")) == 3


def test_a_table_of_before_has_no_notes_and_is_kept(model, images, tmp_path):
    output = tmp_path / "out"
    segment_files([images], output, model, SETTINGS)
    path = output / "summary.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(row[:10] for row in rows)
    rows = segment_files([images], output, model, SETTINGS)
    assert [row.note for row in rows] == ["made in an unknown way, by a run that was stopped"] * 3
    assert [row.vein_width for row in rows] == [6.0] * 3
    assert {row["vein_width"] for row in table(output).values()} == {"6"}


def test_an_empty_mask_is_noted(model, tmp_path):
    write_image(tmp_path / "flat.png", np.full((40, 50), 7, np.uint8))
    for status in ("done", "kept"):
        (row,) = segment_files([tmp_path / "flat.png"], tmp_path / "out", model, SETTINGS)
        assert (row.status, row.note, row.vein_share) == (status, "no vein found", 0)


def test_subfolders_are_mirrored(model, images, tmp_path):
    for folder in ("left/deep", "right", ".hidden"):
        (images / folder).mkdir(parents=True)
        (images / folder / "i0.png").write_bytes((images / "i0.png").read_bytes())
    (images / "again").symlink_to(images, target_is_directory=True)
    output = tmp_path / "out"
    assert len(segment_files([images], output, model, SETTINGS)) == 3
    rows = segment_files(
        [images],
        output,
        model,
        SETTINGS,
        FolderOptions(recursive=True, probability=True, overwrite=True),
    )
    names = {"i0.tif", "i1.tif", "i2.tif", "left/deep/i0.tif", "right/i0.tif"}
    assert {row.mask for row in rows} == names == set(table(output))
    for name in names:
        assert (output / name).is_file()
        assert (output / name.replace(".tif", "_probability.tif")).is_file()
    again = segment_files([images], output, model, SETTINGS, FolderOptions(recursive=True))
    assert {row.status for row in again} == {"kept"}
    assert {row.note for row in again} == {""}


def test_one_name_in_two_trees_is_refused(images, tmp_path):
    for top in ("one", "two"):
        (tmp_path / top / "sub").mkdir(parents=True)
        (tmp_path / top / "sub" / "x.png").touch()
    with pytest.raises(VeinSegError, match=r"one.*two.*would both be written to .*sub.x\.tif"):
        plan_files(
            [tmp_path / "one", tmp_path / "two"], tmp_path / "out", FolderOptions(recursive=True)
        )
    with pytest.raises(VeinSegError, match="or take images of subfolders, too"):
        plan_files([tmp_path / "one"], tmp_path / "out")


def test_a_closed_subfolder_stops_only_a_recursive_run(images, tmp_path, monkeypatch):
    closed = images / "closed"
    closed.mkdir()
    entered = Path.iterdir

    def refuse(path):
        if path == closed:
            raise PermissionError(errno.EACCES, "Permission denied")
        return entered(path)

    def refuse_file(path):
        if path.parent == closed:
            raise PermissionError(errno.EACCES, "Permission denied")
        return path.exists()

    monkeypatch.setattr(Path, "iterdir", refuse)
    monkeypatch.setattr(Path, "is_file", refuse_file)
    assert len(plan_files([images], tmp_path / "out")) == 3
    assert subfolders(images) == [closed]
    with pytest.raises(VeinSegError, match=r"closed cannot be read \(Permission denied\)"):
        plan_files([images], tmp_path / "out", FolderOptions(recursive=True))
