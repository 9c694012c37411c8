"""Images and their masks side by side in one folder: which is which, and what is said."""

import numpy as np
import pytest

from napari_veinseg.correction.image_folder import ImageFolder
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.image_files import list_images, read_image, write_image
from napari_veinseg.data.mask_files import write_mask
from napari_veinseg.data.mixed_folders import list_masks, masks_beside
from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation.contenders import MaskFolder
from napari_veinseg.segmentation.batch.plan_files import FolderOptions, files_left_out, plan_files

IMAGE = np.arange(600, dtype=np.uint16).reshape(20, 30)
VEINS = np.zeros((20, 30), np.uint8)
VEINS[8:12] = 1


def mixed(folder, ending="_mask"):
    folder.mkdir(parents=True)
    for stem in ("ä", "b"):
        write_image(folder / f"{stem}.tif", IMAGE)
        write_mask(folder / f"{stem}{ending}.png", VEINS)
    return folder


def names(paths):
    return [path.name for path in paths]


@pytest.mark.parametrize("ending", ["_mask", "-MASK", ".gt", " labels", "_veins"])
def test_masks_are_told_from_images(tmp_path, ending):
    folder = mixed(tmp_path / "in", ending)
    masks = [f"b{ending}.png", f"ä{ending}.png"]
    assert sorted(names(masks_beside(list_images(folder)))) == sorted(masks)
    assert sorted(names(list_masks(folder))) == sorted(masks)


@pytest.mark.parametrize(
    ("image", "mask"), [(IMAGE, IMAGE), (VEINS, VEINS)], ids=["two images", "two masks"]
)
def test_a_name_alone_makes_no_mask(tmp_path, image, mask):
    write_image(tmp_path / "x.tif", image)
    write_image(tmp_path / "x_seg.tif", mask)
    write_mask(tmp_path / "lonely_mask.tif", VEINS)
    assert masks_beside(list_images(tmp_path)) == []
    assert len(list_masks(tmp_path)) == 3


def test_masks_are_not_segmented_and_that_is_said(tmp_path):
    mixed(tmp_path / "in")
    mixed(tmp_path / "in" / "deep")
    plans = plan_files([tmp_path / "in"], tmp_path / "out")
    assert names(plan.source for plan in plans) == ["b.tif", "ä.tif"]
    (said,) = files_left_out([tmp_path / "in"])
    assert "2 masks lie among the images" in said
    assert "(b_mask.png, ä_mask.png), left out" in said
    assert "b_mask.png" in said
    assert len(list(files_left_out([tmp_path / "in"], recursive=True))) == 2
    assert len(plan_files([tmp_path / "in"], tmp_path / "out", FolderOptions(recursive=True))) == 4


def test_a_mask_that_is_named_is_segmented(tmp_path):
    file = mixed(tmp_path / "in") / "b_mask.png"
    (plan,) = plan_files([file], tmp_path / "out")
    assert plan.source == file
    assert not list(files_left_out([file]))


def test_a_folder_that_is_worked_through_holds_the_images_alone(tmp_path):
    opened = ImageFolder.open(mixed(tmp_path / "in"))
    assert names(opened.images) == ["b.tif", "ä.tif"]
    assert "b_mask.png" in opened.remark
    assert not ImageFolder.open(mixed(tmp_path / "data" / "images", "_other").parent).remark


def test_what_a_dataset_lacks_is_said(tmp_path):
    folder = mixed(tmp_path / "in")
    with pytest.raises(VeinSegError, match=r"'masks' in it; b_mask.png lies among its images"):
        Dataset.open(folder)
    folder.rename(tmp_path / "images")
    assert "b_mask.png lies among the images" in Dataset.open(tmp_path).why_empty


def test_a_folder_of_masks_may_name_them_as_masks(tmp_path):
    dataset = Dataset.create(tmp_path / "data")
    for stem in ("ä", "b"):
        dataset.add(stem, IMAGE, VEINS)
    found = MaskFolder("second", mixed(tmp_path / "in")).with_files_of(dataset).files.values()
    assert names(found) == ["b_mask.png", "ä_mask.png"]


def test_what_cannot_be_read_at_all_is_said(tmp_path):
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    (tmp_path / "film.gif").write_bytes(b"GIF89a")
    (tmp_path / "notes.txt").write_text("no image")
    write_image(tmp_path / "x.tif", IMAGE)
    link, kind = files_left_out([tmp_path])
    assert "1 link leads nowhere" in link
    assert "(gone.png)" in link
    assert "1 file is of a kind that is not read" in kind
    assert "(film.gif)" in kind
    with pytest.raises(VeinSegError, match="a link to a file that is gone"):
        read_image(tmp_path / "gone.png")
    with pytest.raises(VeinSegError, match="does not exist"):
        read_image(tmp_path / "no suffix")
