"""All masks of a folder as files."""

import csv

import numpy as np
import pytest

from napari_veinseg.correction.drafts import Draft, DraftNotes
from napari_veinseg.correction.export_masks import TABLE, export_masks, exported_files
from napari_veinseg.correction.image_folder import ImageFolder
from napari_veinseg.correction.mask_store import Unsaved
from napari_veinseg.data.image_files import write_image
from napari_veinseg.data.mask_files import read_mask
from napari_veinseg.errors import VeinSegError

SHAPE = (20, 30)


def mask_with(row):
    mask = np.zeros(SHAPE, np.uint8)
    mask[row] = 1
    return mask


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "arms"
    path.mkdir()
    for number, name in enumerate(("a.png", "b.png", "c.png", "d.png")):
        write_image(path / name, np.full(SHAPE, 9 * number, np.uint8))
    (path / "d.png").write_text("no image")
    opened = ImageFolder.open(path)
    by_starter = DraftNotes("starter 1234567890 99")
    reviewed = Unsaved(Draft(mask_with(3), notes=by_starter), pixels=np.zeros(SHAPE, np.uint8))
    opened.masks.keep("a", reviewed)
    opened.masks.write("a")
    edited = Draft(mask_with(5), mask_with(5) == 1, notes=DraftNotes("mine 1234567890 99"))
    opened.masks.keep("b", Unsaved(edited))  # waits to be written
    with pytest.raises(VeinSegError):
        opened.read(3)
    return opened


def test_each_mask_is_written_as_it_is_now_and_told(folder, tmp_path):
    output = tmp_path / "new" / "masks"
    assert export_masks(folder, output) == 2
    assert sorted(output.iterdir()) == sorted(exported_files(folder, output))
    for stem, row in (("a", 3), ("b", 5)):
        assert np.array_equal(read_mask(output / f"{stem}.tif"), mask_with(row))
    with (output / TABLE).open(encoding="utf-8", newline="") as file:
        table = {row["image"]: row for row in csv.DictReader(file)}
    assert [(row["mask"], row["state"]) for row in table.values()] == [
        ("a.tif", "reviewed"),
        ("b.tif", "edited"),
        ("", "new"),
        ("", "faulty"),
    ]
    assert "d.png" in table["d.png"]["note"]
    assert [row["model"] for row in table.values()] == ["starter", "mine", "", ""]


def test_a_reviewed_mask_is_exported_before_there_is_a_dataset_and_its_model_outlives_a_stroke(
    tmp_path,
):
    path = tmp_path / "x"
    path.mkdir()
    write_image(path / "a.png", np.zeros(SHAPE, np.uint8))
    opened = ImageFolder.open(path)
    drawn = Draft(mask_with(3), notes=DraftNotes("starter 1234567890 99"))
    opened.masks.keep("a", Unsaved(drawn, pixels=np.zeros(SHAPE, np.uint8)))  # a full disk, say
    assert export_masks(opened, tmp_path / "waiting") == 1
    opened.masks.write("a")
    opened.masks.keep("a", Unsaved(Draft(mask_with(5), mask_with(5) == 1)))
    assert export_masks(opened, tmp_path / "edited") == 1
    for output, state in (("waiting", "reviewed"), ("edited", "edited")):
        assert f"a.png,a.tif,{state},starter," in (tmp_path / output / TABLE).read_text("utf-8")


def test_a_mask_that_cannot_be_read_is_told_and_the_others_are_written(folder, tmp_path):
    (folder.home / "masks" / "a.tif").write_text("damaged")
    assert export_masks(folder, tmp_path / "out") == 1
    assert "a.tif" in (tmp_path / "out" / TABLE).read_text(encoding="utf-8")


def test_a_mask_that_was_taken_out_of_the_dataset_is_none(folder, tmp_path):
    (folder.home / "masks" / "a.tif").unlink()
    assert export_masks(folder, tmp_path / "out") == 1
    assert "a.png,,new,," in (tmp_path / "out" / TABLE).read_text(encoding="utf-8")
    assert folder.read(0).draft is None


@pytest.mark.parametrize("where", ["path", "home", "home/masks"])
def test_nothing_is_written_among_images_or_into_the_dataset(folder, where):
    room, *below = where.split("/")
    output = getattr(folder, room).joinpath(*below)
    before = sorted(output.iterdir())
    with pytest.raises(VeinSegError, match="choose another folder"):
        export_masks(folder, output)
    assert sorted(output.iterdir()) == before
